"""aiodocker: the Docker API for asyncio."""

import asyncio
import gc
import io
import json
import time

import aiodocker
import pytest
from aiodocker.exceptions import DockerContainerError, DockerError

from tests.system.tars import tar_of

# It leaves connections of streams that were not read to their end to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
AIODOCKER = "aiodocker"
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


@pytest.fixture
def drive(target, versions):
    """Call an async function with a client of the target, with a time limit of one minute."""
    versions[AIODOCKER] = aiodocker.__version__

    async def call(use):
        async with aiodocker.Docker(url=target.host) as docker, asyncio.timeout(60):
            return await use(docker)

    yield lambda use: asyncio.run(call(use))
    gc.collect()  # while its connections' warnings are ignored


@pytest.mark.client(AIODOCKER, "agrees on a version, over TCP and a unix socket")
def test_version(drive, target):
    async def ask(docker):
        assert (await docker.system.info())["OSType"] == "linux"
        return docker.api_version, (await docker.version())["ApiVersion"]

    async def ask_socket():
        async with aiodocker.Docker(url=target.socket) as docker:
            return await ask(docker)

    used, announced = drive(ask)
    assert used == f"v{announced}"
    assert asyncio.run(ask_socket()) == (used, announced)


@pytest.mark.client(AIODOCKER, "runs a container, waits for its end, reads its logs")
def test_run(drive):
    async def use(docker):
        container = await docker.containers.run(
            {"Image": "busybox", "Cmd": ["sh", "-c", "echo out; echo err >&2; exit 3"]}
        )
        assert (await container.wait())["StatusCode"] == 3
        assert await container.log(stdout=True) == ["out\n"]
        assert await container.log(stderr=True) == ["err\n"]
        await container.delete()

    drive(use)


@pytest.mark.client(AIODOCKER, "creates or replaces, starts, pauses, restarts, renames, stops")
def test_life(drive):
    async def use(docker):
        config = {"Image": "busybox", "Cmd": STILL}
        first = await docker.containers.create_or_replace("web", config)
        web = await docker.containers.create_or_replace("web", {**config, "Labels": {"now": "2"}})
        assert web.id != first.id
        await web.start()
        for step, status in ((web.pause, "paused"), (web.unpause, "running")):
            await step()
            assert (await web.show())["State"]["Status"] == status
        await web.restart(t=1)
        await web.rename("shop")
        assert (await docker.containers.get("shop")).id == web.id
        assert (await web.top())["Titles"]
        # In its loop it heeds signals; until then the first process of a container ignores them.
        while all(row[-1] != "sleep 0.1" for row in (await web.top())["Processes"]):
            pass
        await web.kill(signal="SIGTERM")
        assert (await web.wait())["StatusCode"] == 0
        await web.delete(force=True)
        assert await docker.containers.list(all=True) == []

    drive(use)


@pytest.mark.client(AIODOCKER, "follows logs while others are followed")
def test_logs(drive):
    async def follow(docker, number):
        loop = f"trap exit TERM; while true; do echo {number}; sleep 0.1; done"
        ticking = await docker.containers.run({"Image": "busybox", "Cmd": ["sh", "-c", loop]})
        seen = []
        async for line in ticking.log(stdout=True, follow=True):
            seen.append(line)
            if len(seen) == 3:
                break
        assert seen == [f"{number}\n"] * 3

    async def use(docker):
        async with asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(follow(docker, number))

    drive(use)


@pytest.mark.client(AIODOCKER, "attaches to standard input and output, and over a websocket")
def test_attach(drive):
    async def use(docker):
        config = {"Image": "busybox", "Cmd": ["cat"], "OpenStdin": True, "AttachStdin": True}
        cat = await docker.containers.create(config)
        async with cat.attach(stdin=True, stdout=True, stderr=True) as stream:
            await cat.start()
            await stream.write_in(b"hello\n")
            message = await stream.read_out()
            assert (message.stream, message.data) == (1, b"hello\n")
        websocket = await cat.websocket(stdin=True, stdout=True, stream=True)
        await websocket.send_bytes(b"again\n")
        assert (await websocket.receive()).data == b"again\n"
        await websocket.close()

    drive(use)


@pytest.mark.client(AIODOCKER, "runs commands in a container, with and without a terminal")
def test_exec(drive):
    async def use(docker):
        web = await docker.containers.run({"Image": "busybox", "Cmd": STILL})
        execution = await web.exec(
            ["sh", "-c", "echo $A; echo err >&2; exit 3"], environment={"A": "1"}
        )
        read = {}
        async with execution.start() as stream:
            while message := await stream.read_out():
                read[message.stream] = message.data
        assert read == {1: b"1\n", 2: b"err\n"}
        assert (await execution.inspect())["ExitCode"] == 3
        terminal = await web.exec(["sh"], stdin=True, tty=True)
        async with terminal.start() as stream:
            await stream.write_in(b"exit 4\n")
            while await stream.read_out():
                pass
        assert (await terminal.inspect())["ExitCode"] == 4
        detached = await web.exec(["true"])
        assert await detached.start(detach=True) == b""

    drive(use)


