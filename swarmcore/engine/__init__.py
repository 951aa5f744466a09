"""One Docker Engine: its connection, its health and its cached state."""

from swarmcore.engine.engine import Engine
from swarmcore.engine.registry import EngineRegistry

__all__ = [
    "Engine",
    "EngineRegistry",
]
