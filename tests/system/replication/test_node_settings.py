"""What operators set on nodes survives the primary that they told it."""

import json
import signal
import urllib.request

import pytest

from tests.system.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

TTL_SECONDS = 5


def post(manager, path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{manager.port}{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def settings(manager):
    """Return name of a node -> the reason of its drain, and its added labels."""
    return {
        node["Name"]: (node["Drained"] and node["Drained"]["Reason"], node["AddedLabels"])
        for node in manager.get("/swarmcore/nodes")
    }


def test_drains_and_labels_survive_the_primary(start_managers):
    managers = start_managers(2, TTL_SECONDS)
    first = managers.leader()
    replica = next(each for each in managers.members if each is not first)
    name, other, *_ = settings(first.manager)
    # A replica forwards what operators set.
    assert post(replica.manager, f"/swarmcore/nodes/{name}/drain", {"Reason": "disk"})["Kept"]
    post(first.manager, f"/swarmcore/nodes/{other}/labels", {"zone": "b"})
    mandate = managers.mandates()[-1]
    first.signal(signal.SIGKILL)
    managers.wait_successor(mandate)
    # The new primary answers only when it has read the settings.
    kept = settings(replica.manager)
    assert kept[name] == ("disk", {})
    assert kept[other] == (None, {"zone": "b"})
    post(replica.manager, f"/swarmcore/nodes/{name}/undrain", {})
    mandate = managers.mandates()[-1]
    first.manager.start()
    managers.wait_settled()
    replica.signal(signal.SIGKILL)
    managers.wait_successor(mandate)
    wait_until(lambda: settings(first.manager)[other] == (None, {"zone": "b"}), "the label")
    assert settings(first.manager)[name] == (None, {})
