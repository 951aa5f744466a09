"""Verbs that change a container: ``ps`` and ``inspect`` show the change when they return."""

import pytest


@pytest.fixture
def box(docker):
    return docker("run", "-d", "--name", "box", "busybox", "sleep", "600")


def state(docker, name):
    return docker("ps", "-a", "--filter", f"name=^{name}$", "--format", "{{.State}}")


def test_create_start_stop_remove(docker):
    id = docker("create", "--name", "one", "busybox", "sleep", "600")
    assert state(docker, "one") == "created"
    assert docker("start", "one") == "one"
    assert state(docker, "one") == "running"
    docker("stop", "-t", "0", "one")
    assert state(docker, "one") == "exited"
    docker("rm", id[:12])
    assert docker("ps", "-aq") == ""


def test_starting_a_running_container_is_no_error(docker, box):
    assert docker("start", "box") == "box"


def test_restart(docker, box):
    before = docker("inspect", "-f", "{{.State.StartedAt}}", "box")
    docker("restart", "-t", "0", "box")
    assert docker("inspect", "-f", "{{.State.StartedAt}}", "box") != before
    assert state(docker, "box") == "running"


def test_pause_and_unpause(docker, box):
    docker("pause", "box")
    assert state(docker, "box") == "paused"
    docker("unpause", "box")
    assert state(docker, "box") == "running"


def test_kill_with_a_signal_and_wait(docker):
    docker("run", "-d", "--name", "trap", "busybox", "sh", "-c",
           "trap 'exit 12' USR1; echo ready; while :; do sleep 0.1; done")  # fmt: skip
    logs = docker.start("logs", "-f", "trap")
    assert logs.stdout.readline() == "ready\n"
    waiting = docker.start("wait", "trap")
    docker("kill", "-s", "USR1", "trap")
    assert waiting.communicate(timeout=60)[0].strip() == "12"
    assert state(docker, "trap") == "exited"
    logs.communicate(timeout=60)


def test_killing_a_stopped_container_has_the_engines_error(docker, box):
    docker("kill", "box")
    done = docker.run("kill", "box")
    assert done.returncode == 1
    assert "is not running" in done.stderr


def test_rename_moves_the_name(docker, box):
    docker("rename", "box", "crate")
    assert docker("ps", "--format", "{{.Names}}") == "crate"
    assert docker("inspect", "-f", "{{.Name}}", "crate") == "/crate"
    docker("create", "--name", "box", "busybox")


def test_rename_to_a_name_on_another_engine_is_a_conflict(fleet, docker):
    docker("create", "--name", "one", "-e", "constraint:node==old", "busybox")
    docker("create", "--name", "two", "-e", "constraint:node==new", "busybox")
    done = docker.run("rename", "two", "one")
    assert done.returncode == 1
    assert "already in use" in done.stderr


def test_update_changes_the_limit_and_what_is_reserved(docker, box):
    docker("update", "--cpu-shares", "512", "--restart", "no", "box")
    assert docker("inspect", "-f", "{{.HostConfig.CpuShares}}", "box") == "512"


def test_remove_of_a_running_container_needs_force(docker, box):
    assert docker.run("rm", "box").returncode == 1
    docker("rm", "-f", "box")
    assert docker("ps", "-aq") == ""


def test_run_with_rm_leaves_nothing(docker):
    docker("run", "--rm", "--name", "brief", "busybox", "true")
    assert docker("ps", "-aq") == ""


def test_a_missing_container_has_dockers_text(docker):
    for verb in ("start", "stop", "kill", "pause", "rm", "logs", "top", "restart", "wait"):
        done = docker.run(verb, "ghost")
        assert done.returncode == 1, verb
        assert "No such container: ghost" in done.stderr, verb


def test_changes_since_the_image(docker):
    docker("run", "--name", "writer", "busybox", "touch", "/tmp/new")
    assert "A /tmp/new" in docker("diff", "writer")
