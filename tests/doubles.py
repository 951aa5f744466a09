"""What stands for a neighbour of the cluster that a test has no use for."""


class NoUpstream:
    """The data path, unused here."""

    name = ""

    def abandon(self):
        pass

    async def close_stale(self):
        pass

    async def aclose(self):
        pass


class Deaf:
    """A cluster's listener that does nothing."""

    def engine_joined(self, node):
        pass

    def engine_lost(self, node, reason):
        pass

    def container_placed(self, config, node):
        pass
