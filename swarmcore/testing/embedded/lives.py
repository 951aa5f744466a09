"""The start and the end of a container: changes of its data, and the events about them."""

from typing import Any

import trio

from swarmcore.errors import NotFound, SwarmError
from swarmcore.testing.documents import containers as documents
from swarmcore.testing.documents.moments import NANO
from swarmcore.testing.embedded.container import ContainerRecord, Run
from swarmcore.testing.embedded.ports import PortTaken, held_ports, publish
from swarmcore.testing.embedded.state import EngineState

_PORT_ERROR = (
    "failed to set up container networking: driver failed programming external connectivity on "
    "endpoint {name} ({id}): {reason}"
)


def begin(state: EngineState, record: ContainerRecord, pid: int) -> None:
    """Record that a container runs.

    Raises:
        SwarmError: a port is taken, or there is no such network.
    """
    networks = [_find_network(state, name) for name in record.networks]
    held = [
        port
        for other in state.containers.values()
        if other.alive
        for port in held_ports(other.ports)
    ]
    endpoint_id = state.new_id()
    try:
        ports = publish(record.config, record.host_config, held)
    except PortTaken as error:
        record.exit_code = 128
        record.error = _PORT_ERROR.format(name=record.name, id=endpoint_id, reason=error)
        raise SwarmError(record.error) from None
    _tell_volumes(state, record, "mount")
    for network in networks:
        name = network["Name"]
        ip, gateway = state.networks.give_address(network)
        record.networks[name] = documents.endpoint(network["Id"], endpoint_id, ip, gateway)
        network["Containers"][record.id] = _member(record.name, record.networks[name])
        _tell_network(state, record, network, "connect")
    record.ports, record.pid, record.run = ports, pid, Run()
    record.run.resumed.set()
    record.state, record.started, record.finished = "running", state.clock(), 0
    record.exit_code, record.error, record.stopped_by_hand = 0, "", False
    state.tell(record, "start")


def end(state: EngineState, record: ContainerRecord, code: int) -> None:
    """Record that a container has ended, and end what belongs to its run."""
    run, record.run = record.run, None
    record.state, record.exit_code, record.pid = "exited", code, 0
    record.finished = state.clock()
    record.ports = {}
    record.log.flush()
    if record.pipes is not None:
        record.pipes.close()
        record.pipes = None
    seconds = (record.finished - record.started) // NANO
    state.tell(record, "die", exitCode=str(code), execDuration=str(seconds))
    for name in record.networks:
        network = state.networks.find(name)
        network["Containers"].pop(record.id, None)
        record.networks[name] = documents.endpoint(network["Id"])
        _tell_network(state, record, network, "disconnect")
    _tell_volumes(state, record, "unmount")
    ended, record.ended = record.ended, trio.Event()
    ended.set()
    if run is not None:
        run.resumed.set()
        run.scope.cancel()


def _member(name: str, endpoint: dict[str, str]) -> dict[str, str]:
    ip = endpoint["IPAddress"]
    return {
        "Name": name,
        "EndpointID": endpoint["EndpointID"],
        "MacAddress": endpoint["MacAddress"],
        "IPv4Address": f"{ip}/16" if ip else "",
        "IPv6Address": "",
    }


def _find_network(state: EngineState, name: str) -> dict[str, Any]:
    try:
        return state.networks.find(name)
    except NotFound as error:
        raise NotFound(f"failed to set up container networking: {error}") from None


def _tell_volumes(state: EngineState, record: ContainerRecord, action: str) -> None:
    for mount in record.mounts:
        if mount.get("Name"):
            told = {"container": record.id, "driver": "local"}
            state.events.emit("volume", action, mount["Name"], told)


def _tell_network(
    state: EngineState, record: ContainerRecord, network: dict[str, str], action: str
) -> None:
    told = {"container": record.id, "name": network["Name"], "type": network["Driver"]}
    state.events.emit("network", action, network["Id"], told)
