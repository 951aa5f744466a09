"""Lists and events with filters contain what each engine returns."""

import json
import re
import time
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.system.filter_verdicts.sides import LISTS, Side, shown
from tests.system.tars import tar_of

pytestmark = pytest.mark.docker

LABELS = ["a", "a=b", "a=", "zz=b", "zz", "=", ""]
FLAGS = ["true", "false", "1", "0", "True", "t", "x", ""]
NAMES = ["web", "w", "^web$", "/web", "(", "", "WEB", "net1", "vol", "net|vol"]
#: What every filter may be given, odd things among it.
VOCABULARY: dict[str, dict[str, list[str]]] = {
    "containers": {
        "ancestor": ["busybox", "tool:1", "tool", "ghost", "", "BAD"],
        "before": ["ghost", ""],
        "exited": ["0", "3", "+3", "03", "-1", "x", "", "3 ", "9" * 20],
        "expose": ["80", "80/tcp", "53/udp", "1-100", "80/", "70000", "x", ""],
        "health": ["none", "healthy", "None", "x", ""],
        "id": ["", "a", "zz", "^a"],
        "is-task": FLAGS,
        "isolation": ["default", "x", ""],
        "label": LABELS,
        "name": NAMES,
        "network": ["net1", "net", "bridge", "x", ""],
        "publish": ["18080", "80", "18000-19000/tcp", "0", "8-", "a:b", "9-8", "x", "1/x", "/tcp"],
        "since": ["ghost", ""],
        "status": ["running", "exited", "created", "run", "Running", "x", ""],
        "volume": ["vol1", "/data", "x", ""],
        "ghost": ["x"],
    },
    "images": {
        "before": ["tool:1"],
        "dangling": FLAGS,
        "label": LABELS,
        "reference": ["busybox", "tool", "too*", "*:2", "*", "[", "", "team/tool", "**", "a\\"],
        "since": ["tool:1"],
        "label!": ["a"],
        "ghost": ["x"],
    },
    "networks": {
        "driver": ["bridge", "host", "null", "brid", "Bridge", "x", ""],
        "id": ["", "a", "zz", "^a"],
        "label": LABELS,
        "name": NAMES,
        "scope": ["local", "swarm", "loc", "x", ""],
        "type": ["custom", "builtin", "Custom", "x", ""],
        "ghost": ["x"],
    },
    "volumes": {
        "dangling": FLAGS,
        "driver": ["local", "loc", "x", ""],
        "label": LABELS,
        "name": NAMES,
        "scope": ["local"],
        "": ["x"],
    },
}
#: A second value would make engines choose one, by chance.
SINGLE = {"before", "since"}
#: Asked in any case: chance finds them rarely.
ALWAYS = [
    "null", "{}", "[]", "1", '"x"', "{", "{} x", '{"label": "a"}', '{"label": [1]}',
    '{"label": {"a": 1}}', '{"label": {"a": "true"}}', '{"label": {"zz=b": false}}',
    '{"label": {"zz=b": null}}', '{"label": null}', '{"label": {}}', '{"label": []}',
    '{"label": [null]}', '{"label": {"a": true}, "name": ["x"]}',
    '{"label": {"a": true}, "label": {}}', '{"label": ["zz=b"], "label": null}',
    '{"label": {"a": true, "zz=b": false}}', '{"label": ["\\ud800"]}',
]  # fmt: skip


@st.composite
def asked(draw) -> tuple[str, str]:
    """Generate a list, and filters for it: one or two keys in one form, or in both forms."""
    kind = draw(st.sampled_from(sorted(VOCABULARY)))
    form = draw(st.sampled_from(["list", "map", "map", "both"]))
    fields: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(sorted(VOCABULARY[kind])), min_size=1, max_size=2)):
        most = 1 if key in SINGLE else 2
        words = st.sampled_from(VOCABULARY[kind][key])
        values = draw(st.lists(words, max_size=most, unique=True))
        if draw(st.integers(0, 9)) == 0:
            fields[key] = None
        elif form == "list" or (form == "both" and draw(st.booleans())):
            fields[key] = values
        else:
            fields[key] = {value: draw(st.sampled_from([True, False, None])) for value in values}
    return kind, json.dumps(fields)


@pytest.fixture(scope="module")
def objects(sides, manager, wait_until):
    """The same objects on each engine; the manager knows them."""
    archive = None
    for ask in sides.values():
        if archive is None:
            _make_image(ask, "tool:1", "a=b")
            second = int(time.time())  # lists tell no fraction of when an image was made
            wait_until(lambda second=second: int(time.time()) > second, "another second")
            _make_image(ask, "tool:2", "a=c")
            archive = ask("GET", "/images/get?names=tool:1&names=tool:2")[1]
        assert ask("POST", "/images/load", archive, "application/x-tar")[0] == 200
        for number, label in (("1", {"a": "b"}), ("2", {"zz": "1"})):
            ask("POST", "/networks/create", {"Name": f"net{number}", "Labels": label})
            ask("POST", "/volumes/create", {"Name": f"vol{number}", "Labels": label})
        _make_containers(ask)
    for kind in LISTS:
        wait_until(lambda kind=kind: _agrees(kind, sides, manager), f"the manager to know {kind}")
    yield
    for ask in sides.values():
        _clean(ask)


def _make_image(ask: Side, name: str, label: str) -> None:
    repository, _, tag = name.partition(":")
    target = f"/images/create?fromSrc=-&repo={repository}&tag={tag}&changes=LABEL%20{quote(label)}"
    assert ask("POST", target, tar_of(name, label.encode()), "application/x-tar")[0] == 200


