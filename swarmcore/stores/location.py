"""Where engines and the leader are kept in a store, and how an engine is written there.

The layout is classic Swarm's, so that its agents and ours share a store: below an optional prefix,
``docker/swarm/nodes/ADDRESS`` with the address as its value, and ``docker/swarm/leader``.  Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Entry, TLSFiles

_NODES_PATH = "docker/swarm/nodes"
_LEADER_PATH = "docker/swarm/leader"


@dataclass(frozen=True, slots=True)
class Location:
    """A cluster's place in a store.

    Attributes:
        servers: of the store, at least one.
        nodes: the path below which each engine has a key; no slash at either end.
        leader: the path of the leader's key.
        tls: how to secure the connection to the store; ``None``: plain.
    """

    servers: tuple[Address, ...]
    nodes: str
    leader: str
    tls: TLSFiles | None = None

    def node(self, entry: Entry) -> str:
        """The path of an engine's key."""
        return f"{self.nodes}/{entry.address}"


def parse_location(uri: DiscoveryURI, options: DiscoveryOptions, port: int) -> Location:
    """Read ``SCHEME://HOST[:PORT],...[/PREFIX]`` and the ``kv.*`` options.

    Args:
        uri: the store's.
        options: ``kv.path`` instead of ``docker/swarm/nodes``; ``kv.cacertfile``, ``kv.certfile``
            and ``kv.keyfile``, of which any one means TLS.
        port: of a server that is given without one.

    Raises:
        ConfigError: no server, a malformed one, one with a password, or half a key pair.
    """
    hosts, _, prefix = uri.rest.partition("/")
    if "@" in hosts:
        # Not shown: it holds a secret, and the log does not.
        raise ConfigError(
            f"{uri.scheme}://...@{hosts.rpartition('@')[2]}: the log would show a password that is"
            " in the URI; give it by --discovery-opt, as the store's plugin says"
        )
    texts = [text for part in hosts.split(",") if (text := part.strip())]
    if not texts:
        raise ConfigError(f"{uri} names no server; write {uri.scheme}://HOST:{port}[/PREFIX]")
    try:
        servers = tuple(_server(text, port) for text in texts)
    except ConfigError as error:
        raise ConfigError(f"{uri}: {error}") from None
    path = options.options.get("kv.path") or _NODES_PATH
    return Location(
        servers, _join(prefix, path), _join(prefix, _LEADER_PATH), read_tls(options, "kv")
    )


def _server(text: str, port: int) -> Address:
    has_port = "]:" in text if text.startswith("[") else ":" in text
    return parse_address(f"tcp://{text}" if has_port else f"tcp://{text}:{port}")


def _join(*parts: str) -> str:
    return "/".join(piece for part in parts for piece in part.split("/") if piece)


def read_tls(options: DiscoveryOptions, family: str) -> TLSFiles | None:
    """The files that ``FAMILY.cacertfile``, ``.certfile`` and ``.keyfile`` name.

    Raises:
        ConfigError: half a key pair.
    """
    ca, cert, key = (
        options.options.get(f"{family}.{name}file", "") for name in ("cacert", "cert", "key")
    )
    if bool(cert) != bool(key):
        raise ConfigError(
            f"--discovery-opt {family}.certfile and {family}.keyfile belong together: give both"
            " or none"
        )
    return TLSFiles(ca, cert, key) if ca or cert else None


# ---- engines as text


def describe_entry(entry: Entry) -> str:
    """How an engine is written: its address alone, as classic reads it, then labels if any."""
    return " ".join([str(entry.address), *(f"{key}={text}" for key, text in entry.labels.items())])


def read_entries(values: Iterable[str]) -> tuple[Sequence[Entry], Sequence[str]]:
    """Read what is in a store.

    Args:
        values: of the keys; blank ones are skipped.

    Returns:
        The entries in the order of their addresses, each address once; and for each value that
        cannot be read, what it is and the reason.
    """
    found: dict[Address, Entry] = {}
    problems = []
    for value in values:
        try:
            address, *words = value.split() or [""]
            if address:
                entry = Entry(parse_address(address), dict(map(read_label, words)))
                found.setdefault(entry.address, entry)
        except ConfigError as error:
            problems.append(f"entry {value[:200]!r}: {error}")
    return sorted(found.values(), key=lambda entry: str(entry.address)), problems


def read_label(word: str) -> tuple[str, str]:
    """Split ``key=value``.

    Raises:
        ConfigError: it is none.
    """
    key, equals, text = word.partition("=")
    if not (key and equals):
        raise ConfigError(f"{word!r} is not a label of the form key=value")
    return key, text
