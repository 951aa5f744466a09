"""Ansible's community.docker: its modules, its inventory and its connection.

The playbooks are in ``ansible``.
"""

import json
import re
from pathlib import Path

import pytest
from swarmcore_lab.releases import cache_dir

ANSIBLE = "Ansible's community.docker"
pytestmark = pytest.mark.timeout(900)  # Ansible starts a Python for each task
PLAYBOOKS = Path(__file__).with_name("ansible")
#: Reads no environment.
INVENTORY = """
plugin: community.docker.docker_containers
docker_host: {host}
keyed_groups: [{{prefix: tier, key: docker_config.Labels.tier}}]
"""


@pytest.fixture
def ansible(target, lab, registry, run_client, versions, tmp_path):
    """Run ansible-playbook, or another of its programs, and return its output."""
    folder = cache_dir() / "python" / "ansible"
    collections = "lib/*/site-packages/ansible_collections"
    (manifest,) = folder.glob(f"{collections}/community/docker/MANIFEST.json")
    versions[ANSIBLE] = json.loads(manifest.read_text())["collection_info"]["version"]
    cli = lab.cli("28")
    environment = {
        **cli.env,
        "PATH": f"{folder}/bin:{cli.path.parent}:{cli.env['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": f"{tmp_path}/.ansible",
        "ANSIBLE_REMOTE_TEMP": f"{tmp_path}/.ansible/tmp",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    (tmp_path / "Dockerfile").write_text("FROM busybox\nARG WORD\nRUN echo $WORD >/word\n")

    def run(program, *arguments):
        variables = ("-e", f"context={tmp_path}", "-e", f"registry={registry.address}")
        done = run_client(target, program, *variables, *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def changed(told):
    """Return how many tasks changed something, from the recap."""
    return int(re.search(r"changed=(\d+)", told).group(1))


@pytest.mark.client(ANSIBLE, "deploys an application with image, network and volumes")
@pytest.mark.client(ANSIBLE, "deployed again, changes only what is new")
@pytest.mark.client(ANSIBLE, "tells of host, containers, images, networks; executes; copies in")
@pytest.mark.client(ANSIBLE, "lists containers as an inventory, and works in them over the API")
@pytest.mark.client(ANSIBLE, "removes all of it, and prunes")
def test_application(ansible, target, tmp_path):
    site = str(PLAYBOOKS / "site.yml")
    assert changed(ansible("ansible-playbook", site)) == 5
    assert changed(ansible("ansible-playbook", site, "-e", "colour=red")) == 1
    ansible("ansible-playbook", str(PLAYBOOKS / "operate.yml"))
    inventory = tmp_path / "shop.docker.yml"
    inventory.write_text(INVENTORY.format(host=target.host))
    told = ansible("ansible", "-i", inventory, "tier_front", "-m", "raw", "-a", "echo $COLOUR")
    assert told.split() == ["web", "|", "CHANGED", "|", "rc=0", ">>", "red"]
    ansible("ansible-playbook", str(PLAYBOOKS / "remove.yml"))


@pytest.mark.client(ANSIBLE, "pulls, tags, pushes, exports, removes and loads images")
def test_images(ansible):
    ansible("ansible-playbook", str(PLAYBOOKS / "images.yml"))


@pytest.mark.client(ANSIBLE, "brings up a compose project, leaves it alone, takes it down")
def test_compose(ansible):
    ansible("ansible-playbook", str(PLAYBOOKS / "compose.yml"))
