"""``swarmcore demo``: its printed commands work in a second shell, and Ctrl-C removes all."""

import os
import re
import shlex
import signal
import subprocess

import pytest

from swarmcore.testing.ports import free_port
from tests.system.manager import SWARMCORE


@pytest.fixture(params=["--real", "--embedded"])
def demo(lab, request):
    """A demo that has printed all its lines, and these lines."""
    command = [SWARMCORE, "demo", request.param, "-H", f"tcp://127.0.0.1:{free_port()}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    yield process, said
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    process.stdout.close()


def test_the_printed_commands_work_and_ctrl_c_ends_it(demo, lab):
    process, said = demo
    assert process.poll() is None, said
    exported = re.search(r"export (DOCKER_HOST)=(\S+)", said)
    printed = re.findall(r"^    (docker .*)$", said, re.MULTILINE)
    assert len(printed) == 3
    cli = lab.cli("20.10")
    shell = {**cli.env, exported[1]: exported[2], "PATH": f"{cli.path.parent}:{os.environ['PATH']}"}
    outputs = [
        subprocess.run(shlex.split(line), env=shell, check=True, capture_output=True, text=True)
        for line in printed
    ]
    assert "web" in outputs[1].stdout
    assert outputs[2].stdout.count("Status: Healthy") == 3
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_the_demo_names_the_kind_of_its_engines(demo):
    _, said = demo
    assert "real Docker Engines" in said or "embedded engines" in said
