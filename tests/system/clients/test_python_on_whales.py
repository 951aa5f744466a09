"""python-on-whales: the ``docker`` command from Python, with its output as objects."""

import threading
from datetime import UTC, datetime
from importlib import metadata

import pytest
from pydantic import ValidationError
from python_on_whales import DockerClient, DockerException
from python_on_whales.exceptions import NoSuchContainer, NoSuchImage, NoSuchVolume

WHALES = "python-on-whales"
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


@pytest.fixture
def docker(target, lab, versions, monkeypatch):
    """A client of the target, with the newest command."""
    versions[WHALES] = metadata.version(WHALES)
    cli = lab.cli("28")
    for name, value in cli.env.items():
        monkeypatch.setenv(name, value)
    return DockerClient(host=target.host, client_call=[str(cli.path)])


@pytest.mark.client(WHALES, "runs containers: returns or streams what they write, raises")
def test_run(docker):
    assert docker.run("busybox", ["echo", "hello"], remove=True) == "hello"
    lines = docker.run("busybox", ["sh", "-c", "echo out; echo err >&2"], stream=True, remove=True)
    assert sorted(lines) == [("stderr", b"err\n"), ("stdout", b"out\n")]
    with pytest.raises(DockerException) as failed:
        docker.run("busybox", ["sh", "-c", "exit 3"], remove=True)
    assert failed.value.return_code == 3
    with pytest.raises(NoSuchContainer):
        docker.container.inspect("nobody")


@pytest.mark.client(WHALES, "starts, pauses, restarts, renames, updates, stops, waits, removes")
def test_life(docker):
    with docker.run("busybox", STILL, name="web", labels={"tier": "front"}, detach=True) as box:
        box.pause()
        assert box.state.paused
        box.unpause()
        box.restart(time=5)
        box.rename("shop")
        docker.container.update(box, memory="32m", memory_swap="64m")
        box.reload()
        assert (box.name, box.host_config.memory) == ("shop", 32 << 20)
        assert docker.ps(filters=[("label", "tier=front")]) == [box]
        box.stop(time=5)
        assert docker.wait(box) == 0
        box.start()
        box.kill(signal="SIGTERM")
    assert not docker.container.exists("shop")


@pytest.mark.client(WHALES, "executes commands, copies in and out, reads stats, changes, logs")
def test_inside(docker, tmp_path):
    box = docker.run("busybox", STILL, detach=True)
    assert box.execute(["sh", "-c", "echo $A $PWD"], envs={"A": "1"}, workdir="/tmp") == "1 /tmp"
    (tmp_path / "data").write_text("what it says")
    docker.copy(tmp_path / "data", (box, "/tmp"))
    docker.copy((box, "/tmp/data"), tmp_path / "back")
    assert (tmp_path / "back").read_text() == "what it says"
    assert docker.stats(box)[0].container_id == box.id
    assert docker.diff(box)["/tmp/data"] == "A"
    box.remove(force=True)
    box = docker.run("busybox", ["sh", "-c", "echo up; sleep 1; echo down"], detach=True)
    lines = docker.logs(box, follow=True, stream=True)
    assert list(lines) == [("stdout", b"up\n"), ("stdout", b"down\n")]


@pytest.mark.client(WHALES, "reads events of a span of time, with filters")
def test_events(docker):
    box = docker.run("busybox", ["sh", "-c", "exit 4"], labels={"watched": "1"}, detach=True)
    docker.wait(box)
    filters = {"label": "watched=1", "event": "die"}
    until = datetime.now(UTC)
    (event,) = docker.system.events(since=box.created, until=until, filters=filters)
    assert (event.actor.id, event.actor.attributes["exitCode"]) == (box.id, "4")


@pytest.mark.client(WHALES, "pulls, tags, pushes, saves, loads, imports, inspects, removes images")
def test_images(docker, registry, tmp_path):
    pulled, pushed = f"{registry.address}/tool:1", f"{registry.address}/whales:2"
    image = docker.pull(pulled, quiet=True)
    image.tag(pushed)
    docker.push(pushed, quiet=True)
    docker.save(pushed, output=tmp_path / "saved.tar")
    docker.image.remove([pulled, pushed])
    with pytest.raises(NoSuchImage):
        docker.image.inspect(pushed)
    assert docker.load(tmp_path / "saved.tar") == [pushed]
    assert docker.image.list(pushed) == [docker.image.inspect(pushed)]
    box = docker.create(pushed, ["true"])
    box.export(tmp_path / "files.tar")
    imported = docker.import_(tmp_path / "files.tar", "lab/imported:1")
    assert docker.run(imported, ["echo", "hello"], remove=True) == "hello"
    committed = box.commit("lab/committed:1")
    assert committed.repo_tags == ["lab/committed:1"]


