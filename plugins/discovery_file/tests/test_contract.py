"""The kit's contract for discoveries."""

import pytest

from swarmcore.testing.contracts import DiscoveryContract


class TestContract(DiscoveryContract):
    name = "file"
    bad_uris = ("file://", "file:///nonexistent/cluster")

    @pytest.fixture
    def uri(self, tmp_path):
        path = tmp_path / "cluster"
        path.write_text("n1:2375 zone=a\nn[2:3]:2375\n")
        return f"file://{path}"
