"""Small JSON from an engine that may take its time: a prune, disk usage.  Read whole, no deadline.

An engine that is found not to answer ends the wait; so does a client that goes away.
"""

from swarmcore.errors import EngineError
from swarmcore.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Engine
from swarmcore.versions import ApiVersion

#: No report of one engine is near this.
_LARGEST_BYTES = 64 << 20


async def ask_patiently(
    engine: Engine,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Headers = (),
    version: ApiVersion | None = None,
) -> Answer:
    """Ask and read the whole answer, however long it takes; arguments as for ``Engine.call``.

    Raises:
        EngineUnreachable: no answer.
        EngineError: it is too large.
    """
    async with engine.open(method, path, body=body, headers=headers, version=version) as got:
        return await read_whole(engine, got)


async def read_whole(engine: Engine, got: AnswerStream) -> Answer:
    """The answer that *engine* has begun.

    Raises:
        EngineUnreachable: the connection broke.
        EngineError: it is too large.
    """
    pieces, left = [], _LARGEST_BYTES
    async for piece in got:
        left -= len(piece)
        if left < 0:
            name = engine.node.name
            raise EngineError(name, f"{name} answered more than {_LARGEST_BYTES} bytes")
        pieces.append(piece)
    return Answer(got.status, got.headers, b"".join(pieces))
