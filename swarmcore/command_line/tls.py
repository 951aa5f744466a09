"""The TLS options of commands that serve: ``--tls``, ``--tlsverify`` and three files."""

from collections.abc import Mapping
from typing import Any

from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles


def read_tls(read: Mapping[str, Any]) -> TLSFiles | None:
    """The TLS files; ``None`` without TLS.

    Args:
        read: values by option name: ``tls``, ``tlsverify``, ``tlscacert``, ``tlscert``, ``tlskey``.

    Raises:
        ConfigError: the options contradict each other, or a file is missing.
    """
    ca, cert, key = read["tlscacert"], read["tlscert"], read["tlskey"]
    if not (read["tls"] or read["tlsverify"]):
        if ca or cert or key:
            raise ConfigError(
                "--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify"
            )
        return None
    if not (cert and key):
        raise ConfigError("--tlscert and --tlskey must be provided when using --tls")
    if read["tlsverify"] and not ca:
        raise ConfigError("--tlscacert must be provided when using --tlsverify")
    return TLSFiles(ca, cert, key, verify=read["tlsverify"])
