"""Gigabytes through the manager arrive unchanged, and are never in its memory."""

import hashlib
import random
import re
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]  # for a busy machine

MB = 1 << 20
#: Cannot be compressed, and no two of a file are the same: each begins with its number.
BLOCK = random.Random(3).randbytes(MB)
#: What the manager's memory may grow by while it carries anything.
HELD = 30_000_000


@pytest.fixture(scope="module")
def pair(engines):
    """The oldest and the newest engine; a third copy would only take more time."""
    return {name: engines[name] for name in ("old", "new")}


@pytest.fixture(scope="module")
def manager(pair, start_manager):
    """A manager of these two, whose memory has not grown in another test."""
    manager = start_manager(",".join(engine.address for engine in pair.values()))
    manager.wait_healthy(len(pair))
    return manager


@pytest.fixture
def docker(make_docker, manager):
    return make_docker("28", manager.host)


@pytest.fixture
def direct(make_docker, pair):
    """The CLI with each engine itself."""
    return {name: make_docker("20.10", f"tcp://{engine.address}") for name, engine in pair.items()}


@pytest.fixture
def image(direct):
    """The name of an image that no engine has before or after."""
    name = "lab/gigabytes:1"
    yield name
    for docker in direct.values():
        docker.run("rmi", "-f", name)
        docker.run("builder", "prune", "-af")


@pytest.fixture
def box(docker):
    """A running container on the newest engine."""
    yield docker("run", "-d", "-e", "constraint:node==new", "busybox", "sleep", "600")
    docker("rm", "-f", docker("ps", "-aq", "--no-trunc"))


def pour(sink, megabytes):
    """Write *size* bytes, and return their digest."""
    digest = hashlib.blake2b()
    for number in range(megabytes):
        block = number.to_bytes(4, "big") + BLOCK[4:]
        digest.update(block)
        sink.write(block)
    return digest.hexdigest()


def digest_of(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def where(docker, kind, name):
    """Return the folder of this machine with the files that a container or image added."""
    found = docker("inspect", "--type", kind, "-f", "{{.GraphDriver.Data.UpperDir}}", name)
    return Path(found)


@contextmanager
def little_memory(manager):
    """Check that the manager's memory grows by at most ``HELD`` during the block."""
    process = Path(f"/proc/{manager.process.pid}")

    def read(row):
        found = re.search(rf"^{row}:\s+(\d+) kB$", (process / "status").read_text(), re.M)
        return int(found[1]) * 1024

    (process / "clear_refs").write_text("5")  # forgets the peak before now
    before = read("VmRSS")
    yield
    assert read("VmHWM") - before < HELD


def import_large(docker, image, megabytes):
    """Import an image with a file ``big`` directly on one engine; return the file's digest."""
    member = tarfile.TarInfo("big")
    member.size = megabytes * MB
    with docker.start("import", "-", image, stdin=subprocess.PIPE, text=False) as client:
        client.stdin.write(member.tobuf())
        digest = pour(client.stdin, megabytes)
        client.stdin.write(bytes(2 * tarfile.BLOCKSIZE))
        told, problem = client.communicate()
    assert client.returncode == 0, problem
    assert told.startswith(b"sha256:")
    return digest


def test_2_gb_are_saved_and_loaded_in_one_pipe(docker, direct, manager, image, wait_until):
    digest = import_large(direct["old"], image, 2000)
    wait_until(lambda: docker("images", "-q", image), "the manager to know the image")
    with little_memory(manager), docker.start("save", image, text=False) as save:
        told = docker("load", stdin=save.stdout, timeout=800)
    assert save.returncode == 0
    assert told.count(f"Loaded image: {image}") == 1
    # An image's id is the digest of its layers' digests, which engines work out as they load.
    assert len({docker("images", "-q", "--no-trunc", image) for docker in direct.values()}) == 1
    assert digest_of(where(direct["new"], "image", image) / "big") == digest


def test_1_gb_is_copied_into_a_container_and_out(docker, direct, manager, box, tmp_path):
    sent, returned = tmp_path / "sent", tmp_path / "returned"
    with sent.open("wb") as file:
        digest = pour(file, 1000)
    with little_memory(manager):
        docker("cp", str(sent), f"{box}:/big")
    sent.unlink()
    assert digest_of(where(direct["new"], "container", box) / "big") == digest
    with little_memory(manager):
        docker("cp", f"{box}:/big", str(returned))
    assert digest_of(returned) == digest


@pytest.mark.parametrize("buildkit", ["0", "1"], ids=["classic", "buildkit"])
def test_a_context_of_500_mb_is_built(make_docker, direct, manager, image, tmp_path, buildkit):
    docker = make_docker("20.10", manager.host, DOCKER_BUILDKIT=buildkit)
    (tmp_path / "Dockerfile").write_text("FROM busybox\nCOPY big /big\n")
    with (tmp_path / "big").open("wb") as file:
        digest = pour(file, 500)
    with little_memory(manager):
        docker("build", "-t", image, "--build-arg", "constraint:node==new", str(tmp_path))
    assert digest_of(where(direct["new"], "image", image) / "big") == digest
