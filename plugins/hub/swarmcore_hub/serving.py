"""Runs a hub: listeners, database, signals."""

import logging
import os
import signal
from dataclasses import replace

import trio

from swarmcore import clock
from swarmcore.addresses import is_loopback
from swarmcore.errors import ConfigError
from swarmcore.http.server import Limits as ServerLimits
from swarmcore.http.server import Server
from swarmcore.http.server.listeners import open_listeners, parse_listen
from swarmcore.http.tls import server_context
from swarmcore_hub.database import Database
from swarmcore_hub.hub import Hub
from swarmcore_hub.options import HubOptions
from swarmcore_hub.registry import Limits, Registry

log = logging.getLogger(__name__)

_SERVER_LIMITS = ServerLimits(
    head_bytes=16 * 1024,
    header_count=100,
    parsed_body_bytes=512,
    parsed_body_seconds=10.0,
    head_seconds=10.0,
    idle_seconds=120.0,
)


def serve_hub(options: HubOptions) -> int:
    """Serve until a signal stops the hub.

    Returns:
        The exit status: 0.

    Raises:
        ConfigError: it cannot listen, or its folder cannot be used.
    """
    trio.run(_serve, options)
    return 0


async def _serve(options: HubOptions) -> None:
    addresses = [parse_listen(host) for host in options.hosts]
    context = server_context(options.tls) if options.tls else None
    if context is None:
        for address in addresses:
            if address.kind == "tcp" and not is_loopback(address.host):
                raise ConfigError(
                    f"tokens would travel in plain text to {address}: give --tlscert and --tlskey, "
                    "or listen on 127.0.0.1 behind a proxy that has a certificate"
                )
    database = Database(options.data)
    now = clock.unix_seconds()
    clusters, rows = database.load(now)
    hub = Hub(Registry(Limits(), clusters, rows), database, options)
    limits = replace(_SERVER_LIMITS, peer_connections=options.connections)
    server = Server(hub.handle, limits=limits)
    try:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            listeners = await open_listeners(addresses, environ=os.environ, tls=context)
            for host in options.hosts:
                log.info("The hub listens on %s", host)
            async with trio.open_nursery() as nursery:
                await nursery.start(database.run)
                nursery.start_soon(hub.sweep)

                async def stop() -> None:
                    async for _ in signals:
                        server.stop()
                        hub.stop()

                nursery.start_soon(stop)
                await server.run(listeners)
                nursery.cancel_scope.cancel()
    finally:
        database.close()
