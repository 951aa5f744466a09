"""Pulls an image on one engine, for the manager itself."""

from typing import Any
from urllib.parse import quote

from swarmcore.image_supply.progress import report_answer
from swarmcore.images import shown_image
from swarmcore.protocols import Engine


async def pull_image(engine: Engine, image: str) -> None:
    """Pull *image* on *engine*, without credentials.

    Args:
        engine: the engine.
        image: as a client named it; without a tag, ``latest`` is pulled.

    Raises:
        EngineError: the pull failed; the text is the engine's.
    """
    path = f"/images/create?fromImage={quote(shown_image(image), safe='')}"
    async with engine.open("POST", path) as got:
        await report_answer(engine, got, _ignore)


async def _ignore(message: dict[str, Any]) -> None:
    """Drop a line of progress."""
