"""What became of one request on several engines: all of it, or an error that tells every part."""

from collections.abc import Mapping

from swarmcore.errors import EngineRefused
from swarmcore.messages import Answer
from swarmcore_api_docker.fan_out import Replies


def require_success(work: str, replies: Replies[Answer]) -> list[Answer]:
    """The engines' answers, when every engine did its part.

    Args:
        work: names it in the error: ``pruning networks``.
        replies: what came back.

    Raises:
        EngineRefused: with the first engine's status where all failed, else 500; the text tells
            what each engine did.
    """
    refusals = [(engine, answer) for engine, answer in replies.answers if not answer.ok]
    failed = [(engine.node.name, answer.status, answer.message) for engine, answer in refusals]
    failed += [(engine.node.name, error.status, str(error)) for engine, error in replies.failures]
    if not failed:
        return [answer for _, answer in replies.answers]
    done = [engine.node.name for engine, answer in replies.answers if answer.ok]
    told = word_failures({name: text for name, _, text in failed}, len(failed) + len(done), work)
    if done:
        told += f"; {', '.join(done)}: done"
    raise EngineRefused(failed[0][0], 500 if done else failed[0][1], told)


def word_failures(failures: Mapping[str, str], asked: int, work: str) -> str:
    """One text for the failures of one request on several nodes; theirs alone where all say it.

    Args:
        failures: node name -> what it said.
        asked: how many nodes were to do it.
        work: what: ``pull``, ``load``.
    """
    by_text: dict[str, list[str]] = {}
    for node_name, text in failures.items():
        by_text.setdefault(text, []).append(node_name)
    if len(by_text) == 1 and len(failures) == asked:
        return next(iter(by_text))
    told = "; ".join(f"{', '.join(nodes)}: {text}" for text, nodes in by_text.items())
    return f"{work} failed on {len(failures)} of {asked} nodes: {told}"
