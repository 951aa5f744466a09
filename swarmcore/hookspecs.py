"""All hooks by which plugins extend swarmcore.

A hook is a function with one of the names below, marked ``@swarmcore.hookimpl``, in a module that a
package registers as an entry point in the group ``swarmcore.plugins``.  Hooks are synchronous and
return quickly; work that waits belongs in an async method of the object that the hook returns.  An
implementation declares only the arguments that it needs.  Every hook of a manager can have the
argument ``options``.

Kinds, by the first word of the entry point's name; ``NAME`` is what a user types:

====================  =============================================  ==========================
kind                  loaded                                         hook
====================  =============================================  ==========================
``discovery_NAME``    by ``NAME://...``                              ``swarmcore_discovery``
``strategy_NAME``     by ``--strategy NAME``                         ``swarmcore_strategy``
``filter_NAME``       by ``--filter NAME``                           ``swarmcore_filter``
``weigher_NAME``      by ``--cluster-opt swarm.weight.NAME=N``       ``swarmcore_weigher``
``api_NAME``          if installed, unless ``--without`` names it    ``swarmcore_routes``
``command_NAME``      by the command line, never by a manager        ``swarmcore_commands``
``ext_NAME``          if installed, unless ``--without`` names it    any
====================  =============================================  ==========================

A discovery, strategy, filter or weigher that is loaded is also used.
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


# ---- discovery, placement and election


@hookspec(firstresult=True)
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for a URI.  Called once for each URI that the user gives.

    The first result that is not ``None`` is used.

    Args:
        uri: the URI, split at ``://``.
        options: heartbeat, time to live, and the keys and values of ``--discovery-opt``.

    Returns:
        The discovery; ``None`` if this plugin does not support the scheme.

    Raises:
        ConfigError: the URI is invalid; the text says why and what to do.
    """


@hookspec(firstresult=True)
def swarmcore_strategy(options: Mapping[str, str]) -> Strategy | None:
    """Return the placement strategy.  Called once, before the first engine connects.

    Args:
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_filter(options: Mapping[str, str]) -> Filter:
    """Return a filter.  Called once; filters are called in the order given by the user.

    Args:
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_weigher(options: Mapping[str, str]) -> Weigher:
    """Return a weigher, which is combined with the strategy.  Called once.

    ``--cluster-opt swarm.weight.NAME=N``, with the weigher's name, replaces its multiplier; 0
    disables it.

    Args:
        options: keys and values of ``--cluster-opt``.
    """


@hookspec(firstresult=True)
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """EXPERIMENTAL.  Return the leader election that belongs to a discovery URI.

    Called once, with ``--replication``.  The first result that is not ``None`` is used.

    Args:
        uri: the discovery URI.
        options: the discovery options; ``ttl_seconds`` is ``--replication-ttl``.
    """


# ---- HTTP API


@hookspec
def swarmcore_routes(options: Mapping[str, str]) -> Iterable[Route]:
    """Return routes of the HTTP API.  Called once, before the first listener opens.

    It is an error if two plugins have a route with the same method and template.

    Args:
        options: keys and values of ``--cluster-opt``.
    """


@hookspec(firstresult=True)
def swarmcore_authorize(request: Request, options: Mapping[str, str]) -> Denied | None:
    """Refuse a request, or return ``None``.  Called for every request, once its head is read.

    The first refusal is used; without one the request is allowed.

    Args:
        request: method, path, query, headers, and the client.
        options: keys and values of ``--cluster-opt``.
    """


# ---- command line


@hookspec
def swarmcore_commands() -> Iterable[Command]:
    """Return subcommands of ``swarmcore``.

    Called by the command line for a command that is not one of the core's, and for ``swarmcore
    --help`` if the entry point is called ``command_NAME``.  The module should therefore only define
    tables of options, and import the implementation of a command when it runs.
    """


# ---- start and stop


@hookspec
def swarmcore_started(cluster: Cluster, options: Mapping[str, str]) -> None:
    """The manager serves requests from now on.  Called once, when all listeners are open.

    Args:
        cluster: the engines and their containers.
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_stopping(cluster: Cluster, options: Mapping[str, str]) -> None:
    """The manager is stopping.  Called once, before open requests are completed.

    Args:
        cluster: the engines and their containers.
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_background(
    cluster: Cluster, options: Mapping[str, str]
) -> Iterable[Callable[[], Awaitable[None]]]:
    """Return background work.  Called once, after ``swarmcore_started``.

    Each callable runs in a task of its own.  If it raises an exception, that is logged with the
    plugin's name and the callable is started again after a pause; if it returns, it is done.  All
    tasks are cancelled when the manager stops.

    Args:
        cluster: the engines and their containers.
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_fence(node: Node, options: Mapping[str, str]) -> Callable[[], Awaitable[None]] | None:
    """Return how to make sure that no container of a lost node runs any more.

    Called before a container of an engine that does not answer is copied to another node.  A plugin
    can switch the machine off by its power controller or its cloud's API.  The containers are moved
    only when the callables of all plugins have returned without an exception.

    Args:
        node: the last known state of the engine.
        options: keys and values of ``--cluster-opt``.

    Returns:
        The callable, which is called once for each container and returns at once if the node is
        fenced already; ``None`` if this plugin does not know the node.
    """


@hookspec
def swarmcore_engine_departed(node: Node, options: Mapping[str, str]) -> float | None:
    """Return for how long an engine that has left discovery's list is still needed.

    As long as a plugin needs it, the engine stays in the cluster and takes no new containers, and
    containers whose policy allows it may be moved.  Called when the engine leaves the list, and
    then every second; the first answer is the time limit.

    Args:
        node: the engine's state, including its containers.
        options: keys and values of ``--cluster-opt``.

    Returns:
        Seconds; ``None`` or 0 if this plugin does not need the engine.
    """


# ---- notifications


@hookspec
def swarmcore_engine_joined(node: Node, options: Mapping[str, str]) -> None:
    """An engine became healthy, for the first time or again.

    Args:
        node: the engine's state, including its containers.
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_engine_lost(node: Node, reason: str, options: Mapping[str, str]) -> None:
    """An engine stopped answering, or left the cluster.

    Args:
        node: its last known state, including its containers.
        reason: one line.
        options: keys and values of ``--cluster-opt``.
    """


@hookspec
def swarmcore_container_placed(
    config: ContainerConfig, node: Node, options: Mapping[str, str]
) -> None:
    """A container was created.

    Args:
        config: the configuration that the client sent.
        node: the node of the container.
        options: keys and values of ``--cluster-opt``.
    """
