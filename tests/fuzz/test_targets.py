"""Every route, with valid and invalid paths and queries."""

import json
from urllib.parse import quote

import pytest
from hypothesis import strategies as st
from swarmcore_api_docker import swarmcore_routes

ROUTES = sorted((route.method, route.template) for route in swarmcore_routes({}))
#: Their answers end when a container, an event stream or the client does.
ENDLESS = ("/attach", "/attach/ws", "/events", "/grpc", "/logs", "/session", "/stats", "/wait")
VERSIONS = ["", "", "", "/v1.24", "/v1.41", "/v1.51", "/v1.0", "/v9.9", "/v1", "/v1.x", "/V1.41"]
NAMES = [
    "box", "box", "box", "n1/box", "n2/box", "/box", "net", "data", "bridge", "busybox",
    "busybox:latest", "ghost", "", "a" * 12, "0" * 64, "sha256:" + "0" * 64, "..", "%", "b\u00f6x",
    "\0", "\r\nX: y", "x" * 3000, "n1/", "/", "re:5000/a/b@sha256:00", "json", "~", "*", "[",
    "\U0001f600",
]  # fmt: skip
KEYS = [
    "all", "limit", "size", "filters", "force", "v", "link", "name", "tail", "since", "until",
    "timestamps", "stdout", "stderr", "follow", "stream", "one-shot", "t", "signal", "h", "w",
    "path",
    "noOverwriteDirNonDir", "fromImage", "fromSrc", "repo", "tag", "term", "names", "platform",
    "dangling", "verbose", "type", "scope", "ps_args", "condition", "buildargs", "remote", "q",
    "dockerfile", "noprune", "digests", "before", "detachKeys", "container", "pause", "version",
]  # fmt: skip
VALUES = [
    "", "0", "1", "-1", "true", "False", "x", "99999999999999999999", "1e400", "nan", "1h", "10m",
    "2024-05-01T12:00:00Z", "1714564800.5", "/", "/etc", "../..", "\0", "\n", "\u00e9", "KILL",
    "SIGNOPE", "[]",
    "{}", "null", "{", "busybox", "box", "all", "not-running", "\U0001f600" * 50, "n==1",
    "linux/amd64",
]  # fmt: skip
FILTERS = [
    "label", "name", "status", "id", "node", "until", "dangling", "type", "event", "before",
    "since",
    "reference", "health", "exited", "publish", "network", "volume", "ancestor", "is-task",
    "driver",
    "container", "image", "scope", "label!", "\u00fc",
]  # fmt: skip
FILTER_VALUES = ["", "x", "a=b", "=", "box", "running", "1", "-1", "bridge", "(", "*", "\0", "1h"]

filter_values = st.one_of(
    st.lists(st.sampled_from(FILTER_VALUES), max_size=3),
    st.dictionaries(st.sampled_from(FILTER_VALUES), st.booleans(), max_size=2),
    st.sampled_from([None, 1, "x", [1], [None], {"x": "y"}, {"x": None}, [[]], [{}]]),
    st.sampled_from([[f"^{n}." for n in range(101)], [str(n) for n in range(1001)]]),
)
filters = st.dictionaries(st.sampled_from(FILTERS), filter_values, max_size=3).map(json.dumps)


@st.composite
def queries(draw):
    pairs = []
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=4)):
        value = draw(filters if key == "filters" else st.sampled_from(VALUES))
        pairs.append(f"{key}={quote(value, safe='')}")
    pairs += draw(st.lists(st.sampled_from(["%", "&&", "=", "%zz", "a=%ff", ";", "+"]), max_size=1))
    return "&".join(pairs)


@st.composite
def targets(draw):
    """Generate a method and a target."""
    method, template = draw(st.sampled_from(ROUTES))
    segments = []
    for segment in template.split("/"):
        if segment.startswith("{"):
            name = draw(st.sampled_from(NAMES))
            segments.append(quote(name, safe=draw(st.sampled_from(["", "/:"]))))
        else:
            segments.append(segment)
    path = draw(st.sampled_from(VERSIONS)) + "/".join(segments)
    if draw(st.integers(0, 19)) == 0:
        path += draw(st.sampled_from(["/", "//", "/.", "/x", "%2f", "?", "%"]))
    if draw(st.integers(0, 19)) == 0:
        method = draw(st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "OPTIONS"]))
    query = draw(queries())
    return method, f"{path}?{query}" if query else path


#: Asked in any case, for chance finds them rarely: something made, something in the way.
ALWAYS = (
    ("POST", "/images/busybox/tag?repo=lab/tagged&tag=1"),
    ("DELETE", "/containers/box"),
)


@pytest.mark.timeout(900)
def test_every_target_is_answered_and_in_full(target, fuzz):
    seen = set()

    def ask(asked):
        if target.cases % 40 == 0:
            target.revive()
        method, address = asked
        endless = any(address.partition("?")[0].endswith(end) for end in ENDLESS)
        status, _ = target.ask(method, address, endless=endless)
        seen.add(status)

    target.revive()
    for asked in ALWAYS:
        ask(asked)
    fuzz(4000, ask, targets())
    assert {200, 201, 204, 400, 404, 409} <= seen
