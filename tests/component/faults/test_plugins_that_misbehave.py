"""Plugins whose handlers, hooks or background work raise, block, or leave tasks behind."""

import pytest

PLUGIN = """
import time
import trio
from swarmcore import hookimpl
from swarmcore.protocols import Route

counts = {"leaks": 0, "raises": 0, "steady": 0}

async def raises(exchange):
    raise ValueError("broken by design")

async def blocks(exchange):
    time.sleep(1.5)
    await exchange.send_json("blocked")

async def leaks(exchange):
    await _leak()
    await exchange.send_json("leaked")

async def _leak():
    nursery = await trio.open_nursery().__aenter__()
    nursery.start_soon(trio.sleep_forever)

@hookimpl
def swarmcore_routes():
    return [Route("GET", f"/acme/{each.__name__}", each) for each in (raises, blocks, leaks)]

@hookimpl
def swarmcore_container_placed(config, node):
    if config.name == "blocks":
        time.sleep(1.5)
    raise ValueError("broken by design")

@hookimpl
def swarmcore_background(cluster):
    async def leak():
        counts["leaks"] += 1
        await _leak()

    async def fail():
        counts["raises"] += 1
        raise ValueError("broken by design")

    async def steady():
        counts["steady"] += 1
        await trio.sleep_forever()

    return [leak, fail, steady]
"""


@pytest.fixture
async def manager(manage, n1, tmp_path):
    path = tmp_path / "acme.py"
    path.write_text(PLUGIN)
    async with manage(n1, plugins=(str(path),)) as manager:
        yield manager


def said(caplog):
    return [record.getMessage() for record in caplog.records]


async def test_a_plugin_that_raises_fails_its_own_requests_only(manager, caplog):
    await manager.run("web")  # its hook raises
    answer = await manager("GET", "/acme/raises", version="")
    assert answer.status == 500
    assert "broken by design" not in answer.message
    assert await manager.names() == ["/web"]
    told = " ".join(said(caplog))
    for words in ("swarmcore_file_acme: handler of GET /acme/raises failed",
                  "failed in swarmcore_container_placed",
                  "acme.py failed; trying again in 1 s"):  # fmt: skip
        assert words in told


async def test_a_plugin_that_leaves_tasks_behind_ends_nobody_else(manager, caplog):
    for _ in range(3):
        assert (await manager("GET", "/acme/leaks", version="")).ok
    assert await manager.names() == []
    await manager.run("web")
    assert any("swarmcore_file_acme: handler of GET /acme/leaks failed" in each
               for each in said(caplog))  # fmt: skip
    await manager.wait_until(lambda: sum("trying again" in each for each in said(caplog)) >= 3)
    assert await manager.names() == ["/web"]


@pytest.mark.parametrize("where", ["blocks", "swarmcore_container_placed"])
async def test_a_plugin_that_blocks_is_named_and_others_go_on_afterwards(manager, caplog, where):
    if where == "blocks":
        assert (await manager("GET", "/acme/blocks", version="")).json() == "blocked"
    else:
        await manager.create("blocks")
    await manager.wait_until(lambda: any("must not block" in each for each in said(caplog)))
    (line,) = [each for each in said(caplog) if "must not block" in each]
    assert f"swarmcore_file_acme.{where} (" in line
    assert (await manager("GET", "/_ping")).ok
