"""Disks that are full: the manager's for its log and its settings, and an engine's."""

import errno
import os
import signal

from tests.component.faults.process import running

FULL = "write /var/lib/docker/tmp: no space left on device"


def test_a_log_on_a_full_disk_does_not_end_the_manager(tmp_path):
    with (
        open("/dev/full", "wb") as full,
        running(tmp_path, "--debug", "127.0.0.1:1", stderr=full) as manager,
    ):
        for _ in range(3):
            assert manager.ask("POST", "/containers/create", {"Image": "x"})[0] == 503
        manager.process.send_signal(signal.SIGTERM)
        assert manager.process.wait(60) == 0


async def test_settings_that_cannot_be_written_change_nothing(manage, n1, tmp_path, monkeypatch):
    path = tmp_path / "settings"

    def is_full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with manage(n1, node_settings=str(path)) as manager:

        async def drain():
            return await manager("POST", "/swarmcore/nodes/n1/drain", {}, version="")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", is_full)
            answer = await drain()
            assert answer.status == 500
            assert f"cannot write {path}: No space left on device" in answer.message
            assert not path.exists()
            await manager.create("placed")
        assert (await drain()).ok
        assert path.exists()
        assert list(tmp_path.iterdir()) == [path]
        answer = await manager("POST", "/containers/create", {"Image": "busybox"})
        assert "drained" in answer.message


async def test_creates_go_on_elsewhere_while_the_disk_of_an_engine_is_full(manager, n1, n2):
    n1.fail("POST /containers/create", 500, FULL)
    for number in range(4):
        await manager.create(f"web-{number}")
    assert (len(n1.containers), len(n2.containers)) == (0, 4)


async def test_pulls_go_on_elsewhere_once_the_disk_of_an_engine_is_full(manager, n1, n2):
    n1.fail("POST /images/create", 500, FULL)
    said = []
    for number in range(4):  # as `docker run` does
        body = {"Image": f"app-{number}"}
        assert (await manager("POST", "/containers/create", body)).status == 404
        pulled = await manager("POST", f"/images/create?fromImage=app-{number}&tag=latest")
        if FULL in pulled.body.decode():
            said.append(number)
        else:
            assert (await manager("POST", "/containers/create", body)).status == 201
    assert said == [0]
    assert (len(n1.containers), len(n2.containers)) == (0, 3)


async def test_a_create_that_only_a_full_engine_may_take_gets_its_words(manager, n1):
    n1.fail("POST /containers/create", 500, FULL)
    body = {"Image": "busybox", "Env": ["constraint:node==n1"]}
    answer = await manager("POST", "/containers/create", body)
    assert answer.status >= 500
    assert FULL in answer.message
