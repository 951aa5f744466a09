"""How platforms are spelled, which machine runs which platform, and the texts of refusals."""

import pytest
from swarmcore_filter_platform import PlatformFilter
from swarmcore_filter_platform.platforms import parse_platform, runs

from swarmcore.container_config import ContainerConfig
from swarmcore.testing.builders import a_config, a_node


def a_machine(text, **labels):
    """Return a node whose engine reports ``linux/x86_64``."""
    node = a_node("n1", labels=labels)
    system, _, architecture = text.partition("/")
    node.info = {**node.info, "OSType": system, "Architecture": architecture}
    return node


def refusal(platform, node):
    (rule,) = PlatformFilter().rules(a_config(platform=platform))
    return rule.check(node)


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/X86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/i386", "linux/386"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/armv7l", "linux/arm/v7"),
        ("windows(10.0.17763)/amd64", "windows/amd64"),
        ("linux", "linux"),
        ("arm64", "arm64"),
        ("x86_64", "amd64"),
    ],
)
def test_a_platform_has_one_spelling(text, platform):
    assert str(parse_platform(text)) == platform


@pytest.mark.parametrize("text", ["", "bogus", "a/b/c/d", "/", "linux/", "linux//v7", "(1)/amd64"])
def test_an_invalid_platform_is_ignored(text):
    assert parse_platform(text) is None


@pytest.mark.parametrize(
    ("machine", "wanted"),
    [
        ("linux/x86_64", ["linux/amd64", "linux/amd64/v3", "linux/386", "linux", "amd64"]),
        ("linux/aarch64", ["linux/arm64", "linux/arm64/v9", "linux/arm/v7", "linux/arm/v5"]),
        ("linux/armv7l", ["linux/arm", "linux/arm/v6", "linux/arm/v7"]),
        ("windows/x86_64", ["windows/amd64", "windows(10.0.20348)/amd64", "amd64"]),
        ("linux/riscv64", ["linux/riscv64"]),
    ],
)
def test_a_machine_runs_its_own_and_older_platforms(machine, wanted):
    for text in wanted:
        assert runs(parse_platform(machine), parse_platform(text)), text


@pytest.mark.parametrize(
    ("machine", "unwanted"),
    [
        ("linux/x86_64", ["linux/arm64", "windows/amd64", "windows", "arm64", "linux/s390x"]),
        ("linux/aarch64", ["linux/amd64", "linux/386"]),
        ("linux/armv7l", ["linux/arm64", "linux/arm/v8"]),
        ("linux/armv6l", ["linux/arm/v7", "linux/arm"]),
        ("linux/i686", ["linux/amd64"]),
        ("windows/x86_64", ["linux/amd64"]),
    ],
)
def test_a_machine_does_not_run_other_platforms(machine, unwanted):
    for text in unwanted:
        assert not runs(parse_platform(machine), parse_platform(text)), text


# ---- the rule


def test_a_node_of_another_platform_is_refused_with_what_it_runs():
    assert refusal("linux/aarch64", a_machine("linux/x86_64")) == "runs linux/amd64"
    assert refusal("linux/aarch64", a_machine("linux/aarch64")) is None


def test_a_label_lists_emulated_platforms():
    label = {"swarm.platforms": "linux/arm64, nonsense"}
    assert refusal("linux/arm64", a_machine("linux/x86_64", **label)) is None
    assert refusal("linux/s390x", a_machine("linux/x86_64", **label)) == (
        "runs linux/amd64, linux/arm64"
    )


def test_a_node_without_a_known_platform_is_accepted():
    assert refusal("linux/arm64", a_node()) is None


@pytest.mark.parametrize("platform", ["", "bogus", "linux/amd64,linux/arm64"])
def test_without_a_platform_that_can_be_read_there_is_no_rule(platform):
    assert list(PlatformFilter().rules(a_config(platform=platform))) == []


def test_the_platform_of_a_build_is_a_soft_rule():
    (rule,) = PlatformFilter().rules(ContainerConfig.parse({}, platform="linux/arm64"))
    assert rule.soft
    (rule,) = PlatformFilter().rules(a_config(platform="linux/arm64"))
    assert not rule.soft


def test_a_platform_of_no_known_node_is_ignored():
    machines = [a_machine("linux/x86_64"), a_machine("linux/aarch64")]
    for platform, rules in (("linux/arm64", 1), ("linux/s390x", 0)):
        config = a_config(platform=platform).informed_by(machines, all_known=True)
        assert len(list(PlatformFilter().rules(config))) == rules
