"""Parses the lines of an engine list: address or range, labels, comment."""

from collections.abc import Iterator

from swarmcore.addresses import Address, expand, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Entry
from swarmcore.stores import read_label


def parse_lines(text: str) -> tuple[list[Entry], list[str]]:
    """Parse a whole file.

    Args:
        text: one ``ADDRESS [KEY=VALUE ...]`` per line; ``#`` begins a comment.

    Returns:
        The entries in order, without duplicate addresses; and for each line that cannot be parsed,
        its number, its text and the reason.
    """
    found: dict[Address, Entry] = {}
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.partition("#")[0].strip()
        try:
            for entry in _parse_line(content):
                found.setdefault(entry.address, entry)
        except ConfigError as error:
            problems.append(f"line {number}: {content!r}: {error}")
    return list(found.values()), problems


def _parse_line(content: str) -> Iterator[Entry]:
    """All entries of a line; a line with an error has none."""
    if not content:
        return iter(())
    address, *words = content.split()
    labels = dict(map(read_label, words))
    return iter([Entry(parse_address(each), labels) for each in expand(address)])
