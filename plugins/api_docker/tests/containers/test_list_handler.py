"""``GET /containers/json`` over two engines."""

from swarmcore_api_docker.containers.listing import ContainerList

from swarmcore.http.messages import json_answer


async def test_the_list_is_an_array_of_what_is_chosen(ask):
    show = ContainerList("plain").show
    assert [item["Names"] for item in (await ask(show)).json] == [["/web"]]
    assert len((await ask(show, target="/containers/json?all=1")).json) == 2
    assert (await ask(show, target='/containers/json?filters={"name":["no"]}')).body == b"[]\n"


async def test_sizes_are_asked_of_the_engines_that_have_something_to_show(ask, engines):
    web = next(iter(engines[0].node.containers))
    engines[0].answers["/containers/json"] = json_answer([{"Id": web, "SizeRootFs": 7}])
    shown = (await ask(ContainerList("plain").show, target="/containers/json?size=1")).json
    assert [item["SizeRootFs"] for item in shown] == [7]
    assert web in engines[0].asked[0][1]
    assert engines[1].asked == []


async def test_an_engine_that_does_not_tell_sizes_costs_only_them(ask, engines, docker):
    engines[0].answers["/containers/json"] = docker.Failure("n1", "gone")
    shown = (await ask(ContainerList("plain").show, target="/containers/json?size=1")).json
    assert [item["Names"] for item in shown] == [["/web"]]
    assert "SizeRootFs" not in shown[0]
