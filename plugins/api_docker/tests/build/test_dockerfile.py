"""The images that a Dockerfile uses, without its own stages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swarmcore_api_docker.build.dockerfile import base_images


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM app:1\n", ["app:1"]),
        ("from  app:1  as  one\nfrom ONE\nRUN x", ["app:1"]),
        ("FROM --platform=linux/amd64 app:1 AS a\nFROM other\n", ["app:1", "other"]),
        ("FROM scratch\nCOPY --from=tool:2 /bin /bin\n", ["tool:2"]),
        ("FROM a AS b\nFROM c\nCOPY --from=b / /\nCOPY --chown=1:1 --from=0 / /", ["a", "c"]),
        ("FROM a\nRUN --mount=type=bind,from=tool,target=/t ls\n", ["a", "tool"]),
        ("ARG V=1\nFROM app:$V\n", ["app:1"]),
        ("ARG V\nFROM app:${V:-2}\n", ["app:2"]),
        ("ARG V=\nFROM app${V:+:}${V-3}\n", ["app"]),
        ('ARG A="reg/app" B=\'7\'\nARG C=$A:$B\nFROM ${C}\n', ["reg/app:7"]),
        ("ARG G=0\nFROM app:$G\n", ["app:given"]),
        ("FROM app:$G\n", []),
        ("FROM a\nARG G\nFROM app:$G\n", ["a"]),
        ("# escape=`\nFROM `\n  app:1\n", ["app:1"]),
        ("# syntax=docker/dockerfile:1\n\n# FROM no\nFROM app:1\n", ["app:1"]),
        ("FROM \\\n# a comment\n\n  app:1\n", ["app:1"]),
        ("\ufeffFROM app:1\r\nRUN x\r\n", ["app:1"]),
        ("FROM a\nRUN <<EOF\nFROM no\nEOF\nCOPY <<-'X' /x\nFROM no2\nX\nFROM b\n", ["a", "b"]),
        ("FROM a\nONBUILD COPY --from=late / /\n", ["a"]),
        ("FROM $\nFROM ${\nFROM ${X:?no}\nFROM A B C\nFROM\nnonsense", []),
        ("FROM a\nFROM a\n", ["a"]),
        ("FROM sha256:" + "1" * 64, ["sha256:" + "1" * 64]),
        ("", []),
    ],
)  # fmt: skip
def test_images_that_are_not_stages(text, images):
    assert base_images(text, {"G": "given", "unknown": "x"}) == images


def test_stages_behind_the_target_are_not_built():
    text = "FROM a AS one\nFROM b AS two\nFROM c AS three\n"
    assert base_images(text, {}, "Two") == ["a", "b"]
    assert base_images(text, {}, "none") == ["a", "b", "c"]


def test_there_is_a_limit_to_images():
    text = "".join(f"FROM app:{number}\n" for number in range(1000))
    assert len(base_images(text, {})) == 100


@given(st.text(st.sampled_from(" \\\n#=$`{}:-+\"'<AaFROMfrom-CPYgG/1"), max_size=200))
def test_any_text_can_be_parsed(text):
    for image in base_images(text, {"G": "given"}):
        assert " " not in image
