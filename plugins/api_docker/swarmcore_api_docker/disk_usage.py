"""``GET /system/df``: every engine counts, one count at a time on each."""

import logging
from weakref import WeakKeyDictionary

import trio

from swarmcore.errors import EngineRefused
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore_api_docker.containers import engine_path
from swarmcore_api_docker.fan_out import ask_all
from swarmcore_api_docker.routed import ALL
from swarmcore_api_docker.usage_reports import asked_types, merge_usage, show_usage
from swarmcore_api_docker.whole_answer import ask_patiently

log = logging.getLogger(__name__)


class DiskUsage:
    """Asks engines how much space they use."""

    def __init__(self) -> None:
        # An engine of 20.10 refuses to count twice at once.
        self._counting: WeakKeyDictionary[Engine, trio.Lock] = WeakKeyDictionary()

    def routes(self) -> list[Route]:
        """The one path."""
        return [Route("GET", "/system/df", self.show, routed=ALL, rewrites="added up")]

    async def show(self, exchange: Exchange) -> None:
        """Answer with the sum of those that answer; of none, with the first one's refusal."""
        request, cluster = exchange.request, exchange.cluster
        version = request.version or cluster.api_version
        types = asked_types(request.query.get_all("type"), version)
        path = engine_path(exchange, "system", "df")

        async def count(engine: Engine) -> dict[str, object]:
            async with self._counting.setdefault(engine, trio.Lock()):
                answer = await ask_patiently(engine, "GET", path, version=request.version)
            if not answer.ok:
                raise EngineRefused(engine.node.name, answer.status, answer.message)
            return show_usage(answer.json(), engine.node.moved_names)

        async with exchange.watching():
            replies = await ask_all(cluster.healthy_engines(), count)
            for engine, error in replies.failures:
                log.warning("disk usage leaves out %s: %s", engine.node.name, error)
            if not replies.answers:
                raise replies.failures[0][1]
            reports = [report for _, report in replies.answers]
            await exchange.send_json(merge_usage(reports, version, types))
