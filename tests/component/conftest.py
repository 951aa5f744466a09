"""What several component tests use."""

import socket

import pytest


@pytest.fixture
def closed_port():
    """A port that nobody listens on, and that nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
