"""The images that a Dockerfile begins with or copies from, as far as they can be known before.

Pure.  What is not understood names no image: the builder itself says what is wrong with it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from swarmcore.images import can_be_image


#: Nobody writes more; each may be carried.
_MOST_IMAGES: Final = 100
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*[A-Za-z]+\s*=.*")
_HEREDOC = re.compile(r"<<-?([\"']?)([A-Za-z_]\w*)\1")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])([^{}]*))?\})")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*", re.IGNORECASE)
_ARGUMENT = re.compile(r"([A-Za-z_]\w*)(?:=((?:\"[^\"]*\"|'[^']*'|\S)*))?")
_COPY_FROM = re.compile(r"--from=(\S+)")
_MOUNT_FROM = re.compile(r"--mount=(?:\S*,)?from=([^,\s]+)")


def base_images(text: str, arguments: Mapping[str, str], target: str = "") -> list[str]:
    """The images that a build takes from outside, as they are named.

    Args:
        text: a Dockerfile.
        arguments: build arguments, which go before the defaults of ``ARG``.
        target: the stage at which the build ends; empty for the last one.
    """
    known: dict[str, str] = {}
    stages: set[str] = set()
    images: dict[str, None] = {}
    begun = ended = False
    for word, rest in _instructions(text):
        if word == "ARG" and not begun:
            known.update(_read_arguments(rest, known, arguments))
        elif word == "FROM" and (match := _FROM.fullmatch(rest)):
            if ended:
                break
            begun, stage = True, (match[2] or "").lower()
            images.update(dict.fromkeys([_expand(match[1], known)]) if _is_outside(match[1], stages)
                          else {})  # fmt: skip
            ended = bool(target) and target.lower() == stage
            stages.add(stage)
        elif word in ("COPY", "RUN"):
            found = (_COPY_FROM if word == "COPY" else _MOUNT_FROM).findall(rest)
            images.update(dict.fromkeys(name for name in found if _is_outside(name, stages)))
    return [name for name in images if name != "scratch" and can_be_image(name)][:_MOST_IMAGES]


def _is_outside(name: str, stages: set[str]) -> bool:
    """Whether *name* is no earlier stage, by its name or number."""
    return name.lower() not in stages and not name.isdecimal()


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction's word, in upper case, and the rest of it in one line."""
    lines = iter(text.removeprefix("\ufeff").splitlines())
    escape, begun, at_top = "\\", "", True
    for line in lines:
        stripped = line.strip()
        if at_top and (match := _ESCAPE.fullmatch(stripped)):
            escape = match[1]
        at_top = at_top and _DIRECTIVE.fullmatch(stripped) is not None
        if stripped.startswith("#") or (begun and not stripped):
            continue
        if stripped.endswith(escape):
            begun += stripped[:-1] + " "
            continue
        word, _, rest = (begun + stripped).partition(" ")
        begun = ""
        if word.upper() in ("RUN", "COPY", "ADD"):
            _pass_over(lines, rest)
        if word:
            yield word.upper(), rest.strip()


def _pass_over(lines: Iterator[str], rest: str) -> None:
    """Pass over the documents that an instruction is followed by."""
    for _, end in _HEREDOC.findall(rest):
        for line in lines:
            if line.strip() == end:
                break


def _read_arguments(
    rest: str, known: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The values that one ``ARG`` gives; one that has none stays unknown."""
    for name, default in _ARGUMENT.findall(rest):
        if name in given:
            yield name, given[name]
        elif f"{name}=" in rest:
            yield name, _expand(default, known)


def _expand(text: str, known: Mapping[str, str]) -> str:
    """*text* with the values of its variables, without quotes."""

    def value(match: re.Match[str]) -> str:
        name, sign, other = match[1] or match[2], match[3] or "", match[4] or ""
        held = known.get(name)
        is_there = bool(held) if sign.startswith(":") else held is not None
        if sign.endswith("+"):
            return _expand(other, known) if is_there else ""
        return (held or "") if is_there or not sign else _expand(other, known)

    return _VARIABLE.sub(value, _QUOTED.sub(lambda match: match[1] or match[2] or "", text))
