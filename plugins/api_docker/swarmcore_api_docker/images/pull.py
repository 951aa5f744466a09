"""``POST /images/create``: a pull on the engines that need the image, or an import.

Each engine pulls with the client's own credentials.
"""

from functools import partial

from swarmcore.errors import BadRequest, EngineError
from swarmcore.http.messages import Query
from swarmcore.image_supply.progress import Report, report_answer
from swarmcore.images import split_image
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore_api_docker.fanout.classic_progress import ClassicProgress
from swarmcore_api_docker.fanout.progress import AggregateProgress
from swarmcore_api_docker.images.archives import import_image
from swarmcore_api_docker.images.new_names import NewNames
from swarmcore_api_docker.requests import client_headers
from swarmcore_api_docker.route_notes import ALL


def routes(*, classic: bool = False) -> list[Route]:
    """Return the route by which Docker pulls and imports.

    Args:
        classic: report the progress of pulls as Swarm classic did.
    """
    pulls = "where the client's create missed it"
    return [
        Route(
            "POST", "/images/create", partial(create_image, classic=classic),
            routed=f"{pulls}, else {ALL}", rewrites="ids of progress: node and id",
        )
    ]  # fmt: skip


async def create_image(exchange: Exchange, *, classic: bool = False) -> None:
    """``POST /images/create``: with ``fromImage`` a pull, with ``fromSrc`` an import."""
    if exchange.request.query.get("fromSrc"):
        await import_image(exchange)
    else:
        await _pull_image(exchange, classic=classic)


async def _pull_image(exchange: Exchange, *, classic: bool) -> None:
    image = read_image(exchange.request.query)
    cluster, client = exchange.cluster, exchange.request.client
    engines = cluster.pull_targets(image, client)
    path, headers = f"/images/create?{exchange.request.query}", client_headers(exchange)
    version = exchange.request.version
    # A pull without a tag or digest gets every tag; their names are not known here.
    new_names = NewNames(exchange.cluster, image if split_image(image)[1] else "")

    async def pull(engine: Engine, report: Report) -> None:
        try:
            async with engine.open("POST", path, headers=headers, version=version) as got:
                await report_answer(engine, got, report)
        except EngineError as error:
            cluster.note_pull(image, client, engine, error)
            raise
        cluster.note_pull(image, client, engine)
        await new_names.record(engine)

    def give_back() -> None:
        """Release what this client's creates reserved for the image: no pull succeeded."""
        cluster.pull_failed(image, client)

    progress = ClassicProgress(f"Pulling {image}...", framed=True)
    perform = progress.wrap(pull) if classic else pull
    work = AggregateProgress(
        exchange, engines, "pull", perform, names_nodes=not classic, on_failed=give_back
    )
    succeeded = False
    try:
        await work.run()
        succeeded = not work.failed
    finally:
        if not succeeded:  # also if the client has closed its connection
            give_back()


def read_image(query: Query) -> str:
    """Return the image that a pull names, with its tag or digest.

    Raises:
        BadRequest: the query names no image.
    """
    name, tag = query.get("fromImage"), query.get("tag")
    if not name:
        raise BadRequest("neither fromImage nor fromSrc is given")
    if not tag:
        return name
    return f"{name}{'@' if ':' in tag else ':'}{tag}"
