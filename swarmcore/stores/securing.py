"""TLS towards a store."""

import ssl

from swarmcore.model import TLSFiles
from swarmcore.tls import client_context


def store_context(files: TLSFiles | None) -> ssl.SSLContext:
    """The rules for connections to a store; of no use, and quick to make, where there is no TLS.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    return client_context(files) if files else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
