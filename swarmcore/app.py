"""Assembles and runs a manager: plugins, cluster, gateway, server, signals."""

import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path

import trio

from swarmcore import chance
from swarmcore.addresses import is_loopback, parse_address
from swarmcore.cluster import Cluster, ClusterSettings, NodeSettingsStore, open_cluster
from swarmcore.cluster.local_sockets import LocalSockets
from swarmcore.concurrency import in_own_task, supervise
from swarmcore.engine import Engine, EngineRegistry
from swarmcore.engine.intervals import Pace
from swarmcore.engine.pulse import Pulse
from swarmcore.errors import SwarmError
from swarmcore.gateway import Gateway
from swarmcore.http.client import Connect, Dialer, HTTPClient, Lifeline, connect_tcp
from swarmcore.http.routing import Router
from swarmcore.http.server import Server
from swarmcore.http.server.listeners import (
    ListenAddress,
    bound_address,
    open_listeners,
    parse_listen,
)
from swarmcore.http.tls import RenewableContext
from swarmcore.model import Entry
from swarmcore.options import Options
from swarmcore.options.weight_options import check_weights
from swarmcore.plugins.selection import no_election, select_plugins
from swarmcore.process_settings import (
    UnusedMemory,
    raise_descriptor_limit,
    relax_garbage_collection,
)
from swarmcore.protocols import Discovery, Election, Exchange, Route
from swarmcore.replication import Replication
from swarmcore.scheduler import FailureHistory, Scheduler, make_weighers
from swarmcore.service import Reloadable, Service
from swarmcore.stores import still_in_force
from swarmcore.systemd import Notifier
from swarmcore.threads import in_thread
from swarmcore.tls_contexts import TLSContexts
from swarmcore.watchdog import watch_decisions, watch_loop

log = logging.getLogger(__name__)

#: How many engines are read for the first time at once, so that clients' requests are not starved.
_LISTING = 16

#: Filters that a manager usually needs, and the consequence if one is not loaded.
_SAFETY = {
    "health": "containers may be placed on nodes that do not answer",
    "port": "two containers may be given one host port of a node",
    "constraint": "creates with constraints are refused",
}

#: Multiple of the replication TTL within which a silent primary is replaced.
_TAKEOVER = 1.5

#: Time limit for reading the engines before a new primary answers.
_REFRESH_SECONDS = 3.0

#: Pause before a new primary asks the store again for the settings of nodes.
_AGAIN_SECONDS = 0.5

#: Called once, when all listeners are open, in a task that is cancelled when the manager stops.
Serving = Callable[[Cluster], Awaitable[None]]


