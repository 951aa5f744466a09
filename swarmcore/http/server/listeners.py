"""Parses ``-H`` values and opens the sockets to listen on.

A unix socket is created with its final mode, so that nobody else can connect even for a moment.
"""

import contextlib
import errno
import grp
import os
import socket
import ssl
import stat
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Literal

import trio

from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.http.tls import RenewableContext, TLSListener

Listener = trio.abc.Listener[trio.abc.HalfCloseableStream]

_BACKLOG = 1024
_OWNER_MODE = 0o600
_GROUP_MODE = 0o660
#: systemd's protocol for passing sockets: number of the first one (sd_listen_fds(3)).
_FIRST_FD = 3
#: How long the owner of a socket may take to accept before it counts as alive but busy.
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """One ``-H`` value.

    Attributes:
        kind: the kind of socket.
        host: for ``tcp``; empty for all addresses of the machine.
        port: for ``tcp``; 0 for any free port.
        path: for ``unix``.
        name: for ``fd``: the name that systemd gives the socket; empty for all sockets.
    """

    kind: Literal["tcp", "unix", "fd"]
    host: str = ""
    port: int = 0
    path: str = ""
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "tcp":
                host = f"[{self.host}]" if ":" in self.host else self.host
                return f"tcp://{host}:{self.port}"
            case "unix":
                return f"unix://{self.path}"
            case "fd":
                return f"fd://{self.name}"