@pytest.mark.client(AIODOCKER, "reads stats once and as a stream")
def test_stats(drive):
    async def use(docker):
        web = await docker.containers.run({"Image": "busybox", "Cmd": STILL}, name="web")
        [once] = await web.stats(stream=False)
        assert once["name"] == "/web"
        async for row in web.stats():
            assert row["name"] == "/web"
            break

    drive(use)


@pytest.mark.client(AIODOCKER, "subscribes to events")
def test_events(drive):
    async def use(docker):
        filters = json.dumps({"label": ["watched=1"]})
        events = docker.events.subscribe(filters=filters, since=time.time())
        config = {"Image": "busybox", "Cmd": ["true"], "Labels": {"watched": "1"}}
        container = await docker.containers.run(config, name="seen")
        actions = []
        while "die" not in actions:
            event = await events.get()
            assert event["Actor"]["Attributes"]["name"] == "seen"
            actions.append(event["Action"])
        assert actions == ["create", "start", "die"]
        await container.delete()

    drive(use)


@pytest.mark.client(AIODOCKER, "puts archives into a container and gets them out")
def test_archives(drive):
    async def use(docker):
        web = await docker.containers.run({"Image": "busybox", "Cmd": STILL})
        content = bytes(range(256)) * 1024
        await web.put_archive("/tmp", tar_of("data", content))
        with await web.get_archive("/tmp/data") as tar:
            assert tar.extractfile("data").read() == content

    drive(use)


@pytest.mark.client(AIODOCKER, "is told of what is missing or wrong in the engine's own words")
def test_errors(drive):
    async def use(docker):
        with pytest.raises(DockerError, match="No such container: nobody") as missing:
            await docker.containers.get("nobody")
        assert missing.value.status == 404
        with pytest.raises(DockerContainerError, match="executable file not found") as failed:
            await docker.containers.run({"Image": "busybox", "Cmd": ["nowhere"]}, name="web")
        assert failed.value.container_id
        with pytest.raises(DockerError, match='name "/web" is already in use') as taken:
            await docker.containers.create({"Image": "busybox"}, name="web")
        assert taken.value.status == 409

    drive(use)


@pytest.mark.client(AIODOCKER, "pulls an image that a run finds missing; pushes, tags, deletes")
def test_images(drive, registry):
    pulled, pushed = f"{registry.address}/tool:1", f"{registry.address}/aio"

    async def use(docker):
        container = await docker.containers.run({"Image": pulled, "Cmd": ["true"]})
        await container.wait()
        await container.delete()
        assert pulled in (await docker.images.inspect(pulled))["RepoTags"]
        await docker.images.tag(pulled, pushed, tag="2")
        told = await docker.images.push(pushed, tag="2")
        assert any("digest" in line.get("status", "") for line in told)
        assert {"Untagged": f"{pushed}:2"} in await docker.images.delete(f"{pushed}:2")
        async for line in docker.images.pull(f"{pushed}:2", stream=True):
            assert "error" not in line
        assert len(await docker.images.list(filters={"reference": [pushed]})) == 1
        assert await docker.images.history(f"{pushed}:2")

    drive(use)


@pytest.mark.client(AIODOCKER, "exports an image and imports it again")
def test_export(drive):
    async def use(docker):
        await docker.images.tag("busybox", "lab/saved", tag="1")
        async with docker.images.export_image("lab/saved:1") as stream:
            archive = await stream.read()
        await docker.images.delete("lab/saved:1")
        told = await docker.images.import_image(io.BytesIO(archive))
        assert any("Loaded image: lab/saved:1" in line.get("stream", "") for line in told)
        assert (await docker.images.inspect("lab/saved:1"))["Os"] == "linux"

    drive(use)


@pytest.mark.client(AIODOCKER, "builds an image and runs it")
def test_build(drive):
    async def use(docker):
        context = io.BytesIO(tar_of("Dockerfile", b"FROM busybox\nRUN echo hello >/word\n"))
        told = await docker.images.build(fileobj=context, encoding="identity", tag="lab/built:1")
        assert any("Successfully built" in line.get("stream", "") for line in told)
        built = await docker.containers.run({"Image": "lab/built:1", "Cmd": ["cat", "/word"]})
        await built.wait()
        assert await built.log(stdout=True) == ["hello\n"]

    drive(use)


@pytest.mark.client(AIODOCKER, "makes, finds, connects and deletes networks and volumes")
def test_networks_and_volumes(drive):
    async def use(docker):
        network = await docker.networks.create({"Name": "backend", "Labels": {"tier": "back"}})
        found = await docker.networks.list(filters={"label": ["tier=back"]})
        assert [row["Name"] for row in found] == ["backend"]
        host = {"NetworkMode": "backend", "Binds": ["data:/data"]}
        volume = await docker.volumes.create({"Name": "data"})
        config = {"Image": "busybox", "Cmd": STILL, "HostConfig": host}
        web = await docker.containers.run(config, name="web")
        await network.disconnect({"Container": "web"})
        await network.connect({"Container": "web"})
        assert web.id in (await network.show())["Containers"]
        with pytest.raises(DockerError, match="volume is in use"):
            await volume.delete()
        await web.delete(force=True)
        await volume.delete()
        await network.delete()
        assert (await docker.volumes.list())["Volumes"] == []
        assert (await docker.networks.prune())["NetworksDeleted"] is None

    drive(use)