class Manager:
    """One assembled manager.

    Args:
        options: the checked options.
        connect: opens TCP connections to engines and other managers; a simulation has its own
            network.

    Raises:
        ConfigError: the options cannot work; the message is one line.
    """

    def __init__(self, options: Options, connect: Connect = connect_tcp) -> None:
        self._options = options
        self._connect = connect
        self._addresses = [parse_listen(host) for host in options.hosts]
        self._own_sockets: Sequence[str] = ()
        self._tls = TLSContexts()
        self._server_tls = self._tls.server(options.tls) if options.tls else None
        self._engine_tls = self._tls.client(options.tls) if options.tls else None
        self._listing = trio.CapacityLimiter(_LISTING)
        self._pulse = Pulse()
        self._plugins = select_plugins(options)
        self._discovery = self._plugins.discovery(options.discovery, options.discovery_options)
        election = self._make_election()
        self._node_settings = self._make_node_settings(election)
        self._replication = self._make_replication(election) if election is not None else None
        self._scheduler = self._make_scheduler()
        self._cluster = self._make_cluster()
        routes = [_isolated(route) for _, route in self._plugins.routes()]
        gateway = Gateway(
            Router(routes),
            self._cluster,
            self._plugins.authorize,
            cors=options.cors,
            forward=self._replication.forwarder.forward if self._replication else None,
        )
        self._server = Server(gateway.handle, grace_seconds=options.grace_seconds)

    def reloadable(self) -> Sequence[Reloadable]:
        """What the manager can read again while it serves."""
        return [
            Reloadable("certificates", self._tls.renew),
            Reloadable("settings of nodes", self._reload_node_settings),
        ]

    async def run(self, serving: Serving | None = None, service: Service | None = None) -> int:
        """Serve until a signal stops the manager.

        Args:
            serving: runs in a task of its own, once the manager serves.
            service: is told what the manager does, and reloads at SIGHUP; without it, SIGHUP ends
                the process.

        Returns:
            The exit status: 0 after a graceful stop, 1 if a second signal interrupted it.

        Raises:
            ConfigError: a listener cannot be opened.
        """
        cut_short = trio.CancelScope()
        numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if service else [])]
        open_signals = trio.open_signal_receiver(*numbers)
        progress = self._scheduler.progress
        watching = watch_decisions(progress, loop=watch_loop())
        with open_signals as signals, cut_short, watching:
            listeners = await open_listeners(
                self._addresses, environ=os.environ, tls=self._server_tls
            )
            async with trio.open_nursery() as nursery:
                if service is not None:
                    nursery.start_soon(service.run, self._cluster)
                service = service or Service(Notifier({}))
                nursery.start_soon(self._obey_signals, signals, cut_short, service, nursery)
                nursery.start_soon(UnusedMemory().run)
                self._tell_listeners([bound_address(listener) for listener in listeners])
                await self.serve(listeners, serving)
                nursery.cancel_scope.cancel()
        return 1 if cut_short.cancelled_caught else 0

    async def serve(
        self,
        listeners: Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]],
        serving: Serving | None = None,
    ) -> None:
        """Serve on open listeners until stopped; needs no signals and no threads.

        Args:
            listeners: closed when this returns.
            serving: see ``run``.
        """
        async with open_cluster(self._cluster), trio.open_nursery() as nursery:
            nursery.start_soon(self._pulse.run)
            nursery.start_soon(self._discover, self._discovery)
            if self._replication is not None:
                nursery.start_soon(self._stand_for_election, self._replication)
            nursery.start_soon(self._work_beside, serving)
            await self._server.run(listeners)
            nursery.cancel_scope.cancel()

    @property
    def cluster(self) -> Cluster:
        """The cluster, for tests."""
        return self._cluster

    def _tell_listeners(self, bound: Sequence[ListenAddress]) -> None:
        """Log where the manager listens, and warn where anybody may control it."""
        self._own_sockets = [address.path for address in bound if address.kind == "unix"]
        for host in self._options.hosts:
            log.info("Listening for HTTP on %s", host)
        for address in bound if self._server_tls is None else ():
            if address.kind == "tcp" and not is_loopback(address.host):
                log.warning("whoever can reach %s controls all engines: use --tlsverify, or listen"
                            " on a loopback address", address)  # fmt: skip

    def _make_scheduler(self) -> Scheduler:
        options, plugins = self._options, self._plugins
        failures = FailureHistory(trio.current_time)
        filters = plugins.filters()
        for name in _SAFETY.keys() - {each.name for each in filters}:
            log.warning("no filter %s is loaded: %s", name, _SAFETY[name])
        added = plugins.weighers()
        check_weights(options.multipliers, [weigher.name for weigher in added])
        return Scheduler(
            plugins.strategy(),
            filters,
            make_weighers(options.multipliers, options.spread, failures, added),
            failures,
            classic=options.classic,
            carry=options.carry,
        )

    def _make_cluster(self) -> Cluster:
        options = self._options
        settings = ClusterSettings(
            experimental=options.experimental,
            classic=options.classic,
            cpu_shares_are_cpus=options.cpu_shares_are_cpus,
            alternates=options.alternates,
            starts=options.starts,
            queue_seconds=options.queue_seconds,
            queue_limit=options.queue_limit,
        )
        return Cluster(
            self._scheduler,
            self._make_engine,
            self._plugins,
            settings,
            node_settings=self._node_settings,
            leadership=self._replication.role if self._replication else None,
        )

    def _make_election(self) -> Election | None:
        options = self._options
        if not options.replication:
            return None
        election = self._plugins.election(options.discovery, options.election_options)
        if election is None:
            raise no_election(options.discovery)
        return election

    def _make_node_settings(self, election: Election | None) -> NodeSettingsStore:
        path = Path(self._options.node_settings) if self._options.node_settings else None
        return NodeSettingsStore(path, getattr(election, "settings", None))

    def _make_replication(self, election: Election) -> Replication:
        options = self._options
        return Replication(
            election,
            options.advertise,
            self._connect_to_primary,
            lambda: self._cluster.api_version,
            wait_seconds=_TAKEOVER * options.replication_ttl_seconds,
        )

    def _connect_to_primary(self, address: str) -> HTTPClient:
        return HTTPClient(
            Dialer(parse_address(address), self._engine_tls, connect=self._connect),
            address,
            kind="primary manager",
        )

    def _make_engine(self, entry: Entry, owner: EngineRegistry[Engine]) -> Engine:
        lifeline = Lifeline()
        dialer = Dialer(entry.address, self._tls_for(entry), lifeline, self._connect)
        options = self._options
        pace = Pace(
            refresh_min_seconds=options.refresh_min_seconds,
            refresh_max_seconds=options.refresh_max_seconds,
            failure_limit=options.failure_retry,
        )
        return Engine(
            entry,
            HTTPClient(dialer),
            owner,
            pace=pace,
            overcommit=options.overcommit,
            cpu_shares_are_cpus=options.cpu_shares_are_cpus,
            random=chance.source(),
            listing=self._listing,
            lifeline=lifeline,
            pulse=self._pulse,
        )

    def _tls_for(self, entry: Entry) -> RenewableContext | None:
        if entry.address.scheme != "tcp":
            return None
        return self._tls.client(entry.tls) if entry.tls else self._engine_tls

    async def _discover(self, discovery: Discovery) -> None:
        membership, options = self._cluster.membership, self._options
        scheme = options.discovery.scheme
        name = f"discovery {scheme}://"
        sink = LocalSockets(
            membership,
            scheme,
            self._own_sockets,
            allowed=options.unix_engines or getattr(discovery, "from_operator", False),
        )

        def failed(error: Exception) -> None:
            reason = f"{name} failed: {error!r}"
            membership.failed(still_in_force(reason, listed=membership.is_listed))

        await supervise(name, lambda: discovery.watch(sink), failed)

    async def _stand_for_election(self, replication: Replication) -> None:
        name = f"leader election in {self._options.discovery.scheme}://"
        await supervise(name, lambda: replication.run(self._take_over))

    async def _take_over(self) -> None:
        """Read again what the last primary may have changed: settings of nodes, and containers."""
        while self._cluster.is_primary:
            try:
                await self._node_settings.load()
                break
            except SwarmError as error:
                log.error("The settings of nodes cannot be read, trying again: %s", error)
                await trio.sleep(_AGAIN_SECONDS)
        self._cluster.membership.settings_changed()
        await self._cluster.refresh(seconds=_REFRESH_SECONDS)

    async def _reload_node_settings(self) -> None:
        await self._node_settings.reload()
        self._cluster.membership.settings_changed()

    async def _work_beside(self, serving: Serving | None) -> None:
        """Notify plugins that the manager serves, and run their background work."""
        self._plugins.started(self._cluster)
        async with trio.open_nursery() as nursery:
            for name, work in self._plugins.background(self._cluster):
                nursery.start_soon(supervise, f"background work of plugin {name}", work)
            if serving is not None:
                nursery.start_soon(serving, self._cluster)

    async def _obey_signals(
        self,
        signals: AsyncIterator[int],
        cut_short: trio.CancelScope,
        service: Service,
        nursery: trio.Nursery,
    ) -> None:
        async for number in signals:
            name = signal.Signals(number).name
            if number == signal.SIGHUP:
                nursery.start_soon(service.reload)  # a signal to stop does not wait for it
                continue
            if self._server.stopping:
                log.warning("%s again: ending at once", name)
                cut_short.cancel()
                return
            await service.stopping(self._options.grace_seconds)
            if self._replication is not None:
                log.info("%s: resigning", name)
                await self._replication.resign()
            log.info("%s: finishing requests within %g s", name, self._options.grace_seconds)
            self._plugins.stopping(self._cluster)
            self._cluster.end_events()
            self._cluster.end_waiting()
            self._server.stop()


def _isolated(route: Route) -> Route:
    """The route with a task of its own for each request, unless its plugin is one of ours.

    Costs 40 to 60 µs of CPU for each request (measured with a task that does nothing).
    """
    handler = route.handler
    module = getattr(handler, "__module__", "")
    if module.startswith("swarmcore_") and not module.startswith("swarmcore_file_"):
        return route

    @wraps(handler)  # the log names its module
    async def handle(exchange: Exchange) -> None:
        await in_own_task(lambda: handler(exchange))

    return replace(route, handler=handle)


def manage(options: Options, reread: Callable[[], None]) -> int:
    """Run a manager as a service; return the exit status.

    Args:
        options: the checked options.
        reread: reads the log level again; called in a thread.  If it raises a ``SwarmError``,
            nothing has changed.

    Raises:
        ConfigError: the options cannot work; the message is one line.
    """
    raise_descriptor_limit()
    notifier = Notifier(os.environ)
    manager = Manager(options)
    parts = [*manager.reloadable(), Reloadable("the log level", partial(in_thread, reread))]
    relax_garbage_collection()
    return trio.run(manager.run, None, Service(notifier, parts))
