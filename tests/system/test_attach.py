"""``docker attach``: leaving by keys, coming back, input, exit status."""

import pexpect


def test_detach_keys_leave_the_container_running_and_attach_returns(docker):
    terminal = docker.terminal("run", "-it", "--name", "shell", "busybox", "sh")
    terminal.expect("# ")
    terminal.send("\x10\x11")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert docker("inspect", "-f", "{{.State.Running}}", "shell") == "true"

    terminal = docker.terminal("attach", "shell")
    terminal.sendline("echo back $((40 + 2))")
    terminal.expect("back 42")
    terminal.sendline("exit 4")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4


def test_own_detach_keys(docker):
    docker("run", "-dit", "--name", "shell", "busybox", "sh")
    terminal = docker.terminal("attach", "--detach-keys", "ctrl-a,d", "shell")
    terminal.sendline("echo here $((40 + 2))")
    terminal.expect("here 42")
    terminal.send("\x01d")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert docker("inspect", "-f", "{{.State.Running}}", "shell") == "true"


def test_attach_without_a_terminal_carries_input_until_it_ends(docker):
    docker("run", "-di", "--name", "copy", "busybox", "cat")
    assert docker("attach", "copy", input="one\ntwo\n").split() == ["one", "two"]


def test_attach_to_a_missing_container_says_so(docker):
    done = docker.run("attach", "ghost")
    assert done.returncode != 0
    assert "No such container: ghost" in done.stderr
