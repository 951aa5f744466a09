"""Moves containers off lost and drained engines, if their policy asks for that.

``policy`` says which containers are moved and when; ``rescheduler`` moves them; ``move_images``
brings their images.
"""

from collections.abc import Awaitable, Callable, Mapping

from swarmcore import hookimpl
from swarmcore.node import Node
from swarmcore.protocols import Cluster
from swarmcore_ext_reschedule.policy import read_settings, seconds_to_stay
from swarmcore_ext_reschedule.rescheduler import Rescheduler


@hookimpl
def swarmcore_background(
    cluster: Cluster, options: Mapping[str, str]
) -> list[Callable[[], Awaitable[None]]]:
    """Return the rescheduler's task.

    Raises:
        ConfigError: an option of this plugin is malformed.
    """
    return [Rescheduler(cluster, read_settings(options)).run]


@hookimpl
def swarmcore_engine_departed(node: Node, options: Mapping[str, str]) -> float:
    """Keep an engine that has left discovery's list until its containers have moved."""
    return seconds_to_stay(node, read_settings(options))
