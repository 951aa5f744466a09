"""The one HTTP client for engines and other managers: TCP, TLS, unix sockets and ssh below it."""

from swarmcore.http.client.client import HTTPClient
from swarmcore.http.client.dial import Dialer
from swarmcore.http.client.lifeline import Lifeline

__all__ = [
    "Dialer",
    "HTTPClient",
    "Lifeline",
]