@pytest.mark.client(WHALES, "builds with BuildKit and with the classic builder")
def test_build(docker, tmp_path):
    (tmp_path / "Dockerfile").write_text(
        'FROM busybox\nARG WORD\nRUN echo $WORD >/word\nCMD ["cat", "/word"]\n'
    )
    for word, build in {"new": docker.build, "old": docker.legacy_build}.items():
        image = build(tmp_path, build_args={"WORD": word}, tags=f"lab/built:{word}")
        assert docker.run(image, remove=True) == word
        assert docker.run(f"lab/built:{word}", remove=True) == word


#: Keeps volumes on one node: once they have content, no node has two that came about by themselves.
TOGETHER = {"com.docker.swarm.constraints": '["node==old"]'}


@pytest.mark.client(WHALES, "copies files into volumes, and volumes into volumes of one node")
@pytest.mark.client(WHALES, "copies files into an image and out of it")
def test_volumes(docker, tmp_path):
    (tmp_path / "data").write_text("what it says")
    volume = docker.volume.create("data", labels={"tier": "back", **TOGETHER})
    docker.volume.copy(tmp_path / "data", (volume, "made"))
    clone = volume.clone("clone", labels=TOGETHER)
    mounts = [(volume, "/data"), (clone, "/clone")]
    told = docker.run("busybox", ["cat", "/data/made", "/clone/made"], volumes=mounts, remove=True)
    assert told == "what it says" * 2
    assert docker.volume.list(filters=[("label", "tier=back")]) == [volume]
    docker.volume.remove([volume, clone])
    with pytest.raises(NoSuchVolume):
        docker.volume.inspect("data")
    image = docker.image.copy_to("busybox", tmp_path / "data", "/data", new_tag="lab/copied:1")
    docker.image.copy_from(image, "/data", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "what it says"


@pytest.mark.client(WHALES, "makes volumes and a network amid other work, used in one container")
def test_volumes_that_meet(docker):
    volumes = []
    for name in ("one", "two", "three"):
        volumes.append(docker.volume.create(name))
        docker.run("busybox", STILL, detach=True)
    with docker.network.create("backend") as network:
        mounts = [(volume, f"/{volume.name}") for volume in volumes]
        box = docker.run("busybox", STILL, volumes=mounts, networks=[network], detach=True)
        assert network.reload() is None
        assert list(network.containers) == [box.id]
        box.remove(force=True)


@pytest.mark.client(WHALES, "makes networks as contexts, connects containers, prunes")
def test_networks(docker):
    with docker.network.create("backend", labels={"tier": "back"}) as network:
        docker.run("busybox", STILL, name="db", networks=[network], detach=True)
        told = docker.run("busybox", ["ping", "-c", "1", "db"], networks=[network], remove=True)
        assert "1 packets received" in told
        docker.network.disconnect(network, "db")
        docker.network.connect(network, "db", alias="store")
        docker.container.remove("db", force=True)
        assert docker.network.list(filters=[("label", "tier=back")]) == [network]
    docker.network.create("unused", labels={"tier": "back"})
    docker.network.prune(filters=[("label", "tier=back")])
    assert not docker.network.exists("unused")


@pytest.mark.client(WHALES, "brings a compose project up and down, and runs in it")
def test_compose(docker, tmp_path):
    file = tmp_path / "compose.yaml"
    still = str(STILL).replace("'", '"')
    file.write_text(f"services: {{web: {{image: busybox, command: {still}}}}}\n")
    project = DockerClient(
        host=docker.client_config.host,
        client_call=docker.client_config.client_call,
        compose_files=[file],
        compose_project_name="shop",
    )
    project.compose.up(detach=True)
    (web,) = project.compose.ps()
    assert project.compose.execute("web", ["echo", "hello"], tty=False) == "hello"
    assert web.state.running
    project.compose.down(timeout=5)
    assert project.compose.ps(all=True) == []


@pytest.mark.client(WHALES, "is used by many threads at once")
def test_threads(docker):
    told = {}

    def run(number):
        told[number] = docker.run("busybox", ["echo", str(number)], remove=True)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {number: str(number) for number in range(6)}
    assert docker.ps(all=True) == []


@pytest.mark.client(WHALES, "tells info")
def test_info(docker, target, differs):
    if target.is_cluster:
        with pytest.raises(ValidationError, match="SystemStatus"):
            docker.info()
        differs("it expects texts in SystemStatus, which are pairs in Docker's API")
    else:
        assert docker.info().os_type == "linux"


@pytest.mark.client(WHALES, "tells versions and what disk is used; prunes")
def test_system(docker):
    assert docker.version().server.os == "linux"
    docker.run("busybox", ["true"])
    docker.container.prune()
    assert docker.ps(all=True) == []
    assert docker.system.disk_free().images.total_count >= 1
