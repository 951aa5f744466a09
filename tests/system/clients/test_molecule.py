"""molecule: Ansible roles are tested in containers, by its docker driver.

The scenario is in ``ansible/molecule``.  Ansible needs Python in the container, so the image is
made from this machine's files.
"""

import io
import re
import shutil
import subprocess
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
from swarmcore_lab.engine_api import EngineApi
from swarmcore_lab.releases import cache_dir

MOLECULE = "molecule"
pytestmark = pytest.mark.timeout(900)  # Ansible starts a Python for each task
SCENARIO = Path(__file__).parent / "ansible" / "molecule"
PYTHON = Path("/usr/bin/python3.11")
LIBRARY = Path("/usr/lib/python3.11")
UNUSED = re.compile(r"__pycache__|/(test|idlelib|ensurepip|lib2to3|pydoc_data|config-[^/]*)(/|$)")


@pytest.fixture(scope="session")
def python_context():
    """Return a tar from which an image of busybox and Debian's Python is built."""
    programs = [PYTHON, *LIBRARY.glob("lib-dynload/*.so")]
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        dockerfile = b"FROM busybox\nCOPY files /\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile))
        tar.add(PYTHON, "files/usr/bin/python3")
        tar.add(LIBRARY, f"files{LIBRARY}", filter=_unless_unused)
        for path in sorted(set(re.findall(r"(/\S+) \(0x", told))):
            tar.add(Path(path).resolve(), f"files{path}")
    return output.getvalue()


def _unless_unused(member):
    return None if UNUSED.search(f"/{member.name}") else member


@pytest.fixture
def molecule(target, lab, run_client, versions, python_context, tmp_path):
    """Run molecule with the scenario, and return its output."""
    api = EngineApi(target.name, Path(target.socket.removeprefix("unix://")))
    headers = {"Content-Type": "application/x-tar"}
    api.call("POST", "/build?t=lab/python:1", python_context, headers=headers)
    shutil.copytree(SCENARIO, tmp_path / "molecule")
    folder = cache_dir() / "python" / "ansible"
    sites = [str(path) for path in folder.glob("lib/*/site-packages")]
    (found,) = metadata.distributions(name=MOLECULE, path=sites)
    versions[MOLECULE] = found.version
    cli = lab.cli("28")
    environment = {
        **cli.env,
        "PATH": f"{folder}/bin:{cli.path.parent}:{cli.env['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": f"{tmp_path}/.ansible",
        "ANSIBLE_REMOTE_TEMP": f"{tmp_path}/.ansible/tmp",
        "ANSIBLE_PIPELINING": "true",
    }

    def run(*arguments):
        done = run_client(target, "molecule", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.client(MOLECULE, "creates instances on a network, converges, verifies, destroys")
def test_scenario(molecule, target):
    molecule("test")
