import pytest

from swarmcore.addresses import LARGEST, expand
from swarmcore.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("10.0.0.[1:3]:2375", ["10.0.0.1:2375", "10.0.0.2:2375", "10.0.0.3:2375"]),
        ("10.0.[1:2].1:2375", ["10.0.1.1:2375", "10.0.2.1:2375"]),
        ("192.168.1.2:[2:4]375", ["192.168.1.2:2375", "192.168.1.2:3375", "192.168.1.2:4375"]),
        ("n[01:02]:1", ["n1:1", "n2:1"]),
        ("ssh://ops@n[1:2]", ["ssh://ops@n1", "ssh://ops@n2"]),
        ("n[7:7]:1", ["n7:1"]),
        ("n[3:1]:1", []),
        ("[fe80::1]:[2375:2376]", ["[fe80::1]:2375", "[fe80::1]:2376"]),
        ("a%d[1:2]", ["a%d1", "a%d2"]),
    ],
)
def test_a_range_stands_for_every_number_in_it(text, expanded):
    assert expand(text) == expanded


@pytest.mark.parametrize(
    "text",
    ["[::1]:2375", "[2001:db8::1]:2375", "n1:2375", "n[a:b]:1", "n[1:2].[1:2]:1", "n[-1:2]:1", ""],
)
def test_other_texts_than_ranges_stay(text):
    assert expand(text) == [text]


@pytest.mark.parametrize("text", [f"n[1:{LARGEST + 1}]:1", "n[1:99999999999999999999]:1"])
def test_a_range_that_is_too_large_is_refused(text):
    with pytest.raises(ConfigError, match="may stand for 65536 addresses at most"):
        expand(text)


def test_the_largest_range_is_expanded():
    assert len(expand(f"n[1:{LARGEST}]:1")) == LARGEST
