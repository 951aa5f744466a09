"""Routes are found by their beginning and end, because Docker's names contain slashes."""

from dataclasses import dataclass

import pytest

from swarmcore.http.routing import Router, clean_path, clean_target, origin_form, shape


@dataclass(frozen=True)
class ARoute:
    method: str
    template: str


ROUTES = [
    ARoute("GET", "/containers/json"),
    ARoute("GET", "/containers/{name}/json"),
    ARoute("GET", "/containers/{name}/attach/ws"),
    ARoute("POST", "/containers/{name}/attach"),
    ARoute("POST", "/containers/create"),
    ARoute("POST", "/containers/{name}/start"),
    ARoute("DELETE", "/containers/{name}"),
    ARoute("DELETE", "/containers/{name}/checkpoints/{checkpoint}"),
    ARoute("GET", "/images/json"),
    ARoute("GET", "/images/{name}/json"),
    ARoute("GET", "/images/get"),
    ARoute("GET", "/images/{name}/get"),
    ARoute("DELETE", "/images/{name}"),
    ARoute("GET", "/networks/{id}"),
]


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", "/containers/json", "/containers/json", {}),
        ("GET", "/containers/web/json", "/containers/{name}/json", {"name": "web"}),
        ("GET", "/containers/n1/web/json", "/containers/{name}/json", {"name": "n1/web"}),
        ("GET", "/containers/json/json", "/containers/{name}/json", {"name": "json"}),
        ("GET", "/containers/web/attach/ws", "/containers/{name}/attach/ws", {"name": "web"}),
        ("GET", "/images/a/b/c:tag/json", "/images/{name}/json", {"name": "a/b/c:tag"}),
        ("GET", "/images/get", "/images/get", {}),
        ("GET", "/images/get/get", "/images/{name}/get", {"name": "get"}),
        ("DELETE", "/images/a/b", "/images/{name}", {"name": "a/b"}),
        ("DELETE", "/containers/web", "/containers/{name}", {"name": "web"}),
        (
            "DELETE",
            "/containers/n1/web/checkpoints/one",
            "/containers/{name}/checkpoints/{checkpoint}",
            {"name": "n1/web", "checkpoint": "one"},
        ),
        ("GET", "/networks/n1/net", "/networks/{id}", {"id": "n1/net"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_path_finds_its_route_and_its_names(method, path, template, params):
    assert Router(ROUTES).match(method, path) == (ARoute(method, template), params)


@pytest.mark.parametrize("order", [1, -1], ids=["as written", "reversed"])
def test_the_longer_ending_wins_in_whatever_order_routes_come(order):
    found = Router(ROUTES[::order]).match("DELETE", "/containers/web/checkpoints/one")
    assert found is not None
    assert found[0].template == "/containers/{name}/checkpoints/{checkpoint}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nosuch"),
        ("GET", "/"),
        ("PUT", "/containers/web/start"),
        ("HEAD", "/containers/json"),
        ("GET", "/containers"),
        ("DELETE", "/containers/"),
        ("GET", "/images/../containers/web/json"),
        ("GET", "/images/./json"),
        ("GET", "containers/json"),
    ],
    ids=lambda value: value.replace("/", "|"),
)
def test_an_unknown_path_is_not_found(method, path):
    assert Router(ROUTES).match(method, path) is None


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("/containers//web///start", "/containers/web/start"),
        ("/networks/", "/networks"),
        ("/", "/"),
        ("//", "/"),
        ("/a/b", "/a/b"),
    ],
    ids=lambda value: value.replace("/", "|"),
)
def test_superfluous_slashes_are_ignored(path, cleaned):
    assert clean_path(path) == cleaned


@pytest.mark.parametrize(
    ("target", "clean"),
    [
        ("/v1.41/_ping", None),
        ("/v1.41/_ping/", None),
        ("/a/.b/..c?x=//../", None),
        ("*", None),
        ("//v1.41/_ping", "/v1.41/_ping"),
        ("/v1.41//_ping?x=1&y=//", "/v1.41/_ping?x=1&y=//"),
        ("/v1.41/./_ping/.", "/v1.41/_ping"),
        ("/v1.41/x/../_ping?a=b;c", "/v1.41/_ping?a=b;c"),
        ("/../../_ping", "/_ping"),
        ("/v1.41/%2e%2e/_ping", "/_ping"),
        ("/v1.41/x%2f..%2f_ping", "/v1.41/_ping"),
        ("/_ping//", "/_ping/"),
        ("//", "/"),
        ("/a//b%20c%3Fd%ff", "/a/b%20c%3Fd%FF"),
        ("http://h:1//v1.41/_ping?x", "http://h:1/v1.41/_ping?x"),
    ],
)
def test_an_unclean_target_is_redirected(target, clean):
    assert clean_target(target) == clean


def test_templates_that_differ_in_names_only_have_one_shape():
    assert shape("/containers/{name}/json") == shape("/containers/{id}/json")
    assert shape("/containers/{name}/json") != shape("/containers/json")


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        ("/a/b?c=http://d", "/a/b?c=http://d"),
        ("http://host:1/a/b?c=d", "/a/b?c=d"),
        ("http://host:1/a/b?c=http://d", "/a/b?c=http://d"),
        ("http://host", "/"),
        ("http://host?c=d", "/?c=d"),
        ("*", "*"),
    ],
)
def test_an_absolute_target_loses_scheme_and_host(target, origin):
    assert origin_form(target) == origin
