"""Which ports clash, and the texts of refusals."""

import pytest
from swarmcore_filter_port import PortFilter

from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation


def refusal(config, node):
    rule, _ = PortFilter().rules(config)
    return rule.check(node)


def objection(config, node):
    _, wish = PortFilter().rules(config)
    assert wish.soft
    return wish.check(node)


@pytest.mark.parametrize(
    ("held", "asked", "clash"),
    [
        ("8080:80", "8080:80", True),
        ("8080:80", "8081:80", False),
        ("8080:80/udp", "8080:80/tcp", False),
        ("10.0.0.1:8080:80", "10.0.0.2:8080:80", False),
        ("10.0.0.1:8080:80", "8080:80", True),
        ("8080:80", "8080-8081:80", False),
        ("80", "8080:80", False),
    ],
)
def test_clashes(held, asked, clash):
    node = a_node(containers=[a_container("web", ports=[held])])
    assert (refusal(a_config(ports=[asked]), node) is not None) is clash


def test_a_range_without_a_free_port_is_refused():
    node = a_node(containers=[a_container("a", ports=["80:1"]), a_container("b", ports=["81:1"])])
    assert refusal(a_config(ports=["80-81:80"]), node) is not None


def test_the_reason_names_the_holder():
    node = a_node(containers=[a_container("web", ports=["8080:80"])])
    assert refusal(a_config(ports=["8080:80"]), node) == "taken by web"


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        ("running", True),
        ("paused", True),
        ("restarting", True),
        ("created", True),
        ("exited", False),
        ("dead", False),
        ("removing", False),
    ],
)
def test_a_stopped_container_only_claims_its_port(state, holds):
    node = a_node(containers=[a_container("web", ports=["8080:80"], state=state)])
    config = a_config(ports=["8080:80"])
    assert refusal(config, node) == ("taken by web" if holds else None)
    assert objection(config, node) == "claimed by web"
    assert objection(a_config(ports=["8081:80"]), node) is None


def test_a_reservation_holds_its_port():
    node = a_node()
    node.reserve(a_reservation("web", ports=["8080:80"]))
    assert refusal(a_config(ports=["8080:80"]), node) == "taken by web"


def test_a_container_without_ports_has_no_rule():
    assert list(PortFilter().rules(a_config())) == []


def test_of_very_many_ports_the_first_are_named():
    config = a_config(ports=[str(port) for port in range(8000, 9001)])
    rule, wish = PortFilter().rules(config)
    assert rule.text.startswith("ports 8000/tcp, 8001/tcp, ")
    assert rule.text.endswith("8007/tcp and 993 more")
    assert wish.text == f"no claim on {rule.text}"
