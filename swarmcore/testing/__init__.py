"""The public test kit: builders, doubles, contracts, an embedded engine.

    from swarmcore.testing.builders import a_config, a_node
    from swarmcore.testing.contracts import StrategyContract
    from swarmcore.testing.doubles import FakeCluster, ask
    from swarmcore.testing.embedded import EmbeddedEngine

Each part is imported by its own name: builders cost no event loop.  Real engines and stores are in
``swarmcore_lab``, a distribution of its own.
"""
