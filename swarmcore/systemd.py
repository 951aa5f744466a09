"""Tells systemd about this process, in datagrams to its notify socket (sd_notify(3)).

Sockets that systemd passes are taken in ``http/server/listeners``.
"""

import logging
import os
import socket
from collections.abc import MutableMapping

import trio

from swarmcore.printable import printable

log = logging.getLogger(__name__)

#: How long systemd may take to read earlier messages.
_LONGEST_SECONDS = 5.0


class Notifier:
    """The notify socket and the watchdog of the service manager that has started this process.

    Args:
        environ: the environment with systemd's variables, which are removed so that child
            processes do not use them.

    Attributes:
        watchdog_seconds: the time without a sign of life after which systemd restarts the service;
            0 if it does not watch this process.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        path = environ.pop("NOTIFY_SOCKET", "")
        self._has_failed = False
        #: A name in Linux's abstract namespace is written with @.
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        period, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        is_watched = period.isdigit() and pid in ("", str(os.getpid()))
        self.watchdog_seconds = int(period) / 1e6 if is_watched else 0.0

    @property
    def is_used(self) -> bool:
        """Whether the service manager wants to be told."""
        return bool(self._address)

    async def tell(self, **values: object) -> None:
        """Send one message; the first failure in a row is logged.

        Args:
            values: variables of sd_notify(3), such as ``READY=1``.
        """
        if not self._address:
            return
        lines = "\n".join(f"{name}={printable(str(value))}" for name, value in values.items())
        try:
            with trio.fail_after(_LONGEST_SECONDS):
                await self._send(lines.encode())
        except (OSError, trio.TooSlowError) as error:
            if not self._has_failed:
                log.warning("systemd could not be told %s: %r", " ".join(values), error)
            self._has_failed = True
        else:
            self._has_failed = False

    async def _send(self, message: bytes) -> None:
        with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            await sock.connect(self._address)  # otherwise, waiting for a full queue does not wait
            await sock.send(message)
