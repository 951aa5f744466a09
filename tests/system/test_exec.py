"""``docker exec``: plain, with input, with a terminal, detached; errors as on one engine."""

import pexpect
import pytest


@pytest.fixture
def box(docker):
    return docker("run", "-d", "--name", "box", "busybox", "sleep", "600")


def test_exec_prints_and_returns_the_status(docker, box):
    assert docker("exec", "box", "echo", "hi") == "hi"
    assert docker.run("exec", "box", "sh", "-c", "exit 9").returncode == 9


def test_exec_reads_its_input_to_the_end(docker, box):
    assert docker("exec", "-i", "box", "cat", input="through\n") == "through"


def test_exec_has_environment_and_directory(docker, box):
    assert docker("exec", "-e", "A=1", "-w", "/tmp", "box", "sh", "-c", "echo $A $PWD") == "1 /tmp"


def test_exec_in_a_terminal(docker, box):
    terminal = docker.terminal("exec", "-it", "box", "sh")
    terminal.expect("# ")
    terminal.sendline("until stty size | grep '33 101'; do :; done; tty")  # it follows the start
    terminal.expect("33 101\r\n")
    terminal.expect("/dev/")
    terminal.sendline("exit 5")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5


def test_detached_exec_returns_at_once_and_runs(docker, box):
    docker("exec", "-d", "box", "sh", "-c", "echo done > /tmp/mark")
    docker("exec", "box", "sh", "-c", "until test -s /tmp/mark; do :; done")


def test_exec_in_a_stopped_container_is_the_engines_own_refusal(docker, box):
    docker("kill", "box")
    done = docker.run("exec", "box", "true")
    assert done.returncode == 1
    assert "is not running" in done.stderr


def test_an_unknown_command_is_126_or_127_as_on_the_engine(fleet, docker, box):
    node = docker("inspect", "-f", "{{.Node.Name}}", box)
    direct = fleet.direct(node).run("exec", "box", "/nope").returncode
    assert docker.run("exec", "box", "/nope").returncode == direct
