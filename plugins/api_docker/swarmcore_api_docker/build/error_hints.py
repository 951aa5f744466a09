"""Add a hint to the error of a build: which other nodes have the missing image.  Pure.

The manager does not see the context of a BuildKit session, so it cannot copy the base images before
the build.  Such a build fails when the registry lacks its base image; its error names the image.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from swarmcore.http.messages import dump_json
from swarmcore.image_supply.progress import error_text
from swarmcore.images import can_be_image, names_of_image, shown_image, split_image
from swarmcore.json_values import as_object
from swarmcore.node import Node, image_test
from swarmcore_api_docker.compat.progress_lines import error_line

#: The beginning of a progress line with an error, as engines write it.
_ERROR = b'{"error'
_LONGEST_LINE: Final = 64 << 10
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]*[A-Za-z0-9]")
#: The URL of a manifest, which the builder of release 20.10 writes instead of the image's name.
_MANIFEST = re.compile(r"://([^/\s]+)/v2/(\S+?)/manifests/([\w.-]+)")
_MOST_WORDS: Final = 50
_MOST_HINTS: Final = 3


class ErrorHints:
    """Passes on the progress of a build, and adds a hint to its error.

    Args:
        builder: the node that builds.
        nodes: all nodes.
    """

    def __init__(self, builder: Node, nodes: Iterable[Node]) -> None:
        self._builder = builder
        self._others = [node for node in nodes if node is not builder]
        self._held = b""
        self._in_line = False

    def map_data(self, data: bytes) -> bytes:
        """Return the progress for the client that *data* completes.

        Args:
            data: the next piece from the engine; ``b""`` at the end.
        """
        if not data:
            held, self._held = self._held, b""
            return self._hinted(held)
        lines = (self._held + data).splitlines(keepends=True)
        self._held = b""
        return b"".join(map(self._pass_on, lines))

    def _pass_on(self, line: bytes) -> bytes:
        """Return the line, or its beginning; ``b""`` while the line may still become an error."""
        begins, complete = not self._in_line, line.endswith(b"\n")
        may_be_error = begins and line[: len(_ERROR)] == _ERROR[: len(line)]
        if may_be_error and not complete and len(line) < _LONGEST_LINE:
            self._held = line
            return b""
        self._in_line = not complete
        return self._hinted(line) if may_be_error else line

    def _hinted(self, line: bytes) -> bytes:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return line
        text = error_text(message) if isinstance(message, dict) else None
        hint = describe_places(text, self._builder, self._others) if text else ""
        if not text or not hint:
            return line
        hinted = error_line(f"{text} ({hint})")
        detail = {**as_object(message.get("errorDetail")), **hinted["errorDetail"]}
        return dump_json({**message, **hinted, "errorDetail": detail})


def describe_places(text: str, builder: Node, others: Sequence[Node]) -> str:
    """Describe which nodes have the images that *text* names and *builder* lacks.

    Returns:
        The hint; empty if no node has any of these images.
    """
    hints: dict[str, None] = {}
    asked = [f"{host.removeprefix('registry-1.')}/{path}:{tag}" for host, path, tag
             in _MANIFEST.findall(text)]  # fmt: skip
    for word in dict.fromkeys([*asked, *_WORD.findall(text)][:_MOST_WORDS]):
        if not can_be_image(word) or image_test(word)(builder):
            continue
        has = image_test(word)
        names = {word: [node.name for node in others if has(node)]}
        if not names[word] and split_image(word)[1] == "":
            names = _of_repository(word, builder, others)
        hints.update(
            dict.fromkeys(
                f"image {shown_image(name)} is on {', '.join(on)}: --build-arg"
                f" constraint:node=={on[0]} builds there"
                for name, on in names.items()
                if on
            )
        )
    shown = list(hints)[:_MOST_HINTS]
    return f"this build was on {builder.name}; {'; '.join(shown)}" if shown else ""


def _of_repository(name: str, builder: Node, others: Sequence[Node]) -> dict[str, list[str]]:
    """Return all tags of a repository on other nodes.

    An error about denied access names the repository only, not the tag.
    """
    found: dict[str, list[str]] = {}
    for node in others:
        for image in node.images.values() if name in node.listed_image_words else ():
            for each in names_of_image(image):
                if split_image(each)[0] == name and not image_test(each)(builder):
                    found.setdefault(each, []).append(node.name)
    return found
