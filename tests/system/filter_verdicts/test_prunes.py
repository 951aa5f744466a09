"""A prune with filters through the manager deletes what each engine would delete."""

from urllib.parse import quote

import pytest

from tests.system.filter_verdicts.sides import LISTS, MAKERS, Side, shown

pytestmark = pytest.mark.docker

#: Filters of prunes.  Making networks takes long, so only some are tried on them.
FATES = [
    '{"label": {"zz=b": false}}', '{"label": null}', '{"label": {"a=b": true, "zz=b": false}}',
    '{"label!": {"a=b": false}}', '{"label": {"a": "true"}}', "[]", '{"ghost": null}',
    '{"label": {"a=b": false}}', '{"label": "a"}', '{"until": ["x"]}', '{"dangling": ["x"]}',
]  # fmt: skip
MORE_FATES = [
    "", "null", '{"label": {}}', '{"label": []}', '{"label": ["zz=b"]}', '{"label!": ["a"]}',
    '{"label": ["a"]}', '{"label": {"zz=b": null}}', '{"label": [null]}', '{"all": ["x"]}',
    '{"label": ["a"], "label!": {"a": true}}', '{"label": ["a"], "label": null}',
]  # fmt: skip
NOTHING, NO_TIME = '{"label": {"zz=b": false}}', '{"until": null}'
DOOMED = {"doomed1": {"a": "b"}, "doomed2": {"a": "c"}}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_prune_deletes_what_each_engine_would_delete(kind, fleet, sides, manager, wait_until):
    def left(ask: Side) -> set[str]:
        return {name for name in shown(kind, ask("GET", LISTS[kind])[1]) if "doomed" in name}

    def prepare() -> None:
        for ask in sides.values():
            for name in DOOMED.keys() - {each.strip("/") for each in left(ask)}:
                assert MAKERS[kind](ask, name, DOOMED[name])[0] in (200, 201)

    for text in FATES if kind == "networks" else FATES + MORE_FATES:
        target = f"/v1.41/{kind}/prune?filters={quote(text)}"
        prepare()
        direct = {node: ask("POST", target)[0] for node, ask in sides.items()}
        spared = {node: left(ask) for node, ask in sides.items()}
        prepare()
        status, told = manager("POST", target)
        assert (status < 400) == all(each < 400 for each in direct.values()), (text, told, direct)
        assert {node: left(ask) for node, ask in sides.items()} == spared, (kind, text, told)
    for ask in sides.values():
        for name in left(ask):
            ask("DELETE", f"/{kind}/{name.strip('/')}")


@pytest.mark.parametrize("kind", ["containers", "networks", "volumes", "images"])
def test_a_prune_that_crashes_engines_does_not_reach_them(kind, fleet, manager):
    for _ in range(4):
        status, told = manager("POST", f"/v1.41/{kind}/prune?filters={quote(NO_TIME)}")
        assert status == 400
        assert "invalid filter 'until'" in told
    assert fleet.manager.statuses().count("Healthy") == 3


@pytest.mark.parametrize("kind", ["containers", "networks", "volumes"])
def test_a_prune_reads_a_form_as_engines_do(kind, fleet, sides, manager):
    for ask in sides.values():
        assert MAKERS[kind](ask, "doomed1", {"a": "b"})[0] in (200, 201)
    form = f"filters={quote(NOTHING)}".encode()
    for ask in (sides["new"], manager):
        status, told = ask(
            "POST", f"/v1.41/{kind}/prune", form, "application/x-www-form-urlencoded"
        )
        assert status == 200, told
    for ask in sides.values():
        assert "doomed1" in {each.strip("/") for each in shown(kind, ask("GET", LISTS[kind])[1])}
        ask("DELETE", f"/{kind}/doomed1")