def _make_containers(ask: Side) -> None:
    ports = {"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}}
    exposed = {"80/tcp": {}, "53/udp": {}}
    for name, config in {
        "web": {
            "Cmd": ["sleep", "1000"],
            "ExposedPorts": exposed,
            "HostConfig": {**ports, "NetworkMode": "net1", "Binds": ["vol1:/data"]},
            "Labels": {"a": "b"},
        },
        "done": {"Cmd": ["sh", "-c", "exit 3"], "Labels": {"a": "c"}},
        "made": {"Cmd": ["true"], "Labels": {"a": "b"}, "HostConfig": {"NetworkMode": "none"}},
    }.items():
        status, told = ask(
            "POST", f"/containers/create?name={name}", {"Image": "busybox", **config}
        )
        assert status == 201, told
        if name != "made":
            assert ask("POST", f"/containers/{name}/start")[0] == 204
    ask("POST", "/containers/done/wait")


def _clean(ask: Side) -> None:
    for container in ask("GET", "/containers/json?all=1")[1]:
        ask("DELETE", f"/containers/{container['Id']}?force=1")
    for name in ("1", "2"):
        ask("DELETE", f"/networks/net{name}")
        ask("DELETE", f"/volumes/vol{name}?force=1")
        ask("DELETE", f"/images/tool:{name}")


def _agrees(kind: str, sides: dict[str, Side], manager: Side) -> bool:
    told = manager("GET", LISTS[kind])[1]
    if kind == "containers" and len(told) != 3 * len(sides):
        return False
    if kind == "images":
        union = set().union(*(shown(kind, ask("GET", LISTS[kind])[1]) for ask in sides.values()))
        return shown(kind, told) == union
    return all(
        shown(kind, told, node) == shown(kind, ask("GET", LISTS[kind])[1])
        for node, ask in sides.items()
    )


def verdict(text: str) -> str:
    """Return an error without its random part, the order in which values are listed."""
    return re.sub(r"\[(.*?)\]", lambda found: str(sorted(found[1].split(" "))), text)


def test_a_list_shows_what_each_engine_shows(objects, sides, manager):
    def compare(case: tuple[str, str]) -> None:
        kind, text = case
        target = f"{LISTS[kind]}&filters={quote(text)}"
        direct = {node: ask("GET", target) for node, ask in sides.items()}
        status, told = manager("GET", target)
        newest, answer = direct["new"]
        if newest != 200:
            assert status == newest, (case, told)
            if _is_settled(text):
                assert verdict(told) == verdict(answer), case
            return
        assert status == 200, (case, told)
        for node, (its_status, its_answer) in direct.items():
            if its_status != 200 or (kind == "images" and node == "old"):
                continue  # it has not the filter, or reads it otherwise than newer ones
            expected = shown(kind, its_answer)
            if kind == "images":
                known = shown(kind, sides[node]("GET", LISTS[kind])[1])
                assert shown(kind, told) & known == expected, case
            else:
                assert shown(kind, told, node) == expected, (case, node)

    for kind in LISTS:
        for text in ALWAYS:
            compare((kind, text))
    settings = hypothesis.settings(max_examples=250)
    settings(hypothesis.given(asked())(compare))()


def _is_settled(text: str) -> bool:
    """Return whether a refusal is about one value; for two bad values, engines name either."""
    try:
        fields = json.loads(text)
    except ValueError:
        return True
    return not isinstance(fields, dict) or (
        len(fields) == 1
        and all(of is None or isinstance(of, int) or len(of) <= 1 for of in fields.values())
    )


EVENTS = [
    "{}", "null", '{"type": {"container": false}}', '{"type": ["container"]}', '{"type": {}}',
    '{"event": {"create": false}}', '{"event": ["create", "die"]}', '{"event": ["crea"]}',
    '{"container": {"web": false}}', '{"container": ["we"]}', '{"container": ["eb"]}',
    '{"container": {}}', '{"label": {"a=b": false}}', '{"label": ["a"]}', '{"label": {"zz": null}}',
    '{"image": {"busybox": false}}', '{"image": ["busybox"]}', '{"scope": {"local": false}}',
    '{"scope": ["local"]}', '{"network": ["net1"]}', '{"network": {"net": false}}',
    '{"volume": ["vol1"]}', '{"daemon": ["x"]}', '{"ghost": ["x"]}', '{"type": null}', "[]",
    '{"type": "container"}', '{"type": ["container"], "event": {"die": true}}',
    '{"type": ["volume", "network"]}', '{"event": ["exec_create"]}',
]  # fmt: skip


def test_events_are_those_of_each_engine(objects, sides, manager):
    """Past events are compared."""
    until = time.time()

    def told(ask: Side, text: str) -> Any:
        """Return the status of a refusal, or each node's events; a node's own name is empty."""
        target = f"/v1.41/events?since=1&until={until}&filters={quote(text)}"
        status, said = ask("GET", target)
        if status != 200:
            return status
        events: dict[str, list[Any]] = {}
        for line in said.splitlines() if isinstance(said, bytes) else [json.dumps(said)]:
            event = json.loads(line)
            node = event["Actor"]["Attributes"].get("node.name", "")
            what = (event["timeNano"], event["Type"], event["Action"])
            events.setdefault(node, []).append(what)
        return {node: sorted(those) for node, those in events.items()}

    for text in EVENTS:
        direct = {node: told(ask, text) for node, ask in sides.items()}
        said = told(manager, text)
        if isinstance(direct["new"], int):
            assert said == direct["new"], text
        else:
            expected = {node: those[""] for node, those in direct.items() if those}
            assert said == expected, text
