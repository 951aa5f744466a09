"""Every route of ``api_docker``, with a real engine directly and then through the manager.

The same request must have the same status and fulfil the same condition in both places.  A route
that one engine does not have, or whose answer differs here, has a reason, which ``docs/api.md``
has, too.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from swarmcore_api_docker import swarmcore_routes

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
BEGIN, END = "<!-- differences -->\n", "<!-- /differences -->\n"
WRITE = ".venv/bin/pytest tests/system/routes/test_routes.py -k page --write-api"

TCP = {"Upgrade": "tcp"}
H2C = {"Upgrade": "h2c"}
WEBSOCKET = {
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Origin": "http://localhost",
}
JSON = {"Content-Type": "application/json"}
TAR = {"Content-Type": "application/x-tar"}
NOBODY = {"X-Registry-Auth": "e30="}
NONE_SUCH = "filters=" + quote(json.dumps({"label": ["none=such"]}))
NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)

#: The filter ``name``, whose braces are no placeholders.
NAMED = "filters=%7B%22name%22:%5B%22{web}%22%5D%7D"

Fact = Callable[[Any], Any]


class Case(NamedTuple):
    """One request for a route.

    Attributes:
        route: method and template.
        path: the path with objects in braces; see ``Place``.
        status: the expected status.
        fact: a condition for the answer.
        body: JSON or bytes, or a function that makes it from the place.
        headers: the headers of the request.
        why: the reason why the route is tested only with the manager; empty for both places.
    """

    route: str
    path: str
    status: int
    fact: Fact
    body: Any = None
    headers: dict[str, str] | None = None
    why: str = ""


def has(*keys: str) -> Fact:
    """Expect an object, or a list of objects, with these keys."""

    def holds(reply: Any) -> bool:
        found = reply.json[0] if isinstance(reply.json, list) else reply.json
        return set(keys) <= found.keys()

    return holds


def says(text: str) -> Fact:
    """Expect this text in the answer."""
    return lambda reply: text in reply.body.decode(errors="replace")


def refuses(text: str) -> Fact:
    """Expect this error."""
    return lambda reply: text in reply.message


def is_empty(reply: Any) -> bool:
    return reply.body == b""


def is_list(reply: Any) -> bool:
    return isinstance(reply.json, list | None)


SYSTEM = [
    Case("GET /_ping", "/_ping", 200, lambda reply: reply.body == b"OK"),
    Case("HEAD /_ping", "/_ping", 200, lambda reply: reply.headers["ostype"] == "linux"),
    Case("GET /version", "/version", 200, has("ApiVersion", "Components")),
    Case("GET /info", "/info", 200, lambda reply: reply.json["NCPU"] > 0),
    Case("GET /events", "/events?since=1&until=2", 200, is_empty),
    Case("GET /system/df", "/system/df", 200, has("LayersSize", "Images", "Volumes")),
    Case("POST /auth", "/auth", 200, has("Status"),
         lambda place: {"serveraddress": place.registry, "username": "a", "password": "b"}),
    Case("GET /plugins", "/plugins", 200, is_list),
    Case("GET /plugins/{name}/json", "/plugins/ghost/json", 404,
         refuses('plugin "ghost" not found')),
]  # fmt: skip

CONTAINERS = [
    Case("GET /containers/json", f"/containers/json?{NAMED}", 200, has("Id", "Names", "State")),
    Case("GET /containers/ps", "/containers/ps", 200, is_list,
         why="classic's second path of the list; engines do not have it"),
    Case("POST /containers/create", "/containers/create?name={new}", 201, has("Id", "Warnings"),
         {"Image": "busybox"}),
    Case("GET /containers/{name}/json", "/containers/{web}/json", 200, has("Id", "State")),
    Case("GET /containers/{name}/top", "/containers/{web}/top", 200, has("Processes", "Titles")),
    Case("GET /containers/{name}/logs", "/containers/{ended}/logs?stdout=1", 200,
         lambda reply: reply.body == b"\x01\0\0\0\0\0\0\x03hi\n"),
    Case("GET /containers/{name}/changes", "/containers/{web}/changes", 200, is_list),
    Case("GET /containers/{name}/export", "/containers/{web}/export", 200, says("bin/busybox")),
    Case("GET /containers/{name}/stats", "/containers/{web}/stats?stream=0&one-shot=1", 200,
         has("memory_stats")),
    Case("GET /containers/{name}/archive", "/containers/{web}/archive?path=/bin/busybox", 200,
         says("busybox")),
    Case("HEAD /containers/{name}/archive", "/containers/{web}/archive?path=/bin", 200,
         lambda reply: reply.headers["x-docker-container-path-stat"]),
    Case("PUT /containers/{name}/archive", "/containers/{web}/archive?path=/tmp", 200, is_empty,
         lambda place: place.pack(file="text"), TAR),
    Case("POST /containers/{name}/attach", "/containers/{web}/attach?stream=1&stdout=1", 101,
         lambda reply: reply.headers["upgrade"] == "tcp", headers=TCP),
    Case("GET /containers/{name}/attach/ws", "/containers/{web}/attach/ws?stream=1&stdout=1", 101,
         lambda reply: reply.headers["sec-websocket-accept"], headers=WEBSOCKET),
    Case("POST /containers/{name}/resize", "/containers/{web}/resize?h=30&w=90", 200, is_empty),
    Case("POST /containers/{name}/start", "/containers/{created}/start", 204, is_empty),
    Case("POST /containers/{name}/stop", "/containers/{running}/stop?t=9", 204, is_empty),
    Case("POST /containers/{name}/restart", "/containers/{running}/restart?t=9", 204, is_empty),
    Case("POST /containers/{name}/kill", "/containers/{running}/kill", 204, is_empty),
    Case("POST /containers/{name}/pause", "/containers/{running}/pause", 204, is_empty),
    Case("POST /containers/{name}/unpause", "/containers/{paused}/unpause", 204, is_empty),
    Case("POST /containers/{name}/update", "/containers/{running}/update", 200, has("Warnings"),
         {"PidsLimit": 100}),
    Case("POST /containers/{name}/rename", "/containers/{created}/rename?name={new}", 204,
         is_empty),
    Case("POST /containers/{name}/wait", "/containers/{ended}/wait", 200,
         lambda reply: reply.json["StatusCode"] == 0),
    Case("DELETE /containers/{name}", "/containers/{created}", 204, is_empty),
    Case("POST /containers/prune", f"/containers/prune?{NONE_SUCH}", 200,
         lambda reply: reply.json["SpaceReclaimed"] == 0),
    Case("POST /containers/{name}/exec", "/containers/{web}/exec", 201, has("Id"),
         {"Cmd": ["true"]}),
    Case("POST /exec/{id}/start", "/exec/{exec}/start", 101, lambda reply: reply.headers["upgrade"],
         {"Detach": False}, TCP | JSON),
    Case("POST /exec/{id}/resize", "/exec/{execing}/resize?h=30&w=90", 200, is_empty),
    Case("GET /exec/{id}/json", "/exec/{exec}/json", 200, has("ContainerID", "Running")),
    Case("GET /containers/{name}/checkpoints", "/containers/{web}/checkpoints", 501,
         refuses("experimental")),
    Case("POST /containers/{name}/checkpoints", "/containers/{web}/checkpoints", 501,
         refuses("experimental"), {"CheckpointID": "c1"}),
    Case("DELETE /containers/{name}/checkpoints/{checkpoint}", "/containers/{web}/checkpoints/c1",
         501, refuses("experimental")),
]  # fmt: skip

IMAGES = [
    Case("GET /images/json", "/images/json", 200, has("Id", "RepoTags")),
    Case("GET /images/{name}/json", "/images/busybox/json", 200, has("Id", "Architecture")),
    Case("GET /images/{name}/history", "/images/busybox/history", 200, has("Id", "CreatedBy")),
    Case("GET /images/{name}/get", "/images/busybox/get", 200, says("manifest.json")),
    Case("GET /images/get", "/images/get?names={image}", 200, says("manifest.json")),
    Case("POST /images/load", "/images/load?quiet=1", 200, says("Loaded image"),
         lambda place: place.ask("GET", "/images/busybox/get").body, TAR),
    Case("POST /images/create", "/images/create?fromImage={registry}/tool&tag=1", 200,
         says("Digest")),
    Case("POST /images/{name}/push", "/images/{tool}/push?tag=1", 200, says("digest"),
         headers=NOBODY),
    Case("POST /images/{name}/tag", "/images/busybox/tag?repo={new}&tag=1", 201, is_empty),
    Case("DELETE /images/{name}", "/images/{image}", 200, has("Untagged")),
    Case("POST /images/prune", f"/images/prune?{NONE_SUCH}", 200, has("ImagesDeleted")),
    Case("POST /commit", "/commit?container={web}&repo={new}", 201, has("Id")),
    Case("GET /images/search", "/images/search?term=busybox", 500, refuses("")),
    Case("GET /distribution/{name}/json", "/distribution/{registry}/tool:1/json", 200,
         has("Descriptor", "Platforms")),
    Case("POST /build", "/build?t={new}", 200, says("Successfully built"),
         lambda place: place.pack(Dockerfile="FROM busybox\nLABEL a=b\n"), TAR),
    Case("POST /build/prune", f"/build/prune?{NONE_SUCH}", 200, has("CachesDeleted")),
    Case("POST /build/cancel", "/build/cancel", 400, refuses("build ID not provided")),
    Case("POST /session", "/session", 101, lambda reply: reply.headers["upgrade"] == "h2c",
         headers=H2C),
    Case("POST /grpc", "/grpc", 101, lambda reply: reply.headers["upgrade"] == "h2c", headers=H2C),
    Case("GET /images/{name}/attestations", "/images/busybox/attestations", 501,
         refuses("not supported"), why="introduced in API 1.55, which no tested engine supports"),
    Case("GET /images/viz", "/images/viz", 501, refuses("not supported"),
         why="answered as by classic; engines no longer have this path"),
]  # fmt: skip

OBJECTS = [
    Case("GET /networks", "/networks", 200, has("Id", "Name", "Driver")),
    Case("GET /networks/{id}", "/networks/{connected}", 200,
         lambda reply: len(reply.json["Containers"]) == 1),
    Case("POST /networks/create", "/networks/create", 201, has("Id"),
         lambda place: {"Name": place["new"]}),
    Case("POST /networks/{id}/connect", "/networks/{network}/connect", 200, is_empty,
         lambda place: {"Container": place["web"]}),
    Case("POST /networks/{id}/disconnect", "/networks/{connected}/disconnect", 200, is_empty,
         lambda place: {"Container": place["web"]}),
    Case("DELETE /networks/{id}", "/networks/{network}", 204, is_empty),
    Case("POST /networks/prune", f"/networks/prune?{NONE_SUCH}", 200, has("NetworksDeleted")),
    Case("GET /volumes", "/volumes", 200, has("Volumes", "Warnings")),
    Case("GET /volumes/{name}", "/volumes/{volume}", 200, has("Mountpoint")),
    Case("POST /volumes/create", "/volumes/create", 201, has("Name", "Driver"),
         lambda place: {"Name": place["new"]}),
    Case("PUT /volumes/{name}", "/volumes/{volume}?version=1", 503,
         refuses("volume update only valid for cluster volumes, but swarm is unavailable"), {}),
    Case("DELETE /volumes/{name}", "/volumes/{volume}", 204, is_empty),
    Case("POST /volumes/prune", f"/volumes/prune?{NONE_SUCH}", 200,
         lambda reply: reply.json["SpaceReclaimed"] == 0),
]  # fmt: skip

SWARM_MODE = [
    Case(route, path, 503, refuses(NO_SWARM), {} if route.startswith("POST") else None)
    for route, path in [
        ("GET /swarm", "/swarm"),
        ("POST /swarm/update", "/swarm/update?version=1"),
        ("GET /swarm/unlockkey", "/swarm/unlockkey"),
        ("POST /swarm/unlock", "/swarm/unlock"),
        ("GET /nodes", "/nodes"),
        ("GET /nodes/{id}", "/nodes/x"),
        ("DELETE /nodes/{id}", "/nodes/x"),
        ("POST /nodes/{id}/update", "/nodes/x/update?version=1"),
        ("GET /services", "/services"),
        ("POST /services/create", "/services/create"),
        ("GET /services/{id}", "/services/x"),
        ("DELETE /services/{id}", "/services/x"),
        ("GET /services/{id}/logs", "/services/x/logs?stdout=1"),
        ("POST /services/{id}/update", "/services/x/update?version=1"),
        ("GET /tasks", "/tasks"),
        ("GET /tasks/{id}", "/tasks/x"),
        ("GET /tasks/{id}/logs", "/tasks/x/logs?stdout=1"),
        ("GET /secrets", "/secrets"),
        ("POST /secrets/create", "/secrets/create"),
        ("GET /secrets/{id}", "/secrets/x"),
        ("DELETE /secrets/{id}", "/secrets/x"),
        ("POST /secrets/{id}/update", "/secrets/x/update?version=1"),
        ("GET /configs", "/configs"),
        ("POST /configs/create", "/configs/create"),
        ("GET /configs/{id}", "/configs/x"),
        ("DELETE /configs/{id}", "/configs/x"),
        ("POST /configs/{id}/update", "/configs/x/update?version=1"),
    ]
]

NO_MEMBER = [
    Case("POST /swarm/leave", "/swarm/leave?force=1", 503,
         refuses("This node is not part of a swarm")),
]  # fmt: skip

OWN = [
    Case("POST /swarmcore/explain", "/swarmcore/explain", 200, has("Node", "Placed"),
         {"Image": "busybox"}, why="a route of swarmcore"),
    *(
        Case(route, route.split()[1].format(name="x"), 501, refuses("not supported"),
             {} if route.startswith("POST") else None, why=why)
        for why, routes in [
            ("a plugin of one engine is not a plugin of the cluster", (
                "GET /plugins/privileges", "POST /plugins/pull", "POST /plugins/create",
                "POST /plugins/{name}/enable", "POST /plugins/{name}/disable",
                "POST /plugins/{name}/push", "POST /plugins/{name}/set",
                "POST /plugins/{name}/upgrade", "DELETE /plugins/{name}",
            )),
            ("would change an engine permanently", (
                "POST /swarm/init", "POST /swarm/join",
            )),
        ]
        for route in routes
    ),
]  # fmt: skip

CASES = [*SYSTEM, *CONTAINERS, *IMAGES, *OBJECTS, *SWARM_MODE, *NO_MEMBER, *OWN]


def test_every_route_has_a_case_and_every_case_a_route():
    routes = [f"{route.method} {route.template}" for route in swarmcore_routes({})]
    assert sorted(case.route for case in CASES) == sorted(routes)


@pytest.mark.docker
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.route)
def test_a_route_answers_as_one_engine_does(place, case):
    if case.why and not place.is_cluster:
        assert case.why in PAGE.read_text()
        return
    body = case.body(place) if callable(case.body) else case.body
    reply = place.ask(case.route.split()[0], case.path.format_map(place), body, case.headers)
    assert reply.status == case.status, reply.body[:500]
    assert case.fact(reply), reply.body[:500]


@pytest.mark.docker
@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1.41/version", 200, "ApiVersion"),
        ("/version", 200, "ApiVersion"),
        ("/v1.041/version", 200, "ApiVersion"),
        ("/v1.99/version", 400, "client version 1.99 is too new. Maximum supported API version is"),
        ("/v1.5/version", 400, "client version 1.5 is too old. Minimum supported API version is"),
        ("/V1.41/version", 404, "page not found"),
        ("/v1.41", 404, "page not found"),
        ("/version/nowhere", 404, "page not found"),
        ("/v1.41/containers%2Fjson", 200, "["),
    ],
)
def test_a_path_is_read_as_an_engine_reads_it(place, raw_ask, path, status, text):
    reply = raw_ask(place.address, "GET", path)
    assert (reply.status, text in reply.body.decode()) == (status, True), reply.body


@pytest.mark.docker
def test_superfluous_slashes_are_redirected(place, raw_ask):
    assert raw_ask(place.address, "GET", "/v1.41//containers//json").status == 301


def test_the_page_lists_the_routes_that_no_single_engine_has(request):
    reasons: dict[str, list[str]] = {}
    for case in CASES:
        if case.why:
            reasons.setdefault(case.why, []).append(f"`{case.route}`")
    wanted = "".join(f"- {', '.join(routes)}: {why}\n" for why, routes in reasons.items())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    shown, _, after = rest.partition(END)
    if request.config.getoption("--write-api"):
        PAGE.write_text(f"{before}{BEGIN}{wanted}{END}{after}")
    else:
        assert shown == wanted, f"docs/api.md is not what the cases say: {WRITE}"
