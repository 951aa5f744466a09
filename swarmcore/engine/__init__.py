"""One Docker Engine: its connection, its state, its cache, each changed by one owner."""

from swarmcore.engine.engine import Engine
from swarmcore.engine.registry import EngineRegistry

__all__ = [
    "Engine",
    "EngineRegistry",
]
