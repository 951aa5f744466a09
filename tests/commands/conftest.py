"""Managers of embedded engines, for tests of the command line."""

from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.commands.operated import operating


@pytest.fixture
def operate(tmp_path):
    """Yield a function: ``async with operate(*engines, **options) as swarmcore``."""

    @asynccontextmanager
    async def operate(*engines, **options):
        async with AsyncExitStack() as stack:
            for engine in engines:
                await stack.enter_async_context(engine.serving())
            yield await stack.enter_async_context(operating(tmp_path, engines, **options))

    return operate
