"""Formats an explanation: the chosen node, other candidates, and the reasons of refusals.

Nodes with the same reasons share a paragraph, so that 200 nodes fit on a page.  Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swarmcore.errors import ConfigError
from swarmcore.model import NANO
from swarmcore.sizes import show_bytes, show_gpus
from swarmcore_operations.commands.columns import count, some, table, wrap

#: How many candidates are listed besides the chosen node and its alternates.
_RUNNERS_UP = 2
_WEIGHTS = ("Raw", "Normalised", "Added", "AddedNormalised")

Document = Mapping[str, Any]


def explanation_text(explanation: Document, *, width: int) -> str:
    """Format the whole explanation.

    Args:
        explanation: the document of ``POST /swarmcore/explain``.
        width: width of the terminal in characters.
    """
    nodes = explanation["Nodes"]
    fitting = [node for node in nodes if node["Rank"]]
    refused = [node for node in nodes if not node["Rank"]]
    lines = [*_answer(explanation, width), ""]
    if fitting:
        lines += _candidates(explanation, fitting, len(nodes), width)
    if refused:
        lines += [*[""] * bool(fitting), *_refused(refused, len(nodes), width)]
    return "\n".join(lines) + "\n"


def one_node_text(explanation: Document, name: str, *, width: int) -> str:
    """Format the result, and all verdicts about one node.

    Args:
        explanation: the document of ``POST /swarmcore/explain``.
        name: the node's name or address.
        width: width of the terminal in characters.

    Raises:
        ConfigError: there is no such node in the explanation.
    """
    named = [each for each in explanation["Nodes"] if name in (each["Name"], each["Address"])]
    if not named:
        raise ConfigError(f"--node {name}: no such node was asked; 'swarmcore nodes' lists them")
    lines = list(_answer(explanation, width))
    for node in named:
        lines += ["", *_verdicts(node, width)]
    return "\n".join(lines) + "\n"


def _verdicts(node: Document, width: int) -> Iterator[str]:
    place = f"would be number {node['Rank']}" if node["Rank"] else "is refused"
    yield f"{node['Name']} {place}:"
    rows = [["", "FILTER", "RULE", "SAYS"]]
    for each in node["Verdicts"]:
        wish = "wish " if each["Soft"] else ""
        says = "yes" if each["Passed"] else f"no: {each['Reason']}".removesuffix(": ")
        rows.append(["", each["Filter"], wish + each["Rule"], says])
    yield from table(rows, width=width)
    if node["Weights"]:
        raw, normalised, added, scaled = (_numbers(node["Weights"][key]) for key in _WEIGHTS)
        yield f"  weights {raw}, normalised {normalised}"
        if added:
            score = f"score {node['Weights']['Score']:.4g}"
            yield f"  added {added}, normalised {scaled}; {score}"


def _answer(explanation: Document, width: int) -> Iterator[str]:
    name = explanation["Name"] or "a container without a name"
    what = f"{name} ({explanation['Image']})"
    if explanation["Placed"]:
        yield from wrap(f"{what} would be placed on {explanation['Node']}.", width=width)
    else:
        yield from wrap(f"{what} would be refused:", width=width)
        yield from wrap(explanation["Error"], width=width, indent="  ")
    facts = [
        ("claims", _claim(explanation["Claim"])),
        ("strategy", explanation["Strategy"]),
        ("weighers", ", ".join(map(_weigher, explanation["Weighers"]))),
        ("filters", ", ".join(explanation["Filters"])),
        ("alternates", ", ".join(explanation["Alternates"])),
        ("dropped", "; ".join(explanation["Dropped"])),
        ("image", explanation["AboutImage"]),
    ]
    yield ""
    for word, text in facts:
        if text:
            yield from wrap(f"{word:<12}{text}", width=width, indent="  ", hanging=" " * 14)


def _weigher(weigher: Document) -> str:
    multiplier = weigher["Multiplier"]
    return f"{weigher['Name']} {'first' if multiplier is None else f'x {multiplier:g}'}"


def _claim(claim: Document) -> str:
    parts = []
    if claim["NanoCPUs"]:
        parts.append(f"{claim['NanoCPUs'] / NANO:g} CPUs")
    if claim["Memory"]:
        parts.append(show_bytes(claim["Memory"]))
    if claim["Ports"]:
        parts.append(f"port {', '.join(claim['Ports'])}")
    if gpus := show_gpus(claim["GPUs"], claim["GPUIDs"]):
        parts.append(gpus)
    return ", ".join(parts) or "nothing"


# ---- candidates


def _candidates(
    explanation: Document, fitting: Sequence[Document], asked: int, width: int
) -> Iterator[str]:
    yield f"{len(fitting)} of {count(asked, 'node')} could take it:"
    shown = fitting[: 1 + len(explanation["Alternates"]) + _RUNNERS_UP]
    rows = [["", "RANK", "NODE", "WEIGHTS", "NORMALISED", "ADDED", "SCALED", "SCORE", "BREAKS"]]
    for node in shown:
        broken = [each["Rule"] for each in node["Verdicts"] if not each["Passed"]]
        rows.append(
            [
                "",
                str(node["Rank"]),
                node["Name"],
                *(_numbers(node["Weights"][key]) for key in _WEIGHTS),
                _numbers([node["Weights"]["Score"]]),
                "; ".join(broken) or "-",
            ]
        )
    hidden = () if explanation["Weighers"] else (5, 6, 7)
    yield from table(rows, width=width, hidden=hidden, spare=(4, 6))
    rest = [node["Name"] for node in fitting[len(shown) :]]
    if rest:
        yield f"  and {some(rest, room=width - 6)}"


def _numbers(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:.4g}" for number in numbers)


# ---- refused nodes


def _refused(refused: Sequence[Document], asked: int, width: int) -> Iterator[str]:
    yield f"{len(refused)} of {count(asked, 'node')} could not:"
    groups: dict[tuple[str, ...], list[Document]] = {}
    for node in refused:
        rules = tuple(verdict["Rule"] for verdict in _objections(node))
        groups.setdefault(rules, []).append(node)
    for rules, nodes in sorted(groups.items(), key=lambda group: -len(group[1])):
        yield from _group(rules, nodes, width)


def _objections(node: Document) -> list[Document]:
    return [each for each in node["Verdicts"] if not each["Passed"] and not each["Soft"]]


def _group(rules: Sequence[str], nodes: Sequence[Document], width: int) -> Iterator[str]:
    """The paragraph about nodes that are refused by exactly this set of rules."""
    indent = " " * 8
    yield from wrap("; ".join(rules), width=width, indent=f"  {len(nodes):>4}  ", hanging=indent)
    for rule in rules:
        reasons = _reasons(rule, nodes)
        if reasons:
            named = f"{rule}: " if len(rules) > 1 else ""
            yield from wrap(named + reasons, width=width, indent=indent, hanging=indent + "  ")
    yield f"{indent}{some([node['Name'] for node in nodes], room=width - len(indent))}"


def _reasons(rule: str, nodes: Sequence[Document]) -> str:
    """The common reason, or the first one with the number of further reasons."""
    said = {
        verdict["Reason"]: node["Name"]
        for node in reversed(nodes)
        for verdict in _objections(node)
        if verdict["Rule"] == rule and verdict["Reason"]
    }
    if not said:
        return ""
    reason, name = list(said.items())[-1]
    return reason if len(said) == 1 else f"{reason} on {name}, and {len(said) - 1} other reasons"
