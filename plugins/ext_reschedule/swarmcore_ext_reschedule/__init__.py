"""Moves containers off lost and drained engines, if their policy asks for that.

``policy`` says which containers are moved and when; ``rescheduler`` moves them; ``move_images``
brings their images.
"""

from collections.abc import Awaitable, Callable, Mapping

from swarmcore import hookimpl
from swarmcore.protocols import Cluster
from swarmcore_ext_reschedule.policy import read_settings
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
