"""An image made of a tar: ``docker import``, on every engine that answers."""

import re
from collections.abc import Mapping
from typing import Any

from swarmcore.protocols import Engine, Exchange
from swarmcore_api_docker.joint_work import JointWork, Report, client_headers, report_answer
from swarmcore_api_docker.naming import Naming, tagged
from swarmcore_api_docker.tee import send_to_all

_ID = re.compile(r"sha256:[0-9a-f]{64}")


async def import_image(exchange: Exchange) -> None:
    """``POST /images/create?fromSrc=``: ``-`` is the body, all else a URL that each engine reads.

    Engines put the time into an image, so its id differs between them; its name does not.  The
    client is told one, for scripts read it as the only thing that an import prints.
    """
    engines, query = exchange.cluster.healthy_engines(), exchange.request.query
    path, headers = f"/images/create?{query}", client_headers(exchange)
    naming = Naming(exchange.cluster, tagged(query.get("repo"), query.get("tag")))
    if query.get("fromSrc") == "-":
        await send_to_all(
            exchange, engines, path, "import", naming=naming, headers=headers, is_result=_is_id
        )
        return

    async def fetch(engine: Engine, report: Report) -> None:
        version = exchange.request.version
        async with engine.open("POST", path, headers=headers, version=version) as got:
            await report_answer(engine, got, report)
        await naming.settle(engine)

    await JointWork(exchange, engines, "import", fetch, is_result=_is_id).run()


def _is_id(message: Mapping[str, Any]) -> bool:
    """Whether a line of progress is the new image's id."""
    return _ID.fullmatch(str(message.get("status"))) is not None
