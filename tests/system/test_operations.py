"""Explaining, draining and labelling with real engines and the real CLIs."""

import json
import subprocess

import pytest

from tests.system.manager import SWARMCORE

pytestmark = pytest.mark.docker


@pytest.fixture
def swarmcore(fleet, docker):
    """Run ``swarmcore`` like the user of *docker*; every node is restored afterwards."""

    def run(*words, status=0):
        done = subprocess.run(
            [SWARMCORE, *words],
            env={**docker.environment, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    yield run
    for node in fleet.manager.get("/swarmcore/nodes"):
        run("undrain", node["Name"])
        if node["AddedLabels"]:
            run("label", node["Name"], *(f"{key}-" for key in node["AddedLabels"]))


def test_explain_predicts_the_node_of_a_run_and_creates_nothing(fleet, docker, swarmcore):
    docker("run", "-d", "--name", "first", "busybox", "sleep", "600")
    words = ["run", "-it", "--pull", "always", "--cpus", ".25", "-m", "64m", "--name", "web",
             "--publish", "8099:80", "-e", "constraint:node!=old", "busybox", "cat"]  # fmt: skip
    explained = json.loads(swarmcore("explain", "--json", "--", docker.binary, *words))
    assert explained["Placed"]
    assert explained["Claim"] == {
        "NanoCPUs": 250_000_000,
        "Memory": 64 << 20,
        "Ports": ["8099/tcp"],
        "GPUs": 0,
        "GPUIDs": [],
    }
    assert len(explained["Nodes"]) == 3
    assert docker("ps", "-a", "--format", "{{.Names}}") == "first"
    words = [word for word in words if word not in ("--pull", "always", "-it")]
    docker(words[0], "-d", *words[1:])
    where = docker("inspect", "web", "--format", "{{.Node.Name}}", text=True)
    assert where == explained["Node"]


def test_a_refusal_is_the_text_of_docker_run(fleet, docker, swarmcore):
    words = ["run", "-m", "900g", "-e", "constraint:node!=old", "busybox", "true"]
    page = swarmcore("explain", docker.binary, *words, status=2)
    assert max(map(len, page.splitlines())) <= 80
    refused = docker.run(*words)
    assert refused.returncode == 125
    error = refused.stderr.partition("Error response from daemon: ")[2].splitlines()[0]
    said = " ".join(page.split())
    assert error.removesuffix(".") in said
    assert error.removesuffix(".") in " ".join(swarmcore("decisions", "-n", "1").split())


def test_a_drained_node_says_why_everywhere_and_takes_nothing(fleet, docker, swarmcore):
    swarmcore("drain", "old", "middle", "--reason", "kernel upgrade", "--author", "anna")
    for number in range(3):
        docker("run", "-d", "--name", f"web-{number}", "busybox", "sleep", "600")
        assert docker("inspect", f"web-{number}", "--format", "{{.Node.Name}}") == "new"
    rows = fleet.manager.get("/info")["SystemStatus"]
    assert [value for key, value in rows if "Drained" in key] == ["kernel upgrade, by anna"] * 2
    swarmcore("drain", "new", "--reason", "kernel upgrade", "--author", "anna")
    refused = docker.run("run", "busybox", "true")
    assert "3 drained (kernel upgrade, by anna)" in refused.stderr
    assert len(docker("ps", "-q").split()) == 3


def test_a_drain_waits_for_running_containers(fleet, docker, swarmcore):
    place = ["-e", "constraint:node==middle", "--init", "busybox"]
    docker("run", "-d", "--name", "job", *place, "sleep", "600")
    command = [SWARMCORE, "drain", "middle", "--wait"]
    with subprocess.Popen(
        command, env=docker.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout.readline() == "middle is drained\n"
        assert waiting.stdout.readline() == "middle: waiting: 1 container\n"
        docker("stop", "job")
        assert waiting.stdout.read() == "middle: no container is running\n"
        assert waiting.wait(30) == 0


def test_a_drain_and_a_command_that_waits_for_it_survive_a_restart(
    fleet, start_manager, make_docker, tmp_path
):
    manager = start_manager(
        "--node-settings", str(tmp_path / "nodes.json"), fleet.engines["new"].address
    )
    manager.wait_healthy(1)
    docker = make_docker("28", manager.host)
    docker("run", "-d", "--name", "job", "--init", "busybox", "sleep", "600")
    command = [SWARMCORE, "drain", "new", "--author", "anna", "--wait"]
    with subprocess.Popen(
        command, env=docker.environment, stdout=subprocess.PIPE, text=True
    ) as waiting:
        said = iter(waiting.stdout.readline, "")
        assert [next(said), next(said)] == ["new is drained\n", "new: waiting: 1 container\n"]
        manager.stop()
        assert "no answer from a manager" in next(said)
        manager.start()
        assert "new: waiting: 1 container\n" in said
        assert "1 drained (by anna)" in docker.run("run", "busybox", "true").stderr
        docker("rm", "-f", "job")
        assert list(said) == ["new: no container is running\n"]
        assert waiting.wait(30) == 0
    manager.stop()


def test_an_added_label_can_be_used_in_constraints(fleet, docker, swarmcore):
    asked = ["run", "-d", "-e", "constraint:rack==r7", "busybox", "true"]
    assert "no node fits" in docker.run(*asked).stderr
    swarmcore("label", "new", "rack=r7")
    assert docker("inspect", docker(*asked), "--format", "{{.Node.Name}}") == "new"
