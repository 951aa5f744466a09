"""docker, the SDK for Python."""

import docker
import pytest

SDK = "docker SDK for Python"


@pytest.fixture
def client(target, versions):
    versions[SDK] = docker.__version__
    client = docker.DockerClient(base_url=target.host)
    yield client
    client.close()


@pytest.mark.client(SDK, "runs a container to its end and returns what it printed")
def test_run(client):
    assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\n"
    assert client.containers.list(all=True) == []
