"""Parses the JSON of Prometheus's service discovery: groups of targets with labels.

The format is described in Prometheus's manual under "HTTP SD": a list of objects with ``targets``,
a list of ``host:port``, and ``labels``, an object of texts.
"""

import json
from collections.abc import Mapping
from typing import Any

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Entry


def parse_groups(documents: Mapping[str, str], port: int) -> tuple[list[Entry], list[str]]:
    """Parse documents.

    Args:
        documents: name of the source -> its text, one JSON document.
        port: port of all engines; 0: the ports of the targets.

    Returns:
        The entries in order, without duplicate addresses; and for each target or group that cannot
        be parsed, its text and the reason.

    Raises:
        ValueError: a document is not a JSON list.
    """
    found: dict[Address, Entry] = {}
    problems = []
    groups = [group for where, text in documents.items() for group in _document(where, text)]
    for group in groups:
        try:
            targets, labels = _parts(group)
        except ConfigError as error:
            problems.append(str(error))
            continue
        for target in targets:
            try:
                address = _address(target, port)
            except ConfigError as error:
                problems.append(f"target {target!r}: {error}")
                continue
            found.setdefault(address, Entry(address, labels))
    return list(found.values()), problems


def _document(where: str, text: str) -> list[Any]:
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError(f"{where}: nested too deeply for a list of targets") from None
    except ValueError as error:
        raise ValueError(f"{where}: not JSON: {error}") from None
    if not isinstance(document, list):
        raise ValueError(f'{where}: not a list of groups: [{{"targets": ["HOST:PORT"]}}]')
    return document


def _parts(group: Any) -> tuple[list[Any], Mapping[str, str]]:
    if not isinstance(group, dict) or not isinstance(group.get("targets"), list):
        raise ConfigError(f"group {json.dumps(group)[:80]} has no list of targets")
    labels = group.get("labels") or {}
    if not isinstance(labels, dict) or not all(isinstance(each, str) for each in labels.values()):
        raise ConfigError(f"group {json.dumps(group)[:80]}: labels are not an object of texts")
    return group["targets"], {
        key: value for key, value in labels.items() if not key.startswith("__")
    }


def _address(target: Any, port: int) -> Address:
    if not isinstance(target, str):
        raise ConfigError("not a text")
    if not port:
        return parse_address(target)
    host, colon, last = target.rpartition(":")
    bare = host if colon and last.isdigit() and not host.endswith(":") else target
    return parse_address(f"{bare}:{port}")