def parse_listen(text: str) -> ListenAddress:
    """Parse one ``-H`` value.

    Args:
        text: ``tcp://host:port``, ``host:port``, ``:port``, ``unix:///path``, ``fd://`` for all
            sockets opened by systemd, or ``fd://NAME`` for those with that FileDescriptorName.

    Raises:
        ConfigError: malformed, or an unknown scheme.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "tcp", text.strip()
    match scheme:
        case "tcp":
            return _parse_tcp(rest, text)
        case "unix":
            if not rest.startswith("/"):
                raise ConfigError(
                    f"cannot listen on {text!r}: a unix socket needs an absolute path"
                )
            return ListenAddress("unix", path=rest)
        case "fd":
            return ListenAddress("fd", name="" if rest == "*" else rest)
    raise ConfigError(f'unsupported protocol: "{scheme}"; -H takes tcp://, unix:// and fd://')


def _parse_tcp(rest: str, text: str) -> ListenAddress:
    host, separator, port = rest.rpartition(":")
    # Empty hosts and port 0 are valid here, but not in engine addresses.
    stand_in = f"{host or 'any'}{separator}{'1' if port == '0' else port}"
    try:
        address = parse_address(stand_in)
    except ConfigError as error:
        why = str(error).partition(": ")[2]
        raise ConfigError(f"cannot listen on {text!r}: {why}") from None
    return ListenAddress("tcp", address.host if host else "", 0 if port == "0" else address.port)


async def open_listeners(
    addresses: Sequence[ListenAddress],
    *,
    environ: MutableMapping[str, str],
    group: str = "",
    tls: ssl.SSLContext | RenewableContext | None = None,
) -> list[Listener]:
    """Open all addresses, or none.

    Args:
        addresses: the addresses to open.
        environ: the environment with systemd's variables, which are removed so that child
            processes do not use them.
        group: the group that may use the unix sockets; empty for their owner only.
        tls: the TLS context for all of them, including unix sockets, as in Swarm classic.

    Returns:
        The listeners; the caller closes them.

    Raises:
        ConfigError: one cannot be opened; the text says which, why, and what to do.
    """
    opened: list[trio.abc.Listener[trio.SocketStream]] = []
    try:
        opened += _inherited([each for each in addresses if each.kind == "fd"], environ)
        for address in addresses:
            opened += await _open(address, group)
    except BaseException:
        with trio.CancelScope(shield=True):
            for listener in opened:
                await listener.aclose()
        raise
    if tls is None:
        return list(opened)
    return [TLSListener(listener, tls) for listener in opened]


async def _open(
    address: ListenAddress, group: str
) -> Sequence[trio.abc.Listener[trio.SocketStream]]:
    try:
        match address.kind:
            case "tcp":
                host = address.host or None
                return await trio.open_tcp_listeners(address.port, host=host, backlog=_BACKLOG)
            case "unix":
                return [await _open_unix(address, group)]
            case "fd":
                return ()  # opened by systemd, and taken before
    except OSError as error:
        raise ConfigError(f"cannot listen on {address}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "address already in use; stop what holds it, or choose another with -H"
        case errno.EACCES | errno.EPERM:
            return "permission denied; choose a port above 1023 or another path, or run as root"
        case errno.EADDRNOTAVAIL:
            return "no interface of this machine has that address"
    return (error.strerror or str(error)).lower()


# ---- unix sockets


class UnixListener(trio.abc.Listener[trio.SocketStream]):
    """A unix socket that is removed from the file system when it is closed."""

    def __init__(self, listener: trio.SocketListener, path: str) -> None:
        self.listener = listener
        self._path = path
        self._inode = os.lstat(path).st_ino

    async def accept(self) -> trio.SocketStream:
        """Wait for a connection."""
        return await self.listener.accept()

    async def aclose(self) -> None:
        """Close, and unlink the socket unless another one has replaced it."""
        with contextlib.suppress(FileNotFoundError):
            if os.lstat(self._path).st_ino == self._inode:
                os.unlink(self._path)
        await self.listener.aclose()


async def _open_unix(address: ListenAddress, group: str) -> UnixListener:
    path = address.path
    gid = _group_id(address, group) if group else None
    await _remove_stale(address)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The file gets the mode of the unbound socket, whatever the umask is.
        os.fchmod(sock.fileno(), _OWNER_MODE)
        sock.bind(path)
        if gid is not None:
            os.chown(path, -1, gid)
            os.chmod(path, _GROUP_MODE)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return UnixListener(trio.SocketListener(trio.socket.from_stdlib_socket(sock)), path)


async def _remove_stale(address: ListenAddress) -> None:
    """Remove the socket of a manager that is gone, unless a process answers on it."""
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"cannot listen on {address}: the path exists and is not a socket")
    with trio.move_on_after(_PROBE_SECONDS):
        try:
            await (await trio.open_unix_socket(address.path)).aclose()
        except ConnectionRefusedError:
            os.unlink(address.path)
            return
        except FileNotFoundError:
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _group_id(address: ListenAddress, group: str) -> int:
    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"cannot listen on {address}: there is no group {group!r}") from None


# ---- socket activation


def _inherited(
    addresses: Sequence[ListenAddress], environ: MutableMapping[str, str]
) -> list[trio.SocketListener]:
    """The sockets that systemd opened for this process (sd_listen_fds_with_names(3)).

    Raises:
        ConfigError: there are none, one is no listening stream socket, or addresses and sockets do
            not belong together.
    """
    if not addresses:
        return []
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdigit() or int(count) == 0:
        raise ConfigError(
            f"cannot listen on {addresses[0]}: systemd has passed no socket to this process"
        )
    names += ["unknown"] * (int(count) - len(names))  # systemd's own word for it
    wanted = {address.name for address in addresses}
    if missing := sorted(wanted - {"", *names}):
        raise ConfigError(
            f"cannot listen on fd://{missing[0]}: systemd has passed sockets named"
            f" {', '.join(names)}; see FileDescriptorName= of the socket unit"
        )
    if "" not in wanted and (unused := sorted(set(names) - wanted)):
        raise ConfigError(
            f"systemd has passed a socket named {unused[0]}, which no -H names: add"
            f" -H fd://{unused[0]}, or remove it from the socket unit"
        )
    return [_take_over(number) for number in range(_FIRST_FD, _FIRST_FD + int(count))]


def _take_over(number: int) -> trio.SocketListener:
    os.set_inheritable(number, False)
    try:
        sock = socket.socket(fileno=number)
        sock.setblocking(False)
        return trio.SocketListener(trio.socket.from_stdlib_socket(sock))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot listen on file descriptor {number} from systemd: {error}; the socket unit"
            " needs ListenStream= and Accept=no"
        ) from None


def bound_address(listener: Listener) -> ListenAddress:
    """The address of an open listener, such as one that systemd opened.

    Args:
        listener: a result of ``open_listeners``.
    """
    inner = listener.plain if isinstance(listener, TLSListener) else listener
    inner = inner.listener if isinstance(inner, UnixListener) else inner
    assert isinstance(inner, trio.SocketListener)
    name = inner.socket.getsockname()
    if inner.socket.family == socket.AF_UNIX:
        return ListenAddress("unix", path=os.fsdecode(name))
    return ListenAddress("tcp", host=name[0], port=name[1])
