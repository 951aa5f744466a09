"""Run two embedded engines as a process: print their addresses, serve until killed."""

import sys

import trio

from swarmcore.testing.embedded import EmbeddedEngine


async def main() -> None:
    pullable = ("busybox", "pull/*")
    engines = [EmbeddedEngine(name, pullable=pullable) for name in ("n1", "n2")]
    async with engines[0].serving(), engines[1].serving():
        sys.stdout.write(",".join(engine.address for engine in engines) + "\n")
        sys.stdout.flush()
        await trio.sleep_forever()


trio.run(main)
