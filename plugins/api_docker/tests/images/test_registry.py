"""Requests to a registry, which any engine can make."""

from swarmcore_api_docker.images import registry

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import json_answer


async def test_a_login_is_tried_by_one_engine(ask, engines):
    engines[0].answers["/auth"] = json_answer({"Status": "Login Succeeded"})
    login = await ask(registry.check_login, "POST", "/auth", body={"username": "alice"})
    assert login.json == {"Status": "Login Succeeded"}
    assert engines[1].asked == []


async def test_a_login_goes_to_the_next_engine_when_one_cannot_be_reached(ask, engines):
    engines[0].answers["/auth"] = EngineUnreachable("n1", "gone")
    engines[1].answers["/auth"] = json_answer({"message": "unauthorized"}, 401)
    login = await ask(registry.check_login, "POST", "/auth", body={"username": "alice"})
    assert (login.status, login.json) == (401, {"message": "unauthorized"})
