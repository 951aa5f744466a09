"""The public test kit: builders, doubles, contracts and an embedded engine.

    from swarmcore.testing.builders import a_config, a_node
    from swarmcore.testing.contracts import StrategyContract
    from swarmcore.testing.doubles import FakeCluster, ask
    from swarmcore.testing.embedded import EmbeddedEngine

Import each part from its own module; the builders, for example, do not load an event loop.  Real
engines and stores are in a separate distribution, ``swarmcore_lab``.
"""
