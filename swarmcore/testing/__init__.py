"""The public test kit: builders, doubles, contracts, an embedded engine, a lab of real engines.

    from swarmcore.testing.builders import a_config, a_node
    from swarmcore.testing.contracts import StrategyContract
    from swarmcore.testing.doubles import FakeCluster, ask
    from swarmcore.testing.embedded import EmbeddedEngine
    from swarmcore.testing.lab import Lab

Each part is imported by its own name: builders cost no event loop, and the lab is for Linux only.
"""
