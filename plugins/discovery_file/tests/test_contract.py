"""The kit's contract for discoveries."""

from swarmcore.testing.contracts import DiscoveryContract


class TestContract(DiscoveryContract):
    name = "file"
    bad_uris = ("file://", "file:///nonexistent/cluster")
    supports_watch = True
    supports_failure = True

    def prepare(self, folder):
        (folder / "cluster").write_text("n1:2375 zone=a\nn[2:3]:2375\n")
        return f"file://{folder}/cluster"

    def change(self, folder):
        (folder / "cluster").write_text("n1:2375\n")

    def damage(self, folder):
        (folder / "cluster").unlink()
