"""Interfaces between the core and plugins.

A plugin needs no base class: any object with these methods is a strategy, a filter or a discovery.
Other interfaces, such as ``Cluster`` and ``Exchange``, are implemented by the core; plugins call
them.
"""

from swarmcore.container_config import ContainerConfig
from swarmcore.http.messages import Answer, Client, Headers, Request
from swarmcore.http.response_hooks import NO_HOOKS, ErrorTail, ResponseHooks
from swarmcore.model import Container, Entry, Event, TLSFiles
from swarmcore.node import ALL_ASPECTS, Aspect, Node
from swarmcore.protocols.clusters import (
    Cluster,
    ClusterView,
    Events,
    EventStream,
    Moving,
    Operations,
    Pulls,
)
from swarmcore.protocols.decisions import (
    Candidate,
    Decision,
    DecisionRecord,
    Explanation,
    Verdict,
    WaitingCreate,
)
from swarmcore.protocols.discovery import (
    Discovery,
    DiscoveryOptions,
    DiscoverySink,
    DiscoveryURI,
    Registrar,
)
from swarmcore.protocols.elections import (
    Election,
    ElectionSink,
    KeepsSettings,
    Leader,
    Mandate,
    SharedText,
)
from swarmcore.protocols.engines import AnswerStream, Engine, Upload
from swarmcore.protocols.images import ImageNames, ImageNaming
from swarmcore.protocols.moves import Fence, MoveRecord, Moves, MoveState, move_client
from swarmcore.protocols.placement import (
    Filter,
    KeyedStrategy,
    Refused,
    Rule,
    Strategy,
    Weigher,
)
from swarmcore.protocols.placing import Carry, Placed, Placing
from swarmcore.protocols.routes import Denied, Exchange, Handler, Route, Sender
from swarmcore.protocols.stats import DecisionCounts, DiscoveryState, Traffic

__all__ = [
    "ALL_ASPECTS",
    "NO_HOOKS",
    "Answer",
    "AnswerStream",
    "Aspect",
    "Candidate",
    "Carry",
    "Client",
    "Cluster",
    "ClusterView",
    "Container",
    "ContainerConfig",
    "Decision",
    "DecisionCounts",
    "DecisionRecord",
    "Denied",
    "Discovery",
    "DiscoveryOptions",
    "DiscoverySink",
    "DiscoveryState",
    "DiscoveryURI",
    "Election",
    "ElectionSink",
    "Engine",
    "Entry",
    "ErrorTail",
    "Event",
    "EventStream",
    "Events",
    "Exchange",
    "Explanation",
    "Fence",
    "Filter",
    "Handler",
    "Headers",
    "ImageNames",
    "ImageNaming",
    "KeepsSettings",
    "KeyedStrategy",
    "Leader",
    "Mandate",
    "MoveRecord",
    "MoveState",
    "Moves",
    "Moving",
    "Node",
    "Operations",
    "Placed",
    "Placing",
    "Pulls",
    "Refused",
    "Registrar",
    "Request",
    "ResponseHooks",
    "Route",
    "Rule",
    "Sender",
    "SharedText",
    "Strategy",
    "TLSFiles",
    "Traffic",
    "Upload",
    "Verdict",
    "WaitingCreate",
    "Weigher",
    "move_client",
]
