"""Formats the decision log, oldest first.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swarmcore_operations.commands.columns import moment, wrap

Document = Mapping[str, Any]


#: Cause -> how its refusal reads: the create itself may still succeed after that.
_REFUSED = {
    "alternate": "not to another node",
    "pulled": "not to the node of its pull",
}


def decisions_text(decisions: Sequence[Document], *, width: int) -> str:
    """A paragraph for each decision, latest at the end.

    Args:
        decisions: the documents of ``GET /swarmcore/decisions``, newest first.
        width: width of the terminal in characters.
    """
    lines = [line for each in reversed(decisions) for line in _lines(each, width)]
    return "".join(f"{line}\n" for line in lines)


def _lines(decision: Document, width: int) -> Iterator[str]:
    when = moment(decision["Time"])
    what = f"{decision['Name']} ({decision['Image']})"
    hanging = " " * (len(when) + 2)
    if decision["Error"]:
        how = _REFUSED.get(decision["Cause"], "refused")
        yield from wrap(f"{when}  {what} {how}", width=width, hanging=hanging)
        yield from wrap(decision["Error"], width=width, indent=hanging)
        return
    cause = "" if decision["Cause"] == "create" else f" ({decision['Cause']})"
    fitting = f"{decision['Fitting']} of {decision['Asked']} could"
    text = f"{when}  {what} to {decision['Node']}{cause}, {fitting}"
    if decision["Refused"]:
        text += "; not: " + ", ".join(
            f"{many} {rule}" for rule, many in decision["Refused"].items()
        )
    if decision["Dropped"]:
        text += "; dropped: " + ", ".join(decision["Dropped"])
    if decision["AboutImage"]:
        text += f"; image {decision['AboutImage']}"
    if decision["Failure"]:
        text += f"; failed there: {decision['Failure']}"
    yield from wrap(text, width=width, hanging=hanging)
