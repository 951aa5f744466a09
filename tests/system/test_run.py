"""``docker run``: output, exit codes, pipes in both directions, a real terminal."""

import hashlib
import itertools
import os

import pexpect
import pytest

MB = 1_000_000


def test_run_prints_and_exits_zero(docker):
    assert docker("run", "--rm", "busybox", "echo", "hello") == "hello"


def test_detached_run_prints_the_id_and_is_listed(docker):
    id = docker("run", "-d", "--name", "web", "busybox", "sleep", "600")
    assert len(id) == 64
    assert docker("ps", "-q", "--no-trunc") == id
    assert docker("ps", "--format", "{{.Names}}") == "web"


@pytest.mark.parametrize(
    ("command", "status"),
    [(["sh", "-c", "exit 7"], 7), (["/nope"], 127), (["/etc"], 126), (["true"], 0)],
    ids=["own status", "not found", "not executable", "success"],
)
def test_exit_status_is_the_containers(docker, command, status):
    assert docker.run("run", "--rm", "busybox", *command).returncode == status


def test_standard_error_is_apart_from_output(docker):
    done = docker.run("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_a_pipe_through_cat_ends_when_its_input_ends(docker):
    assert docker("run", "--rm", "-i", "busybox", "cat", input="foo\n") == "foo"


def test_100_mb_through_cat_come_back_byte_for_byte(docker, tmp_path):
    sent = tmp_path / "sent"
    block = os.urandom(MB)
    with sent.open("wb") as file:
        for _ in range(100):
            file.write(block)
    back = tmp_path / "back"
    with sent.open("rb") as source, back.open("wb") as target:
        done = docker.run(
            "run", "--rm", "-i", "busybox", "cat",
            stdin=source, stdout=target, capture_output=False, text=False,
        )  # fmt: skip
    assert done.returncode == 0
    assert back.stat().st_size == 100 * MB
    assert digest(back) == digest(sent)


def test_unread_input_does_not_hang_the_client(docker):
    done = docker.run("run", "--rm", "-i", "busybox", "true", input="x" * MB)
    assert done.returncode == 0


def test_a_terminal_has_its_size_and_its_keys(docker):
    terminal = docker.terminal("run", "-it", "--rm", "busybox", "sh")
    terminal.expect("# ")
    terminal.sendline("until stty size | grep '33 101'; do :; done")  # it follows the start
    terminal.expect("33 101\r\n")
    terminal.expect("# ")
    terminal.sendline("until stty size | grep '40 120'; do :; done; exit 3")
    # The client begins to listen for a change after the first size has arrived: change it again
    # until it is heard.
    for width in itertools.cycle([121, 120]):
        terminal.setwinsize(40, width)
        if terminal.expect(["40 120\r\n", pexpect.TIMEOUT], timeout=1) == 0:
            break
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 3


def test_an_interrupt_reaches_the_process(docker):
    script = "trap 'exit 9' INT; echo up; while :; do sleep 0.1; done"
    terminal = docker.terminal("run", "-it", "--rm", "busybox", "sh", "-c", script)
    terminal.expect("up")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 9


def test_a_name_in_use_is_a_conflict(docker):
    docker("create", "--name", "web", "busybox")
    done = docker.run("run", "--name", "web", "busybox", "true")
    assert done.returncode == 125
    assert 'Conflict. The container name "/web" is already in use by container' in done.stderr


def test_containers_spread_over_the_engines(fleet, docker):
    for _ in fleet.engines:
        docker("run", "-d", "busybox", "sleep", "600")
    nodes = docker("inspect", "-f", "{{.Node.Name}}", *docker("ps", "-q").split()).split()
    assert sorted(nodes) == sorted(fleet.engines)


def test_a_constraint_chooses_the_node(fleet, docker):
    for name in fleet.engines:
        id = docker("run", "-d", "-e", f"constraint:node=={name}", "busybox", "sleep", "600")
        assert docker("inspect", "-f", "{{.Node.Name}}", id) == name


def test_an_unmet_constraint_is_named_with_every_node(docker):
    done = docker.run("run", "--rm", "-e", "constraint:zone==moon", "busybox", "true")
    assert done.returncode == 125
    assert "0 of 3 nodes" in done.stderr
    assert "constraint zone==moon" in done.stderr


def test_a_malformed_expression_is_refused_by_name(docker):
    done = docker.run("run", "--rm", "-e", "constraint:zone=moon", "busybox", "true")
    assert done.returncode == 125
    assert "zone=moon" in done.stderr


def test_published_ports_take_one_node_each_then_are_refused(fleet, docker):
    for _ in fleet.engines:
        docker("run", "-d", "-p", "8080:80", "busybox", "sleep", "600")
    done = docker.run("run", "-d", "-p", "8080:80", "busybox", "sleep", "600")
    assert done.returncode == 125
    assert "0 of 3 nodes" in done.stderr
    assert "8080" in done.stderr
    docker("run", "-d", "-p", "8080:80/udp", "busybox", "sleep", "600")


def test_a_published_port_shows_the_engines_address(fleet, docker):
    id = docker("run", "-d", "-p", "8081:80", "busybox", "sleep", "600")
    node = docker("inspect", "-f", "{{.Node.Name}}", id)
    assert f"{fleet.engines[node].ip}:8081" in docker("port", id, "80")


def test_affinity_follows_a_container(docker):
    docker("run", "-d", "--name", "db", "busybox", "sleep", "600")
    web = docker("run", "-d", "-e", "affinity:container==db", "busybox", "sleep", "600")
    where = docker("inspect", "-f", "{{.Node.Name}}", "db", web).split()
    assert where[0] == where[1]


def test_more_memory_than_any_node_has_is_refused_with_numbers(docker):
    done = docker.run("run", "--rm", "-m", "4000g", "busybox", "true")
    assert done.returncode == 125
    assert "3 memory" in done.stderr


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
