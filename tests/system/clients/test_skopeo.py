"""skopeo: images are copied between a Docker API, registries and archives.

Debian's skopeo uses API 1.22, which engines newer than 20.10 refuse; so the targets are one engine
of release 20.10, and a manager of three such engines.
"""

import json
import subprocess
from pathlib import Path

import pytest
from swarmcore_lab.engine_api import EngineApi

from tests.system.clients.targets import Target, Tidy

SKOPEO = "skopeo"


@pytest.fixture(scope="module")
def fleet_of_old(lab, engines, start_manager, wait_until):
    """Three engines of 20.10, and a manager of them."""
    more = lab.start_engines([{"name": name, "release": "20.10"} for name in ("old2", "old3")])
    lab.image(more)
    olds = [engines["old"], *more]
    manager = start_manager(",".join(engine.address for engine in olds))
    manager.wait_healthy(3)
    yield olds, manager
    manager.stop()
    for engine in more:
        engine.stop()


@pytest.fixture(params=["direct", "cluster"])
def target(request, fleet_of_old, wait_until):
    """One of these engines, then the manager; cleaned up before and after."""
    olds, manager = fleet_of_old
    socket = Path(manager.socket.removeprefix("unix://"))
    tidy = Tidy([engine.api for engine in olds], EngineApi("manager", socket), wait_until)
    tidy()
    if request.param == "cluster":
        yield Target("cluster", manager.host, manager.socket)
    else:
        yield Target("direct", f"tcp://{olds[0].address}", f"unix://{olds[0].socket}")
    tidy()


@pytest.fixture
def skopeo(target, run_client, versions):
    """Run skopeo to its end and return its output."""
    told = subprocess.run(["skopeo", "--version"], capture_output=True, text=True, check=True)
    versions[SKOPEO] = told.stdout.split()[-1]

    def run(*arguments):
        done = run_client(target, "skopeo", "--insecure-policy", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.client(SKOPEO, "inspects an image; copies it to an archive, and back by another name")
def test_archives(skopeo, target, tmp_path, sdk):
    host = target.host.replace("tcp", "http")
    at = ("--daemon-host", host)
    told = json.loads(skopeo("inspect", *at, "docker-daemon:busybox:latest"))
    assert told["Name"] == "docker.io/library/busybox"
    archive = f"docker-archive:{tmp_path}/saved.tar"
    skopeo("copy", "--src-daemon-host", host, "docker-daemon:busybox:latest", archive)
    skopeo("copy", "--dest-daemon-host", target.socket, archive, "docker-daemon:lab/copied:1")
    assert sdk.images.get("lab/copied:1").id == sdk.images.get("busybox").id
    assert sdk.containers.run("lab/copied:1", ["echo", "hello"], remove=True) == b"hello\n"


@pytest.mark.client(SKOPEO, "copies an image from a registry and to one")
def test_registry(skopeo, target, registry, sdk):
    host = target.host.replace("tcp", "http")
    pulled, pushed = f"{registry.address}/tool:1", f"{registry.address}/skopeo:2"
    to = ("--src-tls-verify=false", "--dest-daemon-host", host)
    skopeo("copy", *to, f"docker://{pulled}", "docker-daemon:lab/copied:1")
    source = ("--dest-tls-verify=false", "--src-daemon-host", host)
    skopeo("copy", *source, "docker-daemon:lab/copied:1", f"docker://{pushed}")
    told = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{pushed}"))
    assert told["Name"] == f"{registry.address}/skopeo"
    sdk.images.pull(pushed)
    assert sdk.images.get(pushed).id == sdk.images.get("lab/copied:1").id
