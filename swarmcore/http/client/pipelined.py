"""Reads several small objects with little cost: requests that are sent at once on one connection.

An engine answers them in their order (HTTP pipelining).  A receive then brings several answers, and
nobody waits between them.  Only plain answers are read; the caller repeats the other requests.
"""

from collections.abc import Callable, Sequence

from swarmcore.http.chunks import LAST_CHUNK, MalformedChunk, PlainChunks
from swarmcore.http.client.connection import Connection
from swarmcore.http.client.outgoing import Outgoing
from swarmcore.http.messages import Answer
from swarmcore.http.plain_heads import read_plain_head
from swarmcore.http.streams import BROKEN


async def exchange_several(
    connection: Connection,
    requests: Sequence[Outgoing],
    limit: int,
    answered: Callable[[Answer], None],
) -> None:
    """Send requests and read their answers.

    Args:
        connection: ready for a request; afterwards ready for another one if all were answered,
            otherwise the caller must close it.
        requests: the heads of ``GET`` requests.
        limit: maximum size of a body in bytes.
        answered: called with each answer, in the order of the requests; not for all of them if the
            connection broke, or if an answer is not plain or too large.
    """
    try:
        await connection.send(b"".join([each.head for each in requests]))
        for _ in requests:
            answer = await _read_answer(connection, limit)
            if answer is None:
                return
            answered(answer)
    except (*BROKEN, MalformedChunk):
        return
    connection.complete = True


async def _read_answer(connection: Connection, limit: int) -> Answer | None:
    head = read_plain_head(await connection.receive_head() or b"", is_head=False)
    if head is None:
        return None
    if head.length is None:
        body = await _read_chunks(connection, limit)
    else:
        body = await _read_length(connection, head.length) if head.length <= limit else None
    return None if body is None else Answer(head.status, head.headers, body)


async def _read_length(connection: Connection, length: int) -> bytes | None:
    pieces, left = list[bytes](), length
    while left:
        data = await connection.receive()
        if not data:
            return None
        pieces.append(data[:left])
        connection.early = data[left:]
        left -= len(pieces[-1])
    return b"".join(pieces)


async def _read_chunks(connection: Connection, limit: int) -> bytes | None:
    chunks, pieces, size = PlainChunks(), list[bytes](), 0
    while chunks.rest is None:
        data = await connection.receive()
        if not data:
            return None
        pieces.append(chunks.feed(data))
        size += len(pieces[-1])
        if size > limit:
            return None
    if not chunks.ended:
        return None
    connection.early = chunks.rest[len(LAST_CHUNK) :]
    return b"".join(pieces)
