"""Platforms such as ``linux/arm64``, and which of them a machine runs.  Pure.

Spelling and compatibility follow containerd's library, with which engines parse ``--platform``.
"""

import re
from typing import NamedTuple

_SYSTEMS = frozenset(
    {"aix", "darwin", "dragonfly", "freebsd", "illumos", "linux", "netbsd", "openbsd", "plan9",
     "solaris", "windows"}
)  # fmt: skip
#: Names of architectures in ``info`` and elsewhere -> normalised name and variant.
_SPELLINGS = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv8l": ("arm", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "armv5tel": ("arm", "v5"),
}
_ARCHITECTURES = frozenset(
    {"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
     "ppc64le", "riscv64", "s390x", "wasm"}
)  # fmt: skip
#: Architecture -> an older one that its machines also run.
_INHERITED = {"amd64": "386", "arm64": "arm"}
_WORD = r"[a-z0-9_.-]+"
#: The system may have a version: ``windows(10.0.17763)``.
_FORM = re.compile(rf"({_WORD})(?:\([^)]*\))?(?:/({_WORD}))?(?:/({_WORD}))?")


class Platform(NamedTuple):
    """A system, an architecture and its variant; an empty one stands for any."""

    system: str
    architecture: str
    variant: str

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def parse_platform(text: str) -> Platform | None:
    """Parse ``linux/arm/v7``, ``linux`` or ``arm64``.

    Returns:
        The normalised platform; ``None`` if engines do not accept the text either.
    """
    form = _FORM.fullmatch(text.lower())
    if form is None:
        return None
    first, architecture, variant = form.groups("")
    if architecture:
        return Platform(first, *_architecture(architecture, variant))
    if first in _SYSTEMS:
        return Platform(first, "", "")
    architecture, variant = _architecture(first)
    return Platform("", architecture, variant) if architecture in _ARCHITECTURES else None


def _architecture(text: str, variant: str = "") -> tuple[str, str]:
    name, own = _SPELLINGS.get(text, (text, ""))
    variant = own if own else variant
    if name == "arm":
        return name, f"v{variant.removeprefix('v') or 7}"
    if (name, variant.removeprefix("v")) in (("arm64", "8"), ("amd64", "1")):
        variant = ""
    return name, variant


def runs(machine: Platform, wanted: Platform) -> bool:
    """Whether *machine* runs programs of *wanted*; unknown variants are assumed to match."""
    if wanted.system and wanted.system != machine.system:
        return False
    if wanted.architecture in ("", _INHERITED.get(machine.architecture)):
        return True
    if wanted.architecture != machine.architecture:
        return False
    return wanted.architecture != "arm" or wanted.variant <= machine.variant
