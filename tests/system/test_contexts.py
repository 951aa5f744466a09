"""The manager finds engines in the contexts that the real docker command writes."""

import pytest

pytestmark = pytest.mark.docker


def test_engines_come_and_go_with_contexts(engines, make_docker, start_manager, tmp_path):
    docker = make_docker("28", "", DOCKER_CONFIG=str(tmp_path))
    for engine in engines.values():
        docker("context", "create", engine.name, "--docker", f"host=tcp://{engine.address}")
    manager = start_manager("contexts://", environment={"DOCKER_CONFIG": str(tmp_path)})
    manager.wait_healthy(3)
    asking = make_docker("28", manager.host)
    asking("run", "--rm", "-e", "constraint:context==middle", "busybox", "true")
    docker("context", "rm", "old")
    manager.wait_healthy(2)
