"""Fixtures of several component tests."""

import socket

import pytest


@pytest.fixture
def closed_port():
    """A port on which nothing listens, and that no other program can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
