"""Prometheus's lists: which entries are used or skipped, and the requests to the server."""

import json

import pytest
import trio
from swarmcore_discovery_prometheus import swarmcore_discovery
from swarmcore_discovery_prometheus.groups import parse_groups

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI
from swarmcore.testing.contracts.discoveries import RecordingSink


def entries(*groups, port=0):
    return parse_groups({"list": json.dumps(list(groups))}, port)[0]


def addresses(*groups, port=0):
    return [str(entry.address) for entry in entries(*groups, port=port)]


async def watched(url, **options):
    """Return the sink after the first report."""
    discovery = swarmcore_discovery(
        DiscoveryURI("prometheus+http", url.removeprefix("http://")),
        DiscoveryOptions(heartbeat_seconds=0.05, options=options),
    )
    sink = RecordingSink()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(discovery.watch, sink)
        with trio.fail_after(10):
            await sink.wait_until(lambda: bool(sink.lists or sink.failures))
        nursery.cancel_scope.cancel()
    return sink


# ---- documents


def test_labels_of_a_group_are_labels_of_each_of_its_targets_without_the_reserved_ones():
    labels = {"zone": "a", "__meta_rack": "7", "__address__": "x"}
    assert [entry.labels for entry in entries({"targets": ["a:1", "b:1"], "labels": labels})] == [
        {"zone": "a"},
        {"zone": "a"},
    ]


def test_a_target_that_comes_twice_is_one_engine_with_its_first_labels():
    first = {"targets": ["a:1"], "labels": {"zone": "a"}}
    second = {"targets": ["a:1"], "labels": {"zone": "b"}}
    assert [entry.labels for entry in entries(first, second)] == [{"zone": "a"}]


@pytest.mark.parametrize(
    ("target", "engine"),
    [
        ("n1:9100", "n1:2376"),
        ("n1", "n1:2376"),
        ("[fe80::1]:9100", "[fe80::1]:2376"),
        ("[fe80::1]", "[fe80::1]:2376"),
    ],
)
def test_the_port_option_replaces_the_targets_port(target, engine):
    assert addresses({"targets": [target]}, port=2376) == [engine]


@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ({"targets": ["n1"]}, "target 'n1': address 'n1': missing port in address"),
        ({"targets": [7]}, "target 7: not a text"),
        ({"targets": "n1:1"}, 'group {"targets": "n1:1"} has no list of targets'),
        ("n1:1", 'group "n1:1" has no list of targets'),
        (
            {"targets": ["n1:1"], "labels": {"a": 1}},
            'group {"targets": ["n1:1"], "labels": {"a": 1}}: labels are not an object of texts',
        ),
    ],
)
def test_malformed_entries_are_reported_and_the_others_are_used(group, problem):
    found, problems = parse_groups({"list": json.dumps([group, {"targets": ["good:1"]}])}, 0)
    assert [str(entry.address) for entry in found] == ["good:1"]
    assert problems == [problem]


@pytest.mark.parametrize("text", ["", "no", "{}", '"a:1"', "[" * 100_000])
def test_a_document_that_is_not_a_list_is_a_failure(text):
    with pytest.raises(ValueError, match=r"^list: n"):
        parse_groups({"list": text}, 0)


# ---- servers


async def test_a_server_is_told_how_often_it_is_asked(list_server):
    list_server.document = '[{"targets": ["n1:1"]}]'
    await watched(list_server.url)
    assert list_server.headers["Accept"] == "application/json"
    assert list_server.headers["X-Prometheus-Refresh-Interval-Seconds"] == "0.05"


async def test_name_and_password_of_the_url_are_sent_and_never_shown(list_server):
    list_server.status = 401
    sink = await watched(list_server.url.replace("//", "//me:secret@"))
    assert list_server.headers["Authorization"] == "Basic bWU6c2VjcmV0"
    (failure,) = sink.failures
    assert "status 401" in failure
    assert "secret" not in failure


async def test_a_token_is_read_from_its_file(list_server, tmp_path):
    (tmp_path / "token").write_text("abc\n")
    await watched(list_server.url, **{"prometheus.tokenfile": str(tmp_path / "token")})
    assert list_server.headers["Authorization"] == "Bearer abc"


async def test_a_token_file_that_is_missing_is_a_failure_that_names_it(list_server, tmp_path):
    sink = await watched(list_server.url, **{"prometheus.tokenfile": str(tmp_path / "none")})
    assert f"{tmp_path}/none: No such file or directory" in sink.failures[0]


async def test_a_redirect_is_not_a_list(list_server):
    list_server.status = 302
    sink = await watched(list_server.url)
    assert "status 302, 200 was needed" in sink.failures[0]
    assert not sink.lists


# ---- options


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"prometheus.port": "many"}, "prometheus.port=many: not a port"),
        ({"prometheus.certfile": "/x"}, "belong together"),
        ({"prometheus.cacertfile": "/nonexistent/ca"}, "/nonexistent/ca"),
    ],
)
def test_options_that_cannot_work_stop_the_start(options, text):
    with pytest.raises(ConfigError, match=text):
        swarmcore_discovery(
            DiscoveryURI("prometheus+https", "h/list"), DiscoveryOptions(options=options)
        )
