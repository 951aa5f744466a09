"""Formats nodes: a table of all, or the details of one.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from swarmcore.model import NANO
from swarmcore.sizes import show_bytes, show_gpus
from swarmcore_operations.commands.columns import count, table, wrap

_HEAD = ("NODE", "ADDRESS", "STATE", "CPUS", "MEMORY", "RUNNING", "SLOTS", "GPUS", "VERSION")
_SLOTS, _GPUS = _HEAD.index("SLOTS"), _HEAD.index("GPUS")
#: Columns that are left out on a narrow terminal, in this order.
_SPARE = (_HEAD.index("ADDRESS"), _HEAD.index("VERSION"), _SLOTS, _GPUS)

Document = Mapping[str, Any]


def nodes_text(
    nodes: Sequence[Document],
    queue: Sequence[Document] = (),
    moves: Sequence[Document] = (),
    *,
    width: int,
) -> str:
    """The table of nodes; below a node's row the reason of its drain and its last error.

    Args:
        nodes: the documents of ``GET /swarmcore/nodes``.
        queue: the documents of ``GET /swarmcore/queue``.
        moves: the documents of ``GET /swarmcore/moves``.
        width: width of the terminal in characters.
    """
    columns = ((_SLOTS, "Slots"), (_GPUS, "GPUs"))
    hidden = [column for column, key in columns if not any(node[key] for node in nodes)]
    lines = table([_HEAD, *map(_row, nodes)], width=width, hidden=hidden, spare=_SPARE)
    text = [lines[0]]
    for node, line in zip(nodes, lines[1:], strict=True):
        text += [line, *_notes(node, width)]
    return "\n".join([*text, "", *_sums(nodes, width), *_waiting(queue), *_moves(moves)]) + "\n"


def _waiting(queue: Sequence[Document]) -> Iterator[str]:
    if queue:
        longest = max(each["WaitedSeconds"] for each in queue)
        yield f"{count(len(queue), 'create')} waiting for room, the longest for {longest:.0f} s"


def _moves(moves: Sequence[Document]) -> Iterator[str]:
    states = [each["State"] for each in moves if each["Unfinished"]]
    if states:
        failed = states.count("failed")
        yield (
            f"{count(len(states) - failed, 'container')} being moved, {failed} cannot be moved;"
            " 'swarmcore moves' says why"
        )


def _row(node: Document) -> list[str]:
    cpus, memory, slots, gpus = (node[key] for key in ("NanoCPUs", "Memory", "Slots", "GPUs"))
    return [
        node["Name"] or "(unknown)",
        node["Address"],
        "drained" if node["Drained"] and node["State"] == "Healthy" else node["State"].lower(),
        f"{cpus['Claimed'] / NANO:.3g}/{cpus['Total'] / NANO:.3g}",
        f"{show_bytes(memory['Claimed'])}/{show_bytes(memory['Total'])}".replace(" ", ""),
        f"{node['Containers']['Running']}/{node['Containers']['Total']}",
        f"{slots['Claimed']}/{slots['Total']}" if slots else "-",
        f"{gpus['Claimed']}/{gpus['Total']}" if gpus else "-",
        node["Version"],
    ]


def _notes(node: Document, width: int) -> Iterator[str]:
    if node["Drained"]:
        yield from wrap(f"drained: {_drained(node['Drained'])}", width=width, indent="    ")
    if node["Reservations"]:
        yield f"    {count(len(node['Reservations']), 'claim')} of creates under way"
    if node["Error"]:
        yield from wrap(f"error: {node['Error']}", width=width, indent="    ")
    for text in _failed_pulls(node):
        yield from wrap(text, width=width, indent="    ")


def _failed_pulls(node: Document) -> Iterator[str]:
    for failed in node["FailedPulls"]:
        last = f"the last one at {_moment(failed['At'])}, of {failed['Image']}"
        yield f"{count(failed['Count'], 'failed pull')}, {last}: {failed['Reason']}"


def _drained(drained: Document) -> str:
    parts = [drained["Reason"]] if drained["Reason"] else []
    if drained["Author"]:
        parts.append(f"by {drained['Author']}")
    if drained["Since"]:
        parts.append(f"since {_moment(drained['Since'])}")
    return ", ".join(parts)


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def _sums(nodes: Sequence[Document], width: int) -> Iterator[str]:
    healthy = sum(node["State"] == "Healthy" for node in nodes)
    drained = sum(node["Drained"] is not None for node in nodes)
    running = sum(node["Containers"]["Running"] for node in nodes)
    cpus, memory = (
        [sum(node[what][key] for node in nodes) for key in ("Claimed", "Total")]
        for what in ("NanoCPUs", "Memory")
    )
    yield from wrap(
        f"{count(len(nodes), 'node')}, {healthy} healthy, {drained} drained;"
        f" {count(running, 'container')} running; claimed: {cpus[0] / NANO:.4g} of"
        f" {cpus[1] / NANO:.4g} CPUs, {show_bytes(memory[0])} of {show_bytes(memory[1])}",
        width=width,
    )


# ---- one node


def node_text(node: Document, *, width: int) -> str:
    """The details of one node.

    Args:
        node: the document of ``GET /swarmcore/nodes/{node}``.
        width: width of the terminal in characters.
    """
    lines = [node["Name"] or "(unknown)"]
    for word, text in _facts(node):
        if text:
            lines += wrap(f"{word:<12}{text}", width=width, indent="  ", hanging=" " * 14)
    return "\n".join(lines) + "\n"


def _facts(node: Document) -> Iterator[tuple[str, str]]:
    cpus, memory, slots = node["NanoCPUs"], node["Memory"], node["Slots"]
    yield "address", node["Address"]
    yield "id", node["ID"]
    yield "state", node["State"].lower()
    yield "error", node["Error"]
    for text in _failed_pulls(node):
        yield "pulls", text
    yield "drained", _drained(node["Drained"]) if node["Drained"] else ""
    if node["Version"]:
        yield "version", f"{node['Version']} (API {node['APIVersion']})"
    yield "cpus", _share(*(f"{cpus[key] / NANO:.4g}" for key in ("Claimed", "Total", "Free")))
    yield "memory", _share(*(show_bytes(memory[key]) for key in ("Claimed", "Total", "Free")))
    if slots:
        yield "slots", _share(*(str(slots[key]) for key in ("Claimed", "Total", "Free")))
    if node["GPUs"]:
        yield "gpus", _gpus(node["GPUs"])
    states = ("Running", "Paused", "Stopped")
    yield "containers", ", ".join(f"{node['Containers'][key]} {key.lower()}" for key in states)
    yield "ports", ", ".join(f"{each['Port']} {each['Holder']}" for each in node["Ports"])
    for held in node["Reservations"]:
        yield "claim", f"{held['Name']} ({held['Image']}), a create under way: {_claim(held)}"
    yield "labels", ", ".join(f"{key}={value}" for key, value in node["Labels"].items())
    yield "added", ", ".join(f"{key}={value}" for key, value in node["AddedLabels"].items())


def _gpus(gpus: Document) -> str:
    if gpus["Shared"]:
        return f"{gpus['Total']}, shared"
    held = ", ".join(f"{each['GPU']} {each['Holder']}" for each in gpus["Held"])
    share = _share(*(str(gpus[key]) for key in ("Claimed", "Total", "Free")))
    return f"{share}: {held}" if held else share


def _share(claimed: str, total: str, free: str) -> str:
    return f"{claimed} of {total} claimed, {free} free"


def _claim(held: Document) -> str:
    ports = f", port {', '.join(held['Ports'])}" if held["Ports"] else ""
    gpus = show_gpus(held["GPUs"], held["GPUIDs"])
    gpus = f", {gpus}" if gpus else ""
    return f"{held['NanoCPUs'] / NANO:g} CPUs, {show_bytes(held['Memory'])}{ports}{gpus}"
