"""Which failures of a pull count against the node, and for how long."""

import pytest

from swarmcore.cluster.placement.pull_failures import (
    forget_failed_pulls,
    note_failed_pull,
    note_pulled,
    scope_of_failure,
)
from swarmcore.errors import EngineError, EngineRefused, EngineUnreachable
from swarmcore.scheduler import Scheduler
from swarmcore.scheduler.ranking import count_failed_pulls
from swarmcore.testing.builders import a_config, a_node
from tests.unit.strategies import Saying

IMAGE = "hub.example:5000/team/app:1"
REGISTRY, MACHINE, NOBODY = "hub.example:5000", "", None


def refused(status, text):
    return EngineRefused("n1", status, text)


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (refused(404, f"manifest for {IMAGE} not found: manifest unknown"), NOBODY),
        (refused(404, "pull access denied for team/app, repository does not exist"), NOBODY),
        (refused(400, "invalid reference format: repository name must be lowercase"), NOBODY),
        (refused(500, 'Get "http://hub.example:5000/v2/": no basic auth credentials'), NOBODY),
        (refused(500, "Get https://hub.example:5000/v2/: unauthorized: wrong password"), NOBODY),
        (refused(500, "Head https://x/v2/: denied: requested access to the resource is denied"),
         NOBODY),
        (refused(500, 'Get "http://hub.example:5000/v2/": dial tcp: connection refused'), REGISTRY),
        (refused(500, "dial tcp: lookup hub.example on 10.0.0.1:53: no such host"), REGISTRY),
        (refused(500, "net/http: TLS handshake timeout"), REGISTRY),
        (refused(500, "x509: certificate signed by unknown authority"), REGISTRY),
        (refused(500, "http: server gave HTTP response to HTTPS client"), REGISTRY),
        (refused(429, "toomanyrequests: You have reached your pull rate limit"), REGISTRY),
        (EngineUnreachable("n1", "engine n1 closed the connection", sent=True), REGISTRY),
        (EngineError("n1", "unexpected EOF"), REGISTRY),
        (EngineError("n1", "failed to register layer: write /x: no space left on device"), MACHINE),
        (EngineError("n1", "mkdir /var/lib/docker/tmp: read-only file system"), MACHINE),
        (refused(404, "no matching manifest for linux/arm64/v8 in the manifest list entries"),
         IMAGE),
    ],
)  # fmt: skip
def test_a_failure_belongs_to_the_client_or_to_the_node(error, scope):
    assert scope_of_failure(IMAGE, error) == scope


UNREACHABLE = refused(500, "dial tcp: connection refused")
FULL = EngineError("n1", "no space left on device")


@pytest.mark.parametrize(
    ("error", "image", "count"),
    [
        (UNREACHABLE, IMAGE, 1),
        (UNREACHABLE, "hub.example:5000/other", 1),
        (UNREACHABLE, "busybox", 0),
        (FULL, "busybox", 1),
        (refused(404, f"manifest for {IMAGE} not found"), IMAGE, 0),
    ],
)
def test_a_failure_counts_for_pulls_that_would_meet_it_again(error, image, count):
    node = a_node("n1", images=[])
    note_failed_pull(node, IMAGE, error, 0.0)
    assert count_failed_pulls(node, image) == count


def test_a_failure_does_not_count_on_a_node_with_the_image():
    node = a_node("n1", images=[IMAGE])
    note_failed_pull(node, IMAGE, FULL, 0.0)
    assert count_failed_pulls(node, IMAGE) == 0
    assert count_failed_pulls(node, "busybox") == 1


@pytest.mark.parametrize("error", [UNREACHABLE, FULL])
def test_a_successful_pull_clears_failures(error):
    node = a_node("n1", images=[])
    note_failed_pull(node, IMAGE, error, 0.0)
    note_pulled(node, "hub.example:5000/other")
    assert count_failed_pulls(node, IMAGE) == 0


def test_failures_are_forgotten_ten_minutes_after_the_last_one():
    node = a_node("n1", images=[])
    for now in (0.0, 300.0):
        note_failed_pull(node, IMAGE, UNREACHABLE, now)
    forget_failed_pulls([node], 899.0)
    assert count_failed_pulls(node, IMAGE) == 2
    forget_failed_pulls([node], 900.0)
    assert node.failed_pulls == {}


def test_clients_cannot_fill_the_memory_with_names():
    node = a_node("n1", images=[])
    for number in range(200):
        error = EngineError("n1", "x" * 10_000)
        note_failed_pull(node, f"hub{number}.example/{'y' * 10_000}", error, float(number))
    assert len(node.failed_pulls) == 64
    assert len(repr(node.failed_pulls)) < 100_000
    assert count_failed_pulls(node, "hub199.example/app") == 1


def test_failed_pulls_count_before_the_strategy():
    best, worst = a_node("best", images=[]), a_node("worst", images=[])
    scheduler = Scheduler(Saying({"best": (2.0,), "worst": (1.0,)}), [])
    config = a_config(IMAGE)

    def chosen():
        return scheduler.decide(config, [best, worst]).node.name

    assert chosen() == "best"
    note_failed_pull(best, IMAGE, UNREACHABLE, 0.0)
    assert chosen() == "worst"
    note_failed_pull(worst, IMAGE, UNREACHABLE, 0.0)
    assert chosen() == "best"
    assert scheduler.decide(a_config("busybox"), [best, worst]).node is best
