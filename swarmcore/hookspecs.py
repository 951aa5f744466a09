"""Every hook: the whole surface by which plugins extend swarmcore.

A hook is a function with one of the names below, marked ``@swarmcore.hookimpl``, in a module that a
package registers as an entry point in the group ``swarmcore.plugins``.  Hooks are synchronous and
quick; work that waits is a method of the object that a hook returns.  An implementation names the
arguments it wants and leaves out the others; every hook of a manager can be given its options.

Kinds, by the first word of the entry point's name; ``NAME`` is what a user types:

====================  =============================================  ==========================
``discovery_NAME``    ``NAME://...``                                 ``swarmcore_discovery``
``strategy_NAME``     ``--strategy NAME``                            ``swarmcore_strategy``
``filter_NAME``       ``--filter NAME``                              ``swarmcore_filter``
``weigher_NAME``      ``--cluster-opt swarm.weight.NAME=N``          ``swarmcore_weigher``
``api_NAME``          installed is loaded, less ``--without``        ``swarmcore_routes``
``command_NAME``      by the command line only, never by a manager    ``swarmcore_commands``
``ext_NAME``          installed is loaded, less ``--without``        any
====================  =============================================  ==========================

A discovery, strategy, filter or weigher is loaded when it is named, so being loaded is being
selected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from swarmcore.command_line import Command
    from swarmcore.protocols import (
        Cluster,
        ContainerConfig,
        Denied,
        Discovery,
        DiscoveryOptions,
        DiscoveryURI,
        Election,
        Filter,
        Node,
        Request,
        Route,
        Strategy,
        Weigher,
    )

hookspec = pluggy.HookspecMarker("swarmcore")


# ---- providing drivers


@hookspec(firstresult=True)
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery behind a URI.  Called once for each URI that the user gives.

    Stops at the first answer.

    Args:
        uri: what the user wrote, split at ``://``.
        options: heartbeat, time to live, ``--discovery-opt``.

    Returns:
        The discovery, or ``None`` when the scheme is not this plugin's.

    Raises:
        ConfigError: the URI cannot work; one line says why and what to do.
    """


@hookspec(firstresult=True)
def swarmcore_strategy(options: Mapping[str, str]) -> Strategy | None:
    """Return the placement strategy.  Called once, before the first engine connects.

    Args:
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_filter(options: Mapping[str, str]) -> Filter:
    """Return a filter.  Called once; the chain is in the order that the user gave.

    Args:
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_weigher(options: Mapping[str, str]) -> Weigher:
    """Return a weigher, whose values are added to the strategy's weights.  Called once.

    ``--cluster-opt swarm.weight.NAME=N``, with the weigher's name, replaces its multiplier; 0 turns
    it off.

    Args:
        options: ``--cluster-opt`` keys and values.
    """


@hookspec(firstresult=True)
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """EXPERIMENTAL.  Return the leader election that goes with a discovery URI.

    Called once, with ``--replication``.  Stops at the first answer.

    Args:
        uri: the discovery's.
        options: the discovery's; ``ttl_seconds`` is ``--replication-ttl``.
    """


# ---- HTTP API


@hookspec
def swarmcore_routes(options: Mapping[str, str]) -> Iterable[Route]:
    """Return routes of the HTTP API.  Called once, before the first listener opens.

    Two plugins that claim one method and template are an error that names both.

    Args:
        options: ``--cluster-opt`` keys and values.
    """


@hookspec(firstresult=True)
def swarmcore_authorize(request: Request, options: Mapping[str, str]) -> Denied | None:
    """Say no to a request.  Called for every request, after its head was read.

    Stops at the first answer; without one the request is allowed.

    Args:
        request: method, path, query, headers, and who is asking.
        options: ``--cluster-opt`` keys and values.
    """


# ---- command line


@hookspec
def swarmcore_commands() -> Iterable[Command]:
    """Return subcommands of ``swarmcore``.

    Called by the command line, when the command is not one of the core's own, and for
    ``swarmcore --help`` where the entry point is called ``command_NAME``.  So such a module should
    hold only tables of options, and import what a command does when it is run.
    """


# ---- start and stop


@hookspec
def swarmcore_started(cluster: Cluster, options: Mapping[str, str]) -> None:
    """The manager serves from now on.  Called once, when every listener is open.

    Args:
        cluster: the engines and what runs on them.
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_stopping(cluster: Cluster, options: Mapping[str, str]) -> None:
    """The manager is asked to stop.  Called once, before requests are drained.

    Args:
        cluster: the engines and what runs on them.
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_background(
    cluster: Cluster, options: Mapping[str, str]
) -> Iterable[Callable[[], Awaitable[None]]]:
    """Return work that runs beside the server.  Called once, after ``swarmcore_started``.

    Each callable is awaited in a task of its own.  One that raises is logged with the plugin's
    name and started again after a pause; one that returns is done; all are cancelled at the end.

    Args:
        cluster: the engines and what runs on them.
        options: ``--cluster-opt`` keys and values.
    """


# ---- what happened


@hookspec
def swarmcore_engine_joined(node: Node, options: Mapping[str, str]) -> None:
    """An engine became healthy: for the first time, or again.

    Args:
        node: what is known of it, containers included.
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_engine_lost(node: Node, reason: str, options: Mapping[str, str]) -> None:
    """An engine stopped answering, or left the cluster.

    Args:
        node: as it was last known, containers included.
        reason: one line.
        options: ``--cluster-opt`` keys and values.
    """


@hookspec
def swarmcore_container_placed(
    config: ContainerConfig, node: Node, options: Mapping[str, str]
) -> None:
    """A container was created.

    Args:
        config: what the client asked for.
        node: where it went.
        options: ``--cluster-opt`` keys and values.
    """
