"""How long a create waits, and its priority, from its labels."""

import pytest

from swarmcore.container_config.scheduling_labels import QueueOptions, read_queue_options
from swarmcore.errors import BadRequest

QUEUE, PRIORITY = "com.docker.swarm.queue", "com.docker.swarm.priority"


@pytest.mark.parametrize(
    ("labels", "wish"),
    [
        ({}, QueueOptions(60.0, 0)),
        ({QUEUE: "0"}, QueueOptions(0.0, 0)),
        ({QUEUE: "2.5"}, QueueOptions(2.5, 0)),
        ({PRIORITY: "10"}, QueueOptions(60.0, 10)),
        ({QUEUE: "30", PRIORITY: "-1"}, QueueOptions(30.0, -1)),
    ],
    ids=str,
)
def test_labels_override_the_default(labels, wish):
    assert read_queue_options(labels, 60.0) == wish


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "inf", "1m"])
def test_a_malformed_wait_is_refused_with_an_example(text):
    with pytest.raises(BadRequest, match=r"swarm\.queue: .* number of seconds such as 30"):
        read_queue_options({QUEUE: text}, 0.0)


@pytest.mark.parametrize("text", ["", "high", "1.5"])
def test_a_malformed_priority_is_refused(text):
    with pytest.raises(BadRequest, match=r"swarm\.priority: .* whole number"):
        read_queue_options({PRIORITY: text}, 0.0)
