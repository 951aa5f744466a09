"""Reads the context store of the ``docker`` command.

``contexts/meta/ID/meta.json`` has the name and the endpoints; ``contexts/tls/ID/docker/`` may have
``ca.pem``, ``cert.pem`` and ``key.pem``.  ID is the SHA-256 of the name; it is taken from the name
of the folder.
"""

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Entry, TLSFiles

_FILES = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}


class Found(NamedTuple):
    """The content of the store.

    Attributes:
        entries: sorted by the contexts' names, without duplicate addresses.
        problems: contexts that cannot be used, each with the reason.
    """

    entries: Sequence[Entry]
    problems: Sequence[str]


def read_contexts(folder: Path, patterns: Sequence[str]) -> Found:
    """Read all contexts whose name matches.

    Args:
        folder: the configuration folder of the ``docker`` command.
        patterns: patterns of names; ``*`` and ``?`` are wildcards.

    Raises:
        OSError: there is no store, or it cannot be listed.
        LookupError: no context matches.
    """
    found: dict[Address, Entry] = {}
    problems: list[str] = []
    matched = False
    for name, path, meta in _contexts(folder / "contexts" / "meta", problems):
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        matched = True
        try:
            entry = _entry(name, meta, folder / "contexts" / "tls" / path.name / "docker")
        except ConfigError as error:
            problems.append(f"context {name}: {error}")
            continue
        found.setdefault(entry.address, entry)
    if not matched and not problems:
        raise LookupError(f"no context is called {' or '.join(patterns)}")
    return Found(list(found.values()), problems)


def _contexts(folder: Path, problems: list[str]) -> list[tuple[str, Path, dict[str, Any]]]:
    """Name, folder and document of each context, by name; adds unreadable ones to *problems*."""
    contexts = []
    for path in sorted(folder.iterdir()):
        try:
            meta = json.loads((path / "meta.json").read_bytes())
            contexts.append((str(meta["Name"]), path, meta))
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(f"{path}/meta.json: {error!r}")
    return sorted(contexts, key=lambda context: context[0])


def _entry(name: str, meta: dict[str, Any], tls: Path) -> Entry:
    try:
        endpoint = meta["Endpoints"]["docker"]
        host = str(endpoint["Host"])
        verify = not endpoint.get("SkipTLSVerify")
    except (KeyError, TypeError, AttributeError):
        raise ConfigError("it has no Docker endpoint") from None
    files = {
        key: str(tls / file) for key, file in _FILES.items() if host and (tls / file).is_file()
    }
    return Entry(
        parse_address(host),
        {"context": name},
        TLSFiles(**files, verify=verify) if files else None,
    )
