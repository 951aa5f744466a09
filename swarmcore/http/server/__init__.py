"""The HTTP/1.1 server: listeners, connections, exchanges."""

from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.exchange import ServerExchange
from swarmcore.http.server.incoming import ClientGone
from swarmcore.http.server.server import NOTHING_DONE, Server, answer_to, cause_of

__all__ = [
    "NOTHING_DONE",
    "ClientGone",
    "Limits",
    "Server",
    "ServerExchange",
    "answer_to",
    "cause_of",
]
