"""Run three embedded engines as a process: print their addresses, serve until killed."""

import sys
from contextlib import AsyncExitStack

import trio

from swarmcore.testing.embedded import EmbeddedEngine


async def main() -> None:
    engines = [EmbeddedEngine(name) for name in ("n1", "n2", "n3")]
    async with AsyncExitStack() as stack:
        for engine in engines:
            await stack.enter_async_context(engine.serving())
        sys.stdout.write(" ".join(engine.address for engine in engines) + "\n")
        sys.stdout.flush()
        await trio.sleep_forever()


trio.run(main)
