"""The HTTP client for engines and other managers, over TCP, TLS, unix sockets and ssh."""

from swarmcore.http.client.calls_in_flight import CallsUnderWay
from swarmcore.http.client.client import HTTPClient
from swarmcore.http.client.dial import Dialer
from swarmcore.http.client.lifeline import Lifeline
from swarmcore.http.client.probe import Probe

__all__ = [
    "CallsUnderWay",
    "Dialer",
    "HTTPClient",
    "Lifeline",
    "Probe",
]
