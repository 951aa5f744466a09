"""Which containers are moved, when, and how often a failed move is tried again.  Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from swarmcore.errors import ConfigError
from swarmcore.go_formats import parse_duration
from swarmcore.model import Container, State
from swarmcore.node import Node

#: The label in which creates store ``-e reschedule:on-node-failure``, as in Swarm classic.
_POLICIES = "com.docker.swarm.reschedule-policies"
_ON_NODE_FAILURE = "on-node-failure"

_AFTER = "swarm.reschedule.after"
_PARALLEL = "swarm.reschedule.parallel"
_DEPARTED = "swarm.reschedule.departed"
#: Classic moved at once when it flagged an engine; one more heartbeat spares engines that restart.
_AFTER_SECONDS = 60.0
_PARALLEL_MOVES = 8
_MOST_PARALLEL = 100

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings.

    Attributes:
        after_seconds: how long an engine must have been unhealthy before its containers are moved.
        parallel: how many containers are moved at the same time.
        departed_seconds: how long an engine that has left discovery's list stays in the cluster
            until its containers have moved; 0: it leaves at once, and they stay on it.
    """

    after_seconds: float = _AFTER_SECONDS
    parallel: int = _PARALLEL_MOVES
    departed_seconds: float = 0.0


def read_settings(options: Mapping[str, str]) -> Settings:
    """Read ``--cluster-opt swarm.reschedule.*``.

    Raises:
        ConfigError: a value is malformed.
    """
    return Settings(
        _read_seconds(options, _AFTER, _AFTER_SECONDS),
        _read_parallel(options),
        _read_seconds(options, _DEPARTED, 0.0),
    )


def _read_seconds(options: Mapping[str, str], key: str, default: float) -> float:
    text = options.get(key)
    if text is None:
        return default
    try:
        seconds = float(text) if text.isdecimal() else parse_duration(text)
    except ValueError:
        seconds = -1.0
    if seconds < 0:
        raise ConfigError(f"--cluster-opt {key}={text}: use a duration such as 90s or 2m")
    return seconds


def _read_parallel(options: Mapping[str, str]) -> int:
    text = options.get(_PARALLEL, str(_PARALLEL_MOVES))
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_PARALLEL):
        raise ConfigError(
            f"--cluster-opt {_PARALLEL}={text}: use a whole number from 1 to {_MOST_PARALLEL}"
        )
    return int(text)


def may_be_moved(container: Container) -> bool:
    """Whether the policy of *container* is ``on-node-failure``."""
    try:
        policies = json.loads(container.labels.get(_POLICIES) or "[]")
    except ValueError:
        return False
    return isinstance(policies, list) and _ON_NODE_FAILURE in policies


def is_lost(node: Node) -> bool:
    """Whether the engine of *node* was healthy and does not answer.

    An engine that has left discovery's list is not lost: its operator took it out.  If its
    containers are to be moved (``departed_seconds``), it stays in the cluster as a drained node.
    """
    return node.state is State.UNHEALTHY


def is_to_be_emptied(node: Node) -> bool:
    """Whether an operator drained *node* and asked for its containers to be moved."""
    healthy = node.state is State.HEALTHY
    return healthy and node.drained is not None and node.drained.moves


def seconds_to_stay(node: Node, settings: Settings) -> float:
    """For how long *node* is needed after its engine has left discovery's list, in seconds."""
    is_needed = settings.departed_seconds and any(map(may_be_moved, node.containers.values()))
    return settings.departed_seconds if is_needed else 0.0


def pause_seconds(attempts: int, random: Random) -> float:
    """The pause after the failed attempt number *attempts*, in seconds: doubled, with jitter."""
    doubled = _FIRST_PAUSE_SECONDS * float(2 ** min(attempts - 1, 10))
    longest = min(doubled, _LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.75, 1.0)
