"""GPUs and CDI devices of real engines, which announce them although they have none.

An engine creates a container with a GPU that it lacks, but does not start it.  A CDI file describes
what a CDI device adds to a container, so such a container runs.
"""

import json
import subprocess
from pathlib import Path

import pytest
from swarmcore_lab import EngineSpec, LabError
from swarmcore_lab.engine_api import EngineApi

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.resources import claim_of
from swarmcore.model import ALL_GPUS
from tests.system.manager import SWARMCORE
from tests.system.waiting import wait_until

pytestmark = pytest.mark.docker

CDI = {
    "cdiVersion": "0.6.0",
    "kind": "nvidia.com/gpu",
    "devices": [
        {"name": name, "containerEdits": {"env": [f"GIVEN={name}"]}} for name in ("0", "1", "all")
    ],
}


BOTH = pytest.mark.parametrize("release", ["20.10", "28"])
NEW = pytest.mark.parametrize("release", ["28"])


#: What NVIDIA's own hook would do with the container that is about to start, written down.
HOOK = """#!/bin/sh
bundle=$(sed -n 's/.*"bundle":"\\([^"]*\\)".*/\\1/p')
sed -n 's/.*"NVIDIA_VISIBLE_DEVICES=\\([^"]*\\)".*/\\1/p' "$bundle/config.json" >>FILE
"""


@pytest.fixture(scope="module")
def given_by_hook(tmp_path_factory):
    """The file in which the runtime hook of every engine records the devices of containers."""
    folder = tmp_path_factory.mktemp("hook")
    file, hook = folder / "given", folder / "nvidia-container-runtime-hook"
    hook.write_text(HOOK.replace("FILE", str(file)))
    hook.chmod(0o755)
    return file


@pytest.fixture(scope="module")
def announcing(lab, tmp_path_factory, given_by_hook):
    """Three engines: ``named`` has two GPUs by id, ``found`` two by CDI, ``bare`` none."""
    folder = tmp_path_factory.mktemp("cdi")
    (folder / "gpus.json").write_text(json.dumps(CDI))
    named = ("GPU-aa", "GPU-bb")
    hook = given_by_hook.parent
    generic = tuple(f"--node-generic-resource=NVIDIA-GPU={id}" for id in named)
    specs = [
        EngineSpec("named", "20.10", args=generic, programs=hook),
        EngineSpec("found", "28.5", args=(f"--cdi-spec-dir={folder}",), programs=hook),
        EngineSpec("bare", "26.1", programs=hook),
    ]
    engines = lab.start_engines(specs)
    lab.image(engines)
    yield {engine.name: engine for engine in engines}
    for engine in engines:
        engine.power_off()


@pytest.fixture(scope="module")
def gpu_manager(announcing, start_manager):
    manager = start_manager(",".join(engine.address for engine in announcing.values()))
    manager.wait_healthy(len(announcing))
    yield manager
    manager.stop()


@pytest.fixture
def docker(gpu_manager, make_docker, release):
    """The CLI of one release, without containers before and after."""
    docker = make_docker(release, gpu_manager.host)
    yield docker
    docker.remove_all()


def create(docker, name, *words):
    """Create a container that is never started; return its node and its device requests."""
    docker("create", "--name", name, *words, "busybox")
    (seen,) = json.loads(docker("inspect", name))
    return seen["Node"]["Name"], seen["HostConfig"]["DeviceRequests"]


def refusal(docker, *words):
    refused = docker.run("create", *words, "busybox")
    assert refused.returncode == 1
    return refused.stderr


@BOTH
def test_each_gpu_is_given_to_one_container_by_its_name(docker):
    given = set()
    for number in range(4):
        node, (request,) = create(docker, f"job-{number}", "--gpus", "1")
        assert (request["Count"], request["Capabilities"]) == (0, [["gpu"]])
        given |= {(node, id) for id in request["DeviceIDs"]}
    assert given == {
        ("named", "GPU-aa"), ("named", "GPU-bb"), ("found", "0"), ("found", "1"),
    }  # fmt: skip
    assert "3 gpu (needs 1, " in refusal(docker, "--gpus", "1")
    docker("rm", "job-2")
    create(docker, "after", "--gpus", "1")


@BOTH
def test_gpus_requested_as_all_and_gpus_requested_by_name(docker):
    node, (request,) = create(docker, "one", "--gpus", "device=GPU-bb")
    assert (node, request["DeviceIDs"]) == ("named", ["GPU-bb"])
    taken = refusal(docker, "--gpus", "device=GPU-bb")
    assert "3 gpu (GPU-bb taken by one on named)" in taken
    node, (request,) = create(docker, "every", "--gpus", "all,capabilities=utility")
    assert (node, sorted(request["DeviceIDs"])) == ("found", ["0", "1"])
    assert sorted(request["Capabilities"][0]) == ["gpu", "utility"]
    on_one = ("-e", "constraint:node==named")
    assert "1 gpu (needs 2, 1 free of 2 on named)" in refusal(docker, "--gpus", "2", *on_one)
    bare = ("-e", "constraint:node==bare")
    assert "1 gpu (needs 1, there is none on bare)" in refusal(docker, "--gpus", "1", *bare)


@NEW
def test_gpus_of_existing_containers_are_counted_by_a_later_manager(
    announcing, docker, gpu_manager, make_docker
):
    create(docker, "ours", "--gpus", "1", "-e", "constraint:node==named")
    outside = make_docker("28", f"tcp://{announcing['found'].address}")
    outside("create", "--name", "outside", "--gpus", "all", "busybox")

    def holders():
        nodes = gpu_manager.get("/swarmcore/nodes")
        return {node["Name"]: _held(node) for node in nodes if node["GPUs"]}

    held = {"named": ["GPU-aa ours"], "found": ["0 outside", "1 outside"]}
    wait_until(lambda: holders() == held, "the GPUs to be held")
    gpu_manager.stop()
    gpu_manager.start()
    gpu_manager.wait_healthy(len(announcing))
    assert holders() == held
    assert create(docker, "next", "--gpus", "1")[1][0]["DeviceIDs"] == ["GPU-bb"]


