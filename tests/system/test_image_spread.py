"""Containers of an image that was built on one node are spread like all others."""

import json
import subprocess
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.manager import SWARMCORE
from tests.system.tars import tar_of

pytestmark = pytest.mark.docker


@pytest.fixture
def image(fleet):
    """An image that only ``middle`` has, built there through the manager, and removed later."""
    name = f"lab/spread:{uuid.uuid4().hex[:12]}"
    dockerfile = f"FROM busybox\nLABEL made={name}\n".encode()
    ask(
        fleet, f"/build?t={name}&buildargs=%7B%22constraint%3Anode%22%3A%22%3Dmiddle%22%7D",
        tar_of("Dockerfile", dockerfile), "application/x-tar",
    )  # fmt: skip
    assert holders(fleet, name) == ["middle"]
    yield name
    fleet.docker().remove_all()
    for engine in fleet.engines:
        fleet.direct(engine).run("rmi", "-f", name)


def ask(fleet, path, body, kind="application/json"):
    url = f"http://127.0.0.1:{fleet.manager.port}{path}"
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=100) as answer:
        return answer.read()


def create(fleet, image):
    """Create a container; return the name of its node."""
    body = json.dumps({"Image": image, "Cmd": ["sleep", "600"]}).encode()
    id = json.loads(ask(fleet, "/containers/create", body))["Id"]
    return fleet.manager.get(f"/containers/{id}/json")["Node"]["Name"]


def holders(fleet, image):
    return [name for name in fleet.engines if fleet.direct(name)("images", "-q", image)]


def explain(fleet, docker, image):
    done = subprocess.run(
        [SWARMCORE, "explain", "--", docker.binary, "run", image],
        env={**docker.environment, "COLUMNS": "120"}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def transfers(fleet, image):
    """Return what the log tells of transfers, without the ids of the requests."""
    told = (line.partition(" (request ")[0] for line in fleet.manager.log.read_text().splitlines())
    return [line.partition("carrying image ")[2] for line in told if f"g image {image} " in line]


def test_a_built_image_is_copied_to_a_node_that_is_better_by_more_than_one(fleet, image):
    docker = fleet.docker()
    assert [create(fleet, image) for _ in range(2)] == ["middle", "middle"]
    said = "image       carried from middle: new leads middle, which has it, by 2\n"
    assert said in explain(fleet, docker, image)
    assert [create(fleet, image) for _ in range(10)]
    where = Counter(
        fleet.manager.get(f"/containers/{each['Id']}/json")["Node"]["Name"]
        for each in fleet.manager.get("/containers/json?all=1")
    )
    assert where == {"old": 4, "middle": 4, "new": 4}
    assert sorted(transfers(fleet, image)) == [
        f"{image} from middle to new", f"{image} from middle to old",
    ]  # fmt: skip
    decisions = fleet.manager.get("/swarmcore/decisions?limit=12")[::-1]
    assert decisions[1]["AboutImage"] == "not carried: middle has it, and new leads by 1 only"
    assert decisions[2]["AboutImage"].startswith("carried from middle: new leads middle")


def test_concurrent_creates_share_one_copy_to_a_node(fleet, image):
    with ThreadPoolExecutor(12) as pool:
        where = Counter(pool.map(lambda _: create(fleet, image), range(12)))
    # While a transfer is under way, a node without the image may stay behind by the threshold.
    assert sorted(where.values()) in ([4, 4, 4], [3, 4, 5])
    targets = [told.rpartition(" ")[2] for told in transfers(fleet, image)]
    assert sorted(targets) == ["new", "old"]


def test_a_copied_image_has_the_same_id_and_name(fleet, image):
    for _ in range(12):
        create(fleet, image)
    told = {fleet.direct(name)("image", "inspect", "-f", "{{.Config.Labels}}", image)
            for name in fleet.engines}  # fmt: skip
    assert told == {f"map[made:{image}]"}
    assert len(fleet.docker()("images", "-q", image).split()) == 1
