"""A create that is only explained: parsed with the same errors, and not carried out."""

import pytest

HEADER = ((b"X-Swarmcore-Explain", b"1"),)
BODY = {"Image": "busybox", "Labels": {"on": "n2"}}


@pytest.mark.parametrize(
    ("path", "headers"), [("/swarmcore/explain", ()), ("/containers/create", HEADER)]
)
async def test_a_create_explains_itself_and_does_nothing(manager, n1, n2, path, headers):
    answer = await manager("POST", f"{path}?name=web", BODY, headers=headers)
    assert answer.status == 200
    explained = answer.json()
    assert (explained["Name"], explained["Node"], explained["Placed"]) == ("web", "n2", True)
    assert await manager.names("?all=1") == []
    for engine in (n1, n2):
        assert engine.requests_like("POST /containers/create") == []
    assert all(not node.reservations for node in manager.cluster.nodes())


async def test_errors_are_those_of_a_create(manager):
    await manager.create("web")
    for body, name in [(BODY, "web"), ([], "db"), (BODY, "-")]:
        created = await manager("POST", f"/containers/create?name={name}", body)
        explained = await manager("POST", f"/swarmcore/explain?name={name}", body)
        assert not created.ok
        assert (explained.status, explained.body) == (created.status, created.body)


async def test_a_refusal_is_an_answer(manager):
    body = {**BODY, "Labels": {"on": "nowhere"}}
    explained = await manager.json("POST", "/swarmcore/explain", body)
    assert (explained["Placed"], explained["Error"]) == (False, "no node fits")


async def test_another_value_of_the_header_creates_nothing(manager):
    headers = ((b"X-Swarmcore-Explain", b"please"),)
    answer = await manager("POST", "/containers/create?name=web", BODY, headers=headers)
    assert (answer.status, "send 1" in answer.message) == (400, True)
    assert await manager.names("?all=1") == []
