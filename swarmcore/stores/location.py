"""The location of engines and of the leader in a store, and the format of an engine's entry.

The layout is Swarm classic's, so that its agents and ours can share a store: below an optional
prefix, ``docker/swarm/nodes/ADDRESS`` with the address as value, and ``docker/swarm/leader``.
Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Entry, TLSFiles

_NODES_PATH = "docker/swarm/nodes"
_LEADER_PATH = "docker/swarm/leader"
_SETTINGS_PATH = "docker/swarm/node-settings"


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a cluster in a store.

    Attributes:
        servers: addresses of the store's servers, at least one.
        nodes: path under which each engine has a key, without leading and trailing slash.
        leader: path of the leader's key.
        settings: path of the key with the settings of operators.
        tls: TLS files for the connection to the store; ``None`` without TLS.
    """

    servers: tuple[Address, ...]
    nodes: str
    leader: str
    settings: str
    tls: TLSFiles | None = None

    def node(self, entry: Entry) -> str:
        """The path of an engine's key."""
        return f"{self.nodes}/{entry.address}"


def parse_location(uri: DiscoveryURI, options: DiscoveryOptions, port: int) -> Location:
    """Parse ``SCHEME://HOST[:PORT],...[/PREFIX]`` and the ``kv.*`` options.

    Args:
        uri: the URI of the store.
        options: ``kv.path`` replaces ``docker/swarm/nodes``; each of ``kv.cacertfile``,
            ``kv.certfile`` and ``kv.keyfile`` enables TLS.
        port: default port of a server.

    Raises:
        ConfigError: no server, a malformed server or one with a password, or only one file of a
            key pair.
    """
    hosts, _, prefix = uri.rest.partition("/")
    if "@" in hosts:
        # The part before @ may have a password and must not be logged.
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
        servers,
        _join(prefix, path),
        _join(prefix, _LEADER_PATH),
        _join(prefix, _SETTINGS_PATH),
        read_tls(options, "kv"),
    )


def _server(text: str, port: int) -> Address:
    has_port = "]:" in text if text.startswith("[") else ":" in text
    return parse_address(f"tcp://{text}" if has_port else f"tcp://{text}:{port}")


def _join(*parts: str) -> str:
    return "/".join(piece for part in parts for piece in part.split("/") if piece)


def read_tls(options: DiscoveryOptions, family: str) -> TLSFiles | None:
    """The TLS files given by ``FAMILY.cacertfile``, ``.certfile`` and ``.keyfile``, if any.

    Raises:
        ConfigError: only one file of a key pair is given.
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


# ---- text format of engines


def describe_entry(entry: Entry) -> str:
    """Format an engine: the address alone, as in Swarm classic, followed by its labels if any."""
    return " ".join([str(entry.address), *(f"{key}={text}" for key, text in entry.labels.items())])


def read_entries(values: Iterable[str]) -> tuple[Sequence[Entry], Sequence[str]]:
    """Parse the values of a store.

    Args:
        values: the values of the keys; blank ones are skipped.

    Returns:
        The entries in the order of their addresses, without duplicate addresses; and a text with
        the reason for each value that cannot be parsed.
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
        ConfigError: *word* does not have this form.
    """
    key, equals, text = word.partition("=")
    if not (key and equals):
        raise ConfigError(f"{word!r} is not a label of the form key=value")
    return key, text
