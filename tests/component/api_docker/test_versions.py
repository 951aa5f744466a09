"""API versions in paths: each engine gets a version that it knows, nearest to the client's."""

import pytest

from swarmcore.testing.embedded import EmbeddedEngine


@pytest.fixture
async def old():
    engine = EmbeddedEngine("old", version="20.10.24", min_api_version=(1, 24), api_version=(1, 41))
    async with engine.serving():
        yield engine


@pytest.fixture
async def strict():
    """An engine whose oldest version is 1.44."""
    engine = EmbeddedEngine("strict", min_api_version=(1, 44), api_version=(1, 51))
    async with engine.serving():
        yield engine


def spoken(engine, pattern):
    """Return the versions of the requests to *engine* that match *pattern*."""
    return {str(each.request.version) for each in engine.requests_like(pattern)}


@pytest.mark.parametrize(
    ("version", "to_old", "to_strict"),
    [
        ("v1.24", "1.24", "1.44"),
        ("v1.41", "1.41", "1.44"),
        ("v1.46", "1.41", "1.46"),
        ("v1.51", "1.41", "1.51"),
        ("", "1.41", "1.44"),
    ],
)
async def test_a_request_is_put_into_a_version_that_the_engine_knows(
    manage, old, strict, version, to_old, to_strict
):
    async with manage(old, strict) as manager:
        for engine, wanted in ((old, to_old), (strict, to_strict)):
            body = {"Image": "busybox", "Labels": {"on": engine.name}}
            path = f"/containers/create?name={engine.name}"
            await manager.json("POST", path, body, version=version)
            await manager.json("POST", f"/containers/{engine.name}/start", version=version)
            await manager.json("GET", f"/containers/{engine.name}/json?size=1", version=version)
            for pattern in ("POST /containers/create", "POST /containers/*/start"):
                assert spoken(engine, pattern) == {wanted}
            inspections = engine.requests_like("GET /containers/*/json")
            assert {str(each.request.version) for each in inspections
                    if each.request.query.get("size")} == {wanted}  # fmt: skip


async def test_the_announced_version_is_common_to_all_engines(manage, old, strict):
    async with manage(old, strict) as manager:
        assert (await manager.json("GET", "/version", version=""))["ApiVersion"] == "1.41"
    async with manage(strict) as manager:
        assert (await manager.json("GET", "/version", version=""))["ApiVersion"] == "1.51"


async def test_the_oldest_version_is_common_to_all_engines(manage):
    ancient = EmbeddedEngine("ancient", min_api_version=(1, 12), api_version=(1, 41))
    recent = EmbeddedEngine("recent", min_api_version=(1, 24), api_version=(1, 51))
    async with ancient.serving(), recent.serving():
        async with manage(ancient) as manager:
            document = await manager.json("GET", "/version", version="v1.22")
            assert document["MinAPIVersion"] == "1.12"
            answer = await manager("GET", "/containers/nope/json", version="v1.22")
            assert (answer.status, answer.body) == (404, b"No such container: nope\n")
            answer = await manager("GET", "/version", version="v1.11")
            assert b"Minimum supported API version is 1.12," in answer.body
        async with manage(ancient, recent) as manager:
            document = await manager.json("GET", "/version", version="")
            assert document["MinAPIVersion"] == "1.24"
            assert (await manager("GET", "/version", version="v1.22")).status == 400


@pytest.mark.parametrize(
    ("version", "status", "text"),
    [
        ("v1.52", 400, "client version 1.52 is too new. Maximum supported API version is 1.51"),
        ("v1.23", 400, "client version 1.23 is too old. Minimum supported API version is 1.24"),
        ("v1.041", 200, ""),
    ],
)
async def test_an_unsupported_version_is_refused_with_dockers_text(
    manage, old, version, status, text
):
    async with manage(old) as manager:
        answer = await manager("GET", "/containers/json", version=version)
        assert answer.status == status
        assert text in answer.message
