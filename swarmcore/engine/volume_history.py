"""What an engine says of its volumes' use: by its events, and from the time before those."""

import json
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from swarmcore.http.messages import Answer, find_header
from swarmcore.model import Event
from swarmcore.node import Node, made_seconds, read_events


async def recall_volumes(node: Node, ask: Callable[[str], Awaitable[Answer]]) -> None:
    """Learn which volumes of *node* were not used yet, from the events that its engine keeps.

    Takes up to two seconds, for an engine's clock is known to the second only.

    Args:
        node: whose events are followed already.
        ask: path -> the engine's answer to GET.

    Raises:
        EngineUnreachable: the engine does not answer.
        ValueError, KeyError, TypeError: its answer cannot be read.
    """
    answer = await ask("/volumes")
    moment = find_header(answer.headers, b"date")
    if not (answer.ok and moment):
        return
    until = int(parsedate_to_datetime(moment.decode("latin-1")).timestamp()) + 1
    filters = quote(json.dumps({"type": ["volume"]}))
    answer = await ask(f"/events?since=1&until={until}&filters={filters}")
    if answer.ok:
        lines = [json.loads(line) for line in answer.body.splitlines() if line.strip()]
        made_at = {name: made_seconds(volume) for name, volume in node.volumes.items()}
        node.belongings.freshness.recall(read_events(lines), made_at)


def note_volume(node: Node, event: Event) -> None:
    """Learn from an event of *node*'s engine, before what it makes stale is read."""
    if event.type == "volume":
        node.belongings.freshness.note_event(event.verb, event.actor_id)