def _held(node):
    return [f"{each['GPU']} {each['Holder']}" for each in node["GPUs"]["Held"]]


@NEW
def test_an_operator_names_the_gpus_of_a_node_and_lets_them_be_shared(docker):
    def label(*words):
        subprocess.run(
            [SWARMCORE, "label", "bare", *words],
            env=docker.environment, check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    label("swarm.gpus=GPU-cc", "swarm.gpus.shared=1")
    try:
        for name in ("first", "second"):
            node, (request,) = create(docker, name, "--gpus", "device=GPU-cc")
            assert (node, request["DeviceIDs"]) == ("bare", ["GPU-cc"])
    finally:
        label("swarm.gpus-", "swarm.gpus.shared-")


@NEW
def test_a_cdi_device_runs_where_it_is_and_is_a_gpu_that_is_taken(docker):
    words = ("--device", "nvidia.com/gpu=0", "busybox", "sh", "-c", "echo $GIVEN; sleep 600")
    docker("run", "-d", "--init", "--name", "cdi", *words)
    assert docker("inspect", "cdi", "--format", "{{.Node.Name}}") == "found"
    wait_until(lambda: docker("logs", "cdi") == "0", "the device's variable")
    on_found = ("-e", "constraint:node==found")
    assert "0 taken by cdi" in refusal(docker, "--device", "nvidia.com/gpu=0", *on_found)
    (request,) = create(docker, "next", "--gpus", "1", *on_found)[1]
    assert request["DeviceIDs"] == ["1"]
    nowhere = refusal(docker, "--device", "acme.com/net=a", *on_found)
    assert "1 device acme.com/net=a not there on found" in nowhere


ALL = "all"
#: Requests, and what an engine gives for them: GPUs by name, ``all``, or nothing.
GIVEN = [
    ({"Count": 2, "Capabilities": [["gpu"]]}, "0,1"),
    ({"Count": 1, "Capabilities": [["compute"]]}, "0"),
    ({"Count": 1, "Capabilities": [["nvidia", "video"]]}, "0"),
    ({"Count": -1, "Capabilities": [[]]}, ALL),
    ({"count": 1, "CAPABILITIES": [["gpu"]]}, "0"),
    ({"Count": 1, "Capabilities": [["tpu"], ["utility"]]}, "0"),
    ({"Count": 1, "Driver": "nvidia", "Capabilities": [[]]}, "0"),
    ({"DeviceIDs": ["GPU-aa,GPU-bb"], "Capabilities": [["gpu"]]}, "GPU-aa,GPU-bb"),
    ({"DeviceIDs": ["all"], "Capabilities": [["display"]]}, ALL),
    ({"DeviceIDs": ["none"], "Capabilities": [["gpu"]]}, "none"),
    ({"Count": 0, "Capabilities": [["gpu"]]}, "void"),
    ({"Count": 1, "Capabilities": [None]}, None),
    ({"Count": 1, "Capabilities": [["compute", "tpu"]]}, None),
    ({"Count": 1, "Capabilities": []}, None),
]


@pytest.mark.parametrize(("request_", "gives"), GIVEN, ids=str)
def test_the_gpus_that_an_engine_gives_are_counted(announcing, given_by_hook, request_, gives):
    """The engine's own runtime hook is compared with our claim for the same body."""
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"DeviceRequests": [request_]}}
    claim = ContainerConfig.parse(body).claim
    for engine in announcing.values():
        given_by_hook.write_text("")
        id = engine.api.call("POST", "/containers/create", body)["Id"]
        try:
            if gives is None:
                with pytest.raises(LabError, match="could not select device driver"):
                    engine.api.call("POST", f"/containers/{id}/start")
            else:
                engine.api.call("POST", f"/containers/{id}/start")
                # Release 20.10 says nothing to its hook where newer ones say "void".
                assert (given_by_hook.read_text().strip() or "void") == gives
            seen = claim_of(engine.api.call("GET", f"/containers/{id}/json"), 2)
        finally:
            engine.api.call("DELETE", f"/containers/{id}?force=1")
        assert (seen.gpus, seen.gpu_ids) == (claim.gpus, claim.gpu_ids)
    if gives in (None, "none", "void"):
        assert (claim.gpus, claim.gpu_ids) == (0, ())
    elif gives == ALL:
        assert claim.gpus == ALL_GPUS
    else:
        assert claim.gpus + len(claim.gpu_ids) == len(gives.split(","))


@NEW
def test_a_gpu_by_any_capability_is_given_once(docker, gpu_manager):
    api = EngineApi("manager", Path(gpu_manager.socket.removeprefix("unix://")))
    given = set()
    for wanted in ([["compute"]], [[]]):
        request = {"Count": 1, "Capabilities": wanted}
        body = {
            "Image": "busybox",
            "Env": ["constraint:node==named"],
            "HostConfig": {"DeviceRequests": [request]},
        }
        id = api.call("POST", "/containers/create", body)["Id"]
        (seen,) = api.call("GET", f"/containers/{id}/json")["HostConfig"]["DeviceRequests"]
        given |= set(seen["DeviceIDs"])
    assert given == {"GPU-aa", "GPU-bb"}
    taken = refusal(docker, "--gpus", "1", "-e", "constraint:node==named")
    assert "1 gpu (needs 1, 0 free of 2 on named)" in taken
