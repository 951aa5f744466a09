"""Which nodes spread prefers."""

from swarmcore_strategy_spread import Spread

from swarmcore.model import GiB
from swarmcore.testing.builders import a_config, a_container, a_node


def best(config, *nodes):
    return max(nodes, key=lambda node: Spread().weigh(config, node)).name


def test_the_node_with_less_claimed_memory_wins():
    used = a_node("used", containers=[a_container("c", memory=GiB)])
    assert best(a_config(memory=GiB), used, a_node("free")) == "free"


def test_the_share_counts_and_not_the_amount():
    large = a_node("large", memory=32 * GiB, containers=[a_container("c", memory=2 * GiB)])
    small = a_node("small", memory=4 * GiB, containers=[a_container("d", memory=GiB)])
    assert best(a_config(memory=GiB), small, large) == "large"


def test_without_claims_the_fewer_containers_win():
    crowded = a_node("crowded", containers=[a_container("a"), a_container("b")])
    quiet = a_node("quiet", containers=[a_container("c")])
    assert best(a_config(), crowded, quiet) == "quiet"


def test_a_recent_failure_outweighs_everything():
    shaky = a_node("shaky")
    shaky.failures = 1
    full = a_node("full", containers=[a_container("c", memory=7 * GiB)])
    assert best(a_config(memory=GiB), shaky, full) == "full"
