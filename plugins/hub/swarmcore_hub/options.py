"""The options of ``swarmcore hub``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarmcore.command_line import Option, Setting
from swarmcore.command_line.tls import read_tls
from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles

HUB_OPTIONS = (
    Option(
        "host",
        "the address to listen on: tcp://IP:PORT, IP:PORT, unix://PATH or fd://; repeatable",
        kind="texts",
        default=("tcp://127.0.0.1:3376",),
        aliases=("H",),
        value="ADDRESS",
    ),
    Option("data-dir", "the folder for the lists; required", value="FOLDER"),
    Option("tls", "use TLS for clients", kind="switch", default=("false",)),
    Option(
        "tlsverify",
        "use TLS, and verify clients by certificates of --tlscacert",
        kind="switch",
        default=("false",),
    ),
    Option("tlscacert", "trust certificates signed by this CA", value="FILE"),
    Option("tlscert", "the hub's certificate", value="FILE"),
    Option("tlskey", "its private key", value="FILE"),
    Option("auth", "a file with NAME:PASSWORD that every request must have", value="FILE"),
    Option("create-auth", "the same for creating clusters, instead of --auth", value="FILE"),
    Option(
        "rate",
        "requests per second from one peer; 0: no limit",
        kind="number",
        default=("20",),
        value="COUNT",
    ),
    Option(
        "connections",
        "open connections from one peer; 0: no limit",
        kind="number",
        default=("64",),
        value="COUNT",
    ),
)


@dataclass(frozen=True, slots=True)
class HubOptions:
    """The options of ``swarmcore hub``.

    Attributes:
        hosts: addresses to listen on, as written.
        data: folder of the database.
        tls: TLS files for serving; ``None`` only with loopback addresses.
        user: ``name:password`` that every request must have; empty for none.
        create_user: the same for creating clusters; empty: *user* is used.
        rate: requests per second and peer; 0 for no limit.
        connections: open connections per peer; 0 for no limit.
    """

    hosts: tuple[str, ...]
    data: Path
    tls: TLSFiles | None = None
    user: str = ""
    create_user: str = ""
    rate: float = 20.0
    connections: int = 64


def build_hub(settings: Mapping[str, Setting]) -> HubOptions:
    """Check the options of ``hub``.

    Raises:
        ConfigError: a value is invalid, or a file cannot be read.
    """
    read = {name: setting.value for name, setting in settings.items()}
    if not read["data-dir"]:
        raise ConfigError("--data-dir is missing: the folder in which the hub keeps its lists")
    if read["rate"] < 0:
        raise ConfigError("--rate should not be negative; 0 is no limit")
    if read["connections"] < 0:
        raise ConfigError("--connections should not be negative; 0 is no limit")
    return HubOptions(
        read["host"],
        Path(read["data-dir"]),
        # A hub connects to no engines, so a certificate is enough to enable TLS.
        read_tls({**read, "tls": read["tls"] or bool(read["tlscert"])}),
        _secret("auth", read["auth"]),
        _secret("create-auth", read["create-auth"]),
        read["rate"],
        read["connections"],
    )


def _secret(name: str, path: str) -> str:
    """The line in a file; secrets are not given as flags, which other users could list."""
    if not path:
        return ""
    try:
        text = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--{name} {path}: {error}") from None
    if ":" not in text or "\n" in text:
        raise ConfigError(f"--{name} {path}: not one line of the form NAME:PASSWORD")
    return text
