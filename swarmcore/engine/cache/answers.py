"""Reads an engine's answers for the cache: JSON of the expected kind, or the engine's error."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

from swarmcore.engine.cache.documents import by_key
from swarmcore.errors import EngineRefused
from swarmcore.http.messages import Answer
from swarmcore.json_bytes import read_json
from swarmcore.json_values import UNREADABLE, damaged_answer, reading_answer
from swarmcore.threads import in_thread

#: Longer answers, in bytes, are parsed in a thread: nothing may keep other requests waiting for
#: tens of milliseconds.
_MUCH_JSON = 2 * 1024 * 1024

#: Types of the fields that other code reads from the objects of a list.
IMAGE_FIELDS: Mapping[str, type] = {
    "RepoTags": list, "RepoDigests": list, "Labels": dict, "Created": int, "Size": int,
    "ParentId": str,
}  # fmt: skip
NETWORK_FIELDS: Mapping[str, type] = {
    "Name": str, "Driver": str, "Scope": str, "Containers": dict, "Labels": dict, "Options": dict,
    "IPAM": dict,
}  # fmt: skip
VOLUME_FIELDS: Mapping[str, type] = {
    "Driver": str, "Scope": str, "Labels": dict, "Options": dict, "CreatedAt": str,
}  # fmt: skip

#: The text of a container's age in a list of containers; the manager makes its own.
_AGE = re.compile(rb'"Status":"[^"\\]*"')

#: Id or name -> the engine's object.
Objects = Mapping[str, Mapping[str, Any]]


async def fingerprint(answer: Answer) -> bytes:
    """A digest of a list, which is the same as long as only ages of containers in it change.

    It takes a twentieth of the time of decoding and comparing the list.
    """
    body = answer.body
    return await in_thread(partial(_digest, body)) if len(body) > _MUCH_JSON else _digest(body)


def _digest(body: bytes) -> bytes:
    return blake2b(_AGE.sub(b"", body), digest_size=16).digest()


async def read_answer(engine: str, path: str, answer: Answer, kind: type) -> Any:
    """The value of an engine's answer.

    Args:
        engine: the engine's name, for errors.
        path: the path and query that were asked.
        answer: the answer.
        kind: ``list`` or ``dict``; ``null`` is an empty one.

    Raises:
        EngineRefused: the answer is an error.
        EngineError: the answer is not JSON, or of another kind.
    """
    if not answer.ok:
        raise EngineRefused(engine, answer.status, answer.message)
    body = answer.body
    try:
        is_long = len(body) > _MUCH_JSON
        value = await in_thread(partial(read_json, body)) if is_long else read_json(body)
        if value is None:
            return kind()
        require_type("answer", value, kind)
        return value
    except UNREADABLE as error:
        raise damaged_answer(engine, f"GET {path.partition('?')[0]}", error) from error


async def read_networks(engine: str, answer: Answer) -> Objects:
    """The networks in an answer to ``GET /networks``, by id; see ``read_answer``."""
    networks = by_key(await read_answer(engine, "/networks", answer, list), "Id")
    check_fields(engine, "GET /networks", networks, NETWORK_FIELDS)
    return networks


async def read_volumes(engine: str, answer: Answer) -> Objects:
    """The volumes in an answer to ``GET /volumes``, by name; see ``read_answer``."""
    listed = await read_answer(engine, "/volumes", answer, dict)
    volumes = by_key(listed.get("Volumes"), "Name")
    check_fields(engine, "GET /volumes", volumes, VOLUME_FIELDS)
    return volumes


class RepeatedList:
    """A list that is read again and again, and decoded only if its bytes have changed.

    Args:
        decode: decodes the engine's answer; may raise ``EngineError``.
    """

    def __init__(self, decode: Callable[[Answer], Awaitable[Objects]]) -> None:
        self._decode = decode
        self._digest = b""
        self._objects: Objects = {}

    async def objects(self, answer: Answer) -> Objects:
        """The list's objects: the same mapping as before if *answer* has the same bytes.

        Raises:
            EngineError: *answer* is an error, or cannot be read.
        """
        digest = blake2b(answer.body, digest_size=16).digest() if answer.ok else b""
        if not digest or digest != self._digest:
            self._objects = await self._decode(answer)
            self._digest = digest
        return self._objects


def check_fields(
    engine: str, what: str, objects: Mapping[str, Mapping[str, Any]], fields: Mapping[str, type]
) -> None:
    """Check the fields on whose types other code relies; ``null`` and absent ones are allowed.

    Args:
        engine: the engine's name, for errors.
        what: the request that was answered.
        objects: the objects of the answer.
        fields: field -> type.

    Raises:
        EngineError: an object has a field of another type.
    """
    with reading_answer(engine, what):
        for each in objects.values():
            for name, kind in fields.items():
                value = each.get(name)
                if value is not None:
                    require_type(name, value, kind)


def require_type(name: str, value: object, kind: type) -> None:
    """Raise ``TypeError`` if *value* is not a *kind*; *name* is for its text."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {type(value).__name__}, not {kind.__name__}")
