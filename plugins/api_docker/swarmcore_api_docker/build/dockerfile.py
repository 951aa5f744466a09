"""Find the images that a Dockerfile begins with or copies from.  Pure.

Instructions that cannot be parsed are ignored; the builder reports errors in the Dockerfile.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from swarmcore.images import can_be_image

#: Limits how many images one Dockerfile can cause to be copied.
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
    """Return the names of the images that a build needs, except its own stages.

    Args:
        text: a Dockerfile.
        arguments: build arguments, which override the defaults of ``ARG``.
        target: the stage at which the build ends; empty for the last stage.
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
    """Return whether *name* is an image, not the name or number of an earlier stage."""
    return name.lower() not in stages and not name.isdecimal()


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the keyword of each instruction in upper case, and its arguments as one line."""
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
            _skip_heredocs(lines, rest)
        if word:
            yield word.upper(), rest.strip()


def _skip_heredocs(lines: Iterator[str], rest: str) -> None:
    """Skip the here-documents that follow an instruction."""
    for _, end in _HEREDOC.findall(rest):
        for line in lines:
            if line.strip() == end:
                break


def _read_arguments(
    rest: str, known: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the names and values of one ``ARG``, without arguments that have no value."""
    for name, default in _ARGUMENT.findall(rest):
        if name in given:
            yield name, given[name]
        elif f"{name}=" in rest:
            yield name, _expand(default, known)


def _expand(text: str, known: Mapping[str, str]) -> str:
    """Return *text* with its variables replaced by their values, and without quotes."""

    def value(match: re.Match[str]) -> str:
        name, sign, other = match[1] or match[2], match[3] or "", match[4] or ""
        held = known.get(name)
        is_there = bool(held) if sign.startswith(":") else held is not None
        if sign.endswith("+"):
            return _expand(other, known) if is_there else ""
        return (held or "") if is_there or not sign else _expand(other, known)

    return _VARIABLE.sub(value, _QUOTED.sub(lambda match: match[1] or match[2] or "", text))
