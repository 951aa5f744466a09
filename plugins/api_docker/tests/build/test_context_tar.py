"""The Dockerfile is found in a context that arrives in pieces, whatever program wrote it."""

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swarmcore_api_docker.build.context_tar import DockerfileFinder

COMPRESSIONS = {
    "plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LONG = "/".join(["folder" * 8] * 6) + "/" + "Dockerfile" * 12


def archive(files, *, kind="pax"):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=FORMATS[kind]) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if data is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(data, str):
                member.type, member.linkname = tarfile.SYMTYPE, data
            else:
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return content.getvalue()


def find(context, *names, size=1000):
    finder = DockerfileFinder(names or ("Dockerfile", "dockerfile"))
    found = []
    for at in range(0, len(context), size):
        found += finder.feed(context[at : at + size])
    return found, finder


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 4096, 1 << 20])
def test_the_dockerfile_is_found_in_every_kind_of_context(compression, kind, size):
    files = {"aaa": None, "aaa/big": b"x" * 5000, "./Dockerfile": b"FROM app", "z": b"rest"}
    context = COMPRESSIONS[compression](archive(files, kind=kind))
    found, finder = find(context, size=size)
    assert found == [b"FROM app"]
    assert finder.is_done


@pytest.mark.parametrize("size", [1, 700, 4096, 1 << 20])
def test_the_search_ends_where_the_archive_ends(size):
    """An engine ignores what follows, as in archives that were put together with `cat`."""
    context = archive({"a": b"x"}) + archive({"Dockerfile": b"FROM app"})
    found, finder = find(context, size=size)
    assert found == []
    assert finder.is_done


@pytest.mark.parametrize(
    ("compression", "expands"), [("plain", False), ("gzip", True), ("bzip2", True), ("xz", True)]
)
def test_whether_a_context_may_expand_is_told(compression, expands):
    finder = DockerfileFinder(["Dockerfile"])
    assert finder.may_expand
    finder.feed(COMPRESSIONS[compression](archive({"a": b"x"})))
    assert finder.may_expand == expands


@pytest.mark.parametrize("kind", ["gnu", "pax"])
def test_a_long_name_is_read(kind):
    files = {"x" * 150: b"other", LONG: b"FROM app", "ö": b"1"}
    assert find(archive(files, kind=kind), LONG)[0] == [b"FROM app"]


@pytest.mark.parametrize(
    ("names", "files", "found"),
    [
        (["sub/Dockerfile"], {"Dockerfile": b"1", "sub/Dockerfile": b"2"}, [b"2"]),
        (["./sub/../D"], {"D": b"1"}, [b"1"]),
        ([], {"dockerfile": b"1"}, [b"1"]),
        ([], {"dockerfile": b"1", "Dockerfile": b"2"}, [b"1", b"2"]),
        ([], {"Dockerfile": "docker/Dockerfile", "docker/Dockerfile": b"1"}, [b"1"]),
        ([], {"other": b"1"}, []),
        ([], {"Dockerfile": b"x" * (1 << 21), "z": b"1"}, []),
        ([], {"Dockerfile": None}, []),
    ],
    ids=["named", "a path", "lower case", "both", "a link", "none", "far too large", "a folder"],
)
def test_the_dockerfile_among_several_names(names, files, found):
    assert find(archive(files), *names)[0] == found


@pytest.mark.parametrize("context", [b"", b"FROM app\n" * 1000, b"\x1f\x8b\x08junk" * 100,
                                     b"BZhjunkjunk", b"\xfd7zXZ\0junkjunkjunk" * 9])  # fmt: skip
def test_other_data_is_ignored(context):
    assert find(context)[0] == []


@given(data=st.data(), size=st.integers(1, 700))
def test_a_damaged_context_raises_no_error(data, size):
    context = bytearray(archive({"a": b"1" * 600, LONG: b"2", "Dockerfile": b"FROM app"}))
    for _ in range(data.draw(st.integers(1, 20))):
        context[data.draw(st.integers(0, len(context) - 1))] = data.draw(st.integers(0, 255))
    found, _ = find(bytes(context), size=size)
    assert len(found) <= 2


def test_a_decompression_bomb_takes_no_memory():
    bomb = gzip.compress(archive({"a": bytes(200 << 20), "Dockerfile": b"FROM app"}))
    tracemalloc.start()
    try:
        found, _ = find(bomb, size=4096)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [b"FROM app"]
    assert peak < 4 << 20
