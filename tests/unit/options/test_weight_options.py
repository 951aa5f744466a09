"""Reading of ``swarm.weight`` and ``swarm.carry`` options."""

import pytest

from swarmcore.errors import ConfigError
from swarmcore.options.weight_options import check_weights, read_carry, read_multipliers


def test_multipliers_are_read():
    given = {"swarm.weight.image": "2", "swarm.weight.failures": "-0.5", "swarm.overcommit": "0.1"}
    assert read_multipliers(given) == {"image": 2.0, "failures": -0.5}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("swarm.weight.image", "much", "swarm.weight.image should be a number such as 1.5"),
        ("swarm.weight.image", "nan", "swarm.weight.image should be a number such as 1.5"),
        ("swarm.weight.image", "1e308", "swarm.weight.image should be from -1000000 to 1000000"),
        ("swarm.weight.failures", "-1000001", "swarm.weight.failures should be from -1000000 to"),
    ],
)
def test_a_malformed_weight_stops_the_start(key, value, error):
    with pytest.raises(ConfigError, match=error):
        read_multipliers({key: value})


def test_an_unknown_weight_stops_the_start():
    check_weights({"image": 1.0, "quiet": 2.0}, ["quiet"])
    words = "no weight is called swarm.weight.imag; known: image, failures, quiet"
    with pytest.raises(ConfigError, match=words):
        check_weights({"imag": 1.0}, ["quiet"])


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "-1", "1000001"])
def test_a_malformed_threshold_is_refused(text):
    with pytest.raises(ConfigError, match=r"swarm\.carry"):
        read_carry({"swarm.carry": text}, classic=False)


def test_the_threshold_is_small_and_in_classic_out_of_reach():
    assert read_carry({}, classic=False) == 1
    assert read_carry({}, classic=True) == 1_000_000
    assert read_carry({"swarm.carry": "0.5"}, classic=True) == 0.5
