"""What became of one request on several engines: all of it, or an error that tells every part."""

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
    texts = {text for _, _, text in failed}
    if not done and len(texts) == 1:
        raise EngineRefused(*failed[0])
    told = [f"{name}: {text}" for name, _, text in failed] + [f"{name}: done" for name in done]
    total = len(failed) + len(done)
    raise EngineRefused(
        failed[0][0],
        500 if done else failed[0][1],
        f"{work} failed on {len(failed)} of {total} nodes: {'; '.join(told)}",
    )
