"""Ports for servers in tests."""

import pytest

from swarmcore.testing.ports import free_port, free_ports


def test_a_port_is_given_once():
    ports = [*free_ports(200), *(free_port() for _ in range(200))]
    assert len(set(ports)) == 400


@pytest.mark.parametrize("worker", [0, 1, 2])
def test_workers_that_run_tests_at_once_share_the_ports(monkeypatch, worker):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    assert {(port - 10_000) % 3 for port in free_ports(50)} == {worker}
