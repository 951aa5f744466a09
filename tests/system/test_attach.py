"""``docker attach``: detach keys, attaching again, input, exit status."""

import pexpect
import pytest

from tests.system.docker import detach


@pytest.fixture(params=["20.10", "28"])
def local(fleet, request):
    """The CLI with the manager's unix socket.

    With plain TCP, the CLI takes its own detach keys for a broken connection, also with an engine:
    Go wraps the error of its terminal reader.
    """
    return fleet.docker(request.param, fleet.manager.socket)


def test_detach_keys_leave_the_container_running_and_attach_returns(local):
    script = "echo up; read word; echo back $word; exit 4"
    terminal = local.terminal("run", "-it", "--name", "box", "busybox", "sh", "-c", script)
    terminal.expect("up")
    detach(terminal, "\x10", "\x11")
    assert local("inspect", "-f", "{{.State.Running}}", "box") == "true"

    terminal = local.terminal("attach", "box")
    terminal.sendline("again")
    terminal.expect("back again")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4


def test_other_detach_keys(local):
    local("run", "-dit", "--name", "box", "busybox", "cat")
    terminal = local.terminal("attach", "--detach-keys", "ctrl-a,d", "box")
    terminal.sendline("here")
    terminal.expect("here")
    detach(terminal, "\x01", "d")
    assert local("inspect", "-f", "{{.State.Running}}", "box") == "true"


def test_input_ends_with_the_client_that_started_the_container(docker):
    docker("create", "-i", "--name", "copy", "busybox", "cat")
    assert docker("start", "-ai", "copy", input="one\ntwo\n").split() == ["one", "two"]


def test_output_without_input_ends_with_the_container(docker):
    script = "while :; do echo tick; sleep 0.1; done & read word; kill $!; echo $word"
    docker("run", "-di", "--name", "box", "busybox", "sh", "-c", script)
    attached = docker.start("attach", "--no-stdin", "box")
    assert attached.stdout.readline() == "tick\n"
    docker("attach", "box", input="word\n")
    assert attached.communicate(timeout=60)[0].splitlines()[-1] == "word"


def test_attach_to_a_missing_container_says_so(docker):
    done = docker.run("attach", "ghost")
    assert done.returncode != 0
    assert "No such container: ghost" in done.stderr
