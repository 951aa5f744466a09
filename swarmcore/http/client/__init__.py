"""The HTTP client for engines and other managers, over TCP, TLS, unix sockets and ssh."""

from swarmcore.http.client.calls_in_flight import CallsUnderWay
from swarmcore.http.client.client import HTTPClient
from swarmcore.http.client.dial import Connect, Dialer, connect_tcp
from swarmcore.http.client.lifeline import Lifeline
from swarmcore.http.client.probe import Probe

__all__ = [
    "CallsUnderWay",
    "Connect",
    "Dialer",
    "HTTPClient",
    "Lifeline",
    "Probe",
    "connect_tcp",
]
