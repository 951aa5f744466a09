"""Which nodes binpack prefers."""

from swarmcore_strategy_binpack import Binpack

from swarmcore.model import GiB
from swarmcore.testing.builders import a_config, a_container, a_node


def best(config, *nodes):
    return max(nodes, key=lambda node: Binpack().weigh(config, node)).name


def test_the_node_with_more_claimed_memory_wins():
    used = a_node("used", containers=[a_container("c", memory=GiB)])
    assert best(a_config(memory=GiB), used, a_node("free")) == "used"


def test_without_claims_the_more_containers_win():
    crowded = a_node("crowded", containers=[a_container("a"), a_container("b")])
    quiet = a_node("quiet", containers=[a_container("c")])
    assert best(a_config(), crowded, quiet) == "crowded"


def test_a_recent_failure_outweighs_everything():
    shaky = a_node("shaky", containers=[a_container("c", memory=7 * GiB)])
    shaky.failures = 1
    assert best(a_config(memory=GiB), shaky, a_node("empty")) == "empty"
