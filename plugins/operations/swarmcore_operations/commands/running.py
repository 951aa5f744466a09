"""The implementation of the commands: requests to the manager, output, exit status."""

import getpass
import json
import math
import shutil
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import trio

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError, SwarmError
from swarmcore.http.tls import client_context
from swarmcore.model import TLSFiles
from swarmcore.printable import printable, printable_values
from swarmcore_operations.commands.columns import count
from swarmcore_operations.commands.decision_text import decisions_text
from swarmcore_operations.commands.docker_relay import explain_words, read_config_file
from swarmcore_operations.commands.explanation_text import explanation_text, one_node_text
from swarmcore_operations.commands.move_text import moves_text
from swarmcore_operations.commands.node_text import node_text, nodes_text
from swarmcore_operations.commands.remote import NoAnswer, RemoteManager, open_manager, read_answer

#: Exit status of an explanation that is a refusal.
REFUSED = 2
#: Interval of checking a node that is drained.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a command.

    Attributes:
        name: the command.
        options: values of the options, by name.
        words: remaining words of the command line.
        environment: environment variables.
    """

    name: str
    options: Mapping[str, Any]
    words: Sequence[str]
    environment: Mapping[str, str]


def run_command(call: Operation) -> int:
    """Run one command.

    Returns:
        The exit status.

    Raises:
        SwarmError: it failed; the message is one line.
    """
    address, tls = _find_manager(call)

    async def run() -> int:
        async with open_manager(address, tls) as manager:
            return await _COMMANDS[call.name](manager, call)

    return trio.run(run)


def _find_manager(call: Operation) -> tuple[Address, ssl.SSLContext | None]:
    """Address and TLS context of the manager, determined as the ``docker`` command does."""
    options = call.options
    address = parse_address(options["host"])
    if not (options["tls"] or options["tlsverify"]) or address.scheme != "tcp":
        return address, None
    named = call.environment.get("DOCKER_CERT_PATH")
    if named and not Path(named).is_dir():
        raise ConfigError(f"DOCKER_CERT_PATH={named}: no such directory")
    default = Path(named or Path.home() / ".docker")
    ca, cert, key = (
        options[name] or (str(default / file) if (default / file).exists() else "")
        for name, file in (
            ("tlscacert", "ca.pem"),
            ("tlscert", "cert.pem"),
            ("tlskey", "key.pem"),
        )
    )
    return address, client_context(TLSFiles(ca, cert, key, verify=options["tlsverify"]))


# ---- nodes


async def _nodes(manager: RemoteManager, call: Operation) -> int:
    if call.words:
        nodes = [await manager.ask("GET", _node(word)) for word in call.words]
        return _print(call, nodes, _joined)
    nodes = await manager.ask("GET", "/swarmcore/nodes")
    queue = await manager.ask("GET", "/swarmcore/queue")
    moves = await manager.ask("GET", "/swarmcore/moves")
    return _print(call, nodes, lambda shown, width: nodes_text(shown, queue, moves, width=width))


def _joined(nodes: Sequence[Any], width: int) -> str:
    return "\n".join(node_text(node, width=width) for node in nodes)


async def _drain(manager: RemoteManager, call: Operation) -> int:
    why = {
        "Reason": call.options["reason"],
        "Author": call.options["author"] or _user(),
        "Move": call.options["move"],
    }
    seconds = call.options["timeout"]
    if seconds < 0:
        raise ConfigError("drain: --timeout takes a duration such as 90s or 5m")
    drained = []
    for name in _some_words(call, "NODE"):
        node = await manager.ask("POST", _node(name, "/drain"), why)
        _report(node, "is drained")
        drained.append(node)
    if not call.options["wait"]:
        return 0
    with trio.move_on_after(seconds or math.inf) as waiting:
        for node in drained:
            await _wait_empty(manager, node["Address"], node["Name"] or node["Address"])
    if waiting.cancelled_caught:
        raise SwarmError(
            f"containers still run there after {seconds:g} s; 'swarmcore moves' says"
            " why they were not moved"
        )
    return 0


async def _wait_empty(manager: RemoteManager, address: str, name: str) -> None:
    """Return when no container runs on a node and no create is under way there.

    Waits while the manager restarts or the node does not answer, as containers may be running.

    Raises:
        SwarmError: the node was undrained.
    """
    told = ""
    while True:
        try:
            node = await manager.ask("GET", _node(address))
        except NoAnswer as error:
            what = str(error)
        else:
            if node["Drained"] is None:
                raise SwarmError(f"{name} is not drained any more")
            what = _what_runs(node)
        if not what:
            _say(f"{name}: no container is running")
            return
        if what != told:
            _say(f"{name}: waiting: {what}")
            told = what
        await trio.sleep(_LOOK_SECONDS)


def _what_runs(node: Mapping[str, Any]) -> str:
    """Why a node is not empty; an empty text if it is."""
    if node["State"] != "Healthy":
        return f"it is {node['State'].lower()} {node['Error']}".rstrip()
    containers, creates = node["Containers"], len(node["Reservations"])
    running = containers["Running"] + containers["Paused"]
    words = [count(running, "container")] if running else []
    return " and ".join([*words, count(creates, "create")] if creates else words)


async def _undrain(manager: RemoteManager, call: Operation) -> int:
    for name in _some_words(call, "NODE"):
        _report(await manager.ask("POST", _node(name, "/undrain")), "takes containers again")
    return 0


async def _label(manager: RemoteManager, call: Operation) -> int:
    name, *words = _some_words(call, "NODE KEY=VALUE|KEY- ...")
    changes: dict[str, str | None] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            changes[key] = value
        elif word.endswith("-"):
            changes[word.removesuffix("-")] = None
        else:
            raise ConfigError(
                f"label: {word!r} must be KEY=VALUE, or KEY- to remove an added label"
            )
    if not changes:
        raise ConfigError("label takes NODE and at least one KEY=VALUE or KEY-")
    node = await manager.ask("POST", _node(name, "/labels"), changes)
    added = ", ".join(f"{key}={value}" for key, value in node["AddedLabels"].items())
    _report(node, f"has added labels {added}" if added else "has no added labels")
    return 0


def _report(node: Mapping[str, Any], what: str) -> None:
    _say(f"{node['Name'] or node['Address']} {what}")
    if not node["Kept"] and (node["Drained"] or node["AddedLabels"]):
        sys.stderr.write(
            "(until the manager stops: start it with --node-settings FILE to keep such changes)\n"
        )


def _node(name: str, verb: str = "") -> str:
    return f"/swarmcore/nodes/{quote(name, safe=':')}{verb}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # there is no name for the user id
        return ""


# ---- moves and decisions


async def _moves(manager: RemoteManager, call: Operation) -> int:
    if call.words:
        raise ConfigError("moves takes no argument")
    moves = await manager.ask("GET", "/swarmcore/moves")
    return _print(call, moves, lambda shown, width: moves_text(shown, width=width))


async def _decisions(manager: RemoteManager, call: Operation) -> int:
    limit = call.options["limit"]
    if limit < 1 or call.words:
        raise ConfigError("decisions takes no argument; --limit is 1 or more")
    decisions = await manager.ask("GET", f"/swarmcore/decisions?limit={limit}")
    return _print(call, decisions, lambda shown, width: decisions_text(shown, width=width))


async def _explain(manager: RemoteManager, call: Operation) -> int:
    file = call.options["json-config"]
    if bool(file) == bool(call.words):
        raise ConfigError("explain takes a command line, docker run ..., or --json-config FILE")
    if file:
        body = read_config_file(file)
        query = urlencode({"name": call.options["name"]})
        answer = await manager.send("POST", f"/swarmcore/explain?{query}", body)
        explanation = read_answer(answer, call.options["host"])
    else:
        explanation = await explain_words(manager, call.words, call.environment)
    node = call.options["node"]
    _print(
        call,
        explanation,
        lambda shown, width: (
            one_node_text(shown, node, width=width)
            if node
            else explanation_text(shown, width=width)
        ),
    )
    return 0 if explanation["Placed"] else REFUSED


# ---- arguments and output


def _some_words(call: Operation, what: str) -> Sequence[str]:
    if not call.words:
        raise ConfigError(f"{call.name} takes {what}; 'swarmcore nodes' lists the nodes")
    return call.words


def _print(call: Operation, value: Any, make_text: Callable[[Any, int], str]) -> int:
    """Print an answer of the manager: as JSON, or as the text that *make_text* makes of it.

    Args:
        call: the call of the command.
        value: the answer's value.
        make_text: gets the value with printable texts, and the width in characters.
    """
    if call.options["json"]:
        text = json.dumps(value, indent=2, ensure_ascii=False)
        sys.stdout.write(printable(text, keep="\n") + "\n")
    else:
        width = shutil.get_terminal_size((80, 24)).columns
        sys.stdout.write(make_text(printable_values(value), width))
    return 0


def _say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


_COMMANDS: Mapping[str, Callable[[RemoteManager, Operation], Awaitable[int]]] = {
    "nodes": _nodes,
    "drain": _drain,
    "undrain": _undrain,
    "label": _label,
    "decisions": _decisions,
    "moves": _moves,
    "explain": _explain,
}
