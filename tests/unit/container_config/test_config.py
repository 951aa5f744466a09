"""The body of a create: fields for scheduling are parsed, all others stay unchanged."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.container_config import SWARM_ID, ContainerConfig
from swarmcore.errors import BadRequest
from swarmcore.http.messages import dump_json
from swarmcore.model import Claim
from swarmcore.testing.builders import a_node

CONSTRAINTS = "com.docker.swarm.constraints"
POLICIES = "com.docker.swarm.reschedule-policies"
parse = ContainerConfig.parse


# ---- the body


def test_unknown_fields_stay():
    body = {"Image": "busybox", "New": {"memory": 1, "Memory": 2}, "HostConfig": {"Odd": [1.0]}}
    sent = parse(body).body_for(a_node())
    assert sent == {**body, "Labels": {}}


def test_the_clients_own_body_is_not_changed():
    body = {"image": "b", "Env": ["constraint:zone==b"], "Memory": 1, "HostConfig": {"links": []}}
    before = copy.deepcopy(body)
    parse(body, swarm_id="1").body_for(a_node())
    assert body == before


@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_body_that_is_no_object_is_a_bad_request(body):
    with pytest.raises(BadRequest, match="config cannot be empty"):
        parse(body)


def test_fields_are_read_and_sent_whatever_their_case():
    config = parse(
        {"image": "b", "HOSTCONFIG": {"memory": 7, "portbindings": {"80/tcp": [{"hostPORT": "8"}]}}}
    )
    assert (config.image, config.claim.memory) == ("b", 7)
    assert [str(port) for port in config.claim.ports] == ["8/tcp"]
    sent = config.body_for(a_node())
    assert sent["HostConfig"] == {"Memory": 7, "PortBindings": {"80/tcp": [{"HostPort": "8"}]}}


def test_mounts_and_endpoints_are_read_whatever_their_case():
    config = parse(
        {
            "hostconfig": {
                "MOUNTS": [
                    {"TYPE": "volume", "source": "data", "target": "/d", "odd": 1},
                    {"type": "volume", "volumeoptions": {"subpath": "a", "nocopy": True}},
                ]
            },
            "networkingconfig": {"endpointsconfig": {"Web": {"LINKS": ["db:x"], "Odd": None}}},
        }
    )
    assert (config.volumes, config.networks, config.links) == (("data",), ("Web",), ("db",))
    sent = config.body_for(a_node())
    assert sent["HostConfig"]["Mounts"] == [
        {"Type": "volume", "Source": "data", "target": "/d", "odd": 1},
        {"Type": "volume", "VolumeOptions": {"Subpath": "a", "nocopy": True}},
    ]
    assert sent["NetworkingConfig"]["EndpointsConfig"] == {"Web": {"Links": ["db:x"], "Odd": None}}


def test_nulls_count_as_missing():
    nothing = dict.fromkeys(
        ["Env", "ExposedPorts", "HostConfig", "Labels", "NetworkingConfig", "Cmd", "Volumes"]
    )
    inner = dict.fromkeys(
        ["Binds", "Links", "Mounts", "PortBindings", "VolumesFrom", "DeviceRequests", "Memory"]
    )
    ports = {"PortBindings": {"80/tcp": None}, "Mounts": [None]}
    endpoints = {"EndpointsConfig": {"web": None}}
    for body in (
        nothing,
        {**nothing, "HostConfig": inner, "NetworkingConfig": {"EndpointsConfig": None}},
        {**nothing, "HostConfig": ports, "NetworkingConfig": endpoints},
    ):
        config = parse({"Image": "b", **body})
        assert config.body_for(a_node()) == {"Image": "b", **body, "Labels": {}}
        assert config.claim == Claim()


def test_numbers_reach_the_engine_as_they_were_written():
    text = '{"HostConfig": {"Memory": 8388608.0, "NanoCpus": 9007199254740993}}'
    sent = dump_json(parse(json.loads(text)).body_for(a_node())).decode()
    assert "8388608.0" in sent
    assert "9007199254740993" in sent


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"Image": "a", "image": "b"}, "'Image' and 'image'"),
        ({"Unknown": 1, "unknown": 2}, "'Unknown' and 'unknown'"),
        ({"HostConfig": {"Memory": 1, "MEMORY": 2}}, "'Memory' and 'MEMORY' in HostConfig"),
        ({"HostConfig": {"Links": 1, "Lin\u212as": 2}}, "in HostConfig"),
        ({"HostConfig": {"PortBindings": {"1": [{"HostIp": "", "hostip": ""}]}}}, "PortBindings"),
        ({"NetworkingConfig": {"EndpointsConfig": {}, "endpointsconfig": {}}}, "NetworkingConfig"),
        ({"HostConfig": {"Mounts": [{"Type": "bind", "type": "volume"}]}}, "in Mounts"),
        (
            {"HostConfig": {"Mounts": [{"VolumeOptions": {"Subpath": "", "subpath": "a"}}]}},
            "in VolumeOptions",
        ),
        (
            {"NetworkingConfig": {"EndpointsConfig": {"a": {"Links": [], "links": []}}}},
            "in EndpointsConfig",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_given_twice_is_a_bad_request_that_names_it(body, names):
    with pytest.raises(BadRequest) as raised:
        parse(body)
    assert names in str(raised.value)


def test_keys_that_are_the_users_own_may_differ_in_case_only():
    config = parse({"Labels": {"a": "1", "A": "2"}})
    assert config.labels == {"a": "1", "A": "2"}


def test_fields_from_before_hostconfig_are_moved_into_it():
    config = parse({"Memory": 5, "Cpuset": "0", "HostConfig": {"CpuShares": 3, "Memory": 0}})
    assert config.claim.memory == 5
    sent = config.body_for(a_node())
    assert sent["HostConfig"] == {"Memory": 5, "CpusetCpus": "0", "CpuShares": 3}
    assert "Memory" not in sent


def test_without_hostconfig_its_fields_count_where_engines_of_old_read_them():
    config = parse({"PortBindings": {"80/tcp": [{"HostPort": "80"}]}, "NanoCpus": 5})
    assert (config.claim.nano_cpus, len(config.claim.ports)) == (5, 1)


# ---- instructions


def test_instructions_leave_the_environment_and_stay_in_labels():
    env = [
        "A=1",
        "constraint:zone==b",
        "affinity:image==x",
        "PATH=constraint:zone==c",
        "constraint",
    ]
    config = parse({"Env": env, "Labels": {CONSTRAINTS: '["disk==ssd"]'}})
    assert config.constraints == ("disk==ssd", "zone==b")
    assert config.affinities == ("image==x",)
    assert config.body["Env"] == ["A=1", "PATH=constraint:zone==c", "constraint"]
    assert config.labels[CONSTRAINTS] == '["disk==ssd","zone==b"]'
    assert config.body["Labels"] == config.labels


def test_labels_are_written_as_gos_encoder_writes_them():
    config = parse({"Env": ['constraint:zone==<a>&\u2028é"']})
    assert config.labels[CONSTRAINTS] == '["zone==\\u003ca\\u003e\\u0026\\u2028é\\""]'
    assert json.loads(config.labels[CONSTRAINTS]) == list(config.constraints)


@pytest.mark.parametrize(
    "entry",
    [
        "constraints:zone==b",
        "CONSTRAINT:zone==b",
        " constraint:a==b",
        "constraint=zone==b",
        ":a==b",
    ],
)
def test_a_variable_that_looks_like_an_instruction_stays(entry):
    config = parse({"Env": [entry]})
    assert (config.constraints, config.body["Env"], config.labels) == ((), [entry], {})


@given(st.lists(st.tuples(st.sampled_from(["constraint", "affinity", "whitelist"]), st.text())))
def test_a_written_config_can_be_read_again(expressions):
    env = [f"{family}:{text}" for family, text in expressions]
    once = parse({"Env": env, "Labels": {CONSTRAINTS: '["node!=n1"]'}}, swarm_id="1")
    again = parse(json.loads(dump_json(once.body_for(a_node()))), swarm_id="2")
    assert again == once


@pytest.mark.parametrize("label", ["", " "])
def test_an_empty_label_has_no_effect_and_stays(label):
    config = parse({"Labels": {CONSTRAINTS: label}})
    assert config.constraints == ()
    assert config.labels[CONSTRAINTS] == label


@pytest.mark.parametrize("label", ["zone==b", '{"a":1}', "[1]", '["a", null]', "[" * 100_000])
def test_a_label_that_is_no_list_of_texts_is_refused_by_its_name(label):
    with pytest.raises(BadRequest, match=f"label {CONSTRAINTS}: .* must be a JSON list of strings"):
        parse({"Labels": {CONSTRAINTS: label}})


@pytest.mark.parametrize("policy", ["off", "on-node-failure"])
def test_a_reschedule_policy_is_read(policy):
    assert parse({"Env": [f"reschedule:{policy}"]}).labels[POLICIES] == f'["{policy}"]'


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (["reschedule:off", "reschedule:off"], "too many reschedule policies"),
        (["reschedule:always"], "invalid reschedule policy: always"),
    ],
)
def test_a_wrong_policy_is_a_bad_request(env, message):
    with pytest.raises(BadRequest, match=message):
        parse({"Env": env})


def test_a_swarm_id_is_added_unless_there_is_one():
    assert parse({}, swarm_id="1").labels[SWARM_ID] == "1"
    kept = parse({"Labels": {SWARM_ID: "2"}}, swarm_id="1")
    assert (kept.swarm_id, kept.body["Labels"][SWARM_ID]) == ("2", "2")
    renewed = kept.with_swarm_id("3")
    assert (renewed.swarm_id, renewed.labels, renewed.body["Labels"]) == (
        "3", {SWARM_ID: "3"}, {SWARM_ID: "3"},
    )  # fmt: skip


# ---- names


@pytest.mark.parametrize("name", ["", "web", "/web", "a1", "A.b-c_d", "9x"])
def test_a_name_that_engines_take(name):
    assert parse({}, name=name).name == name.removeprefix("/")


@pytest.mark.parametrize("name", ["a", "/", "-a", "_a", "a b", "a/b", "//web", "é1", "web\n", "a%"])
def test_a_name_that_engines_refuse_is_a_bad_request(name):
    if name == "/":
        assert parse({}, name=name).name == ""
        return
    with pytest.raises(BadRequest, match="Invalid container name"):
        parse({}, name=name)


# ---- what is sent to one node

NODE = a_node("n1", cpus=3)


def test_prefixes_of_the_node_are_taken_off():
    config = parse(
        {
            "HostConfig": {
                "NetworkMode": "n1/net",
                "IpcMode": "container:n1/db",
                "PidMode": "host",
                "Links": ["n1/db:db", "n2/x:x", "plain:p", 1],
                "VolumesFrom": [f"{NODE.id}/data:ro"],
            },
            "NetworkingConfig": {
                "EndpointsConfig": {
                    "n1/net": {"Links": ["n1/db:d"], "Aliases": ["n1/a"]},
                    "o": None,
                }
            },
        }
    )
    sent = config.body_for(NODE)
    assert sent["HostConfig"] == {
        "NetworkMode": "net",
        "IpcMode": "container:db",
        "PidMode": "host",
        "Links": ["db:db", "n2/x:x", "plain:p", 1],
        "VolumesFrom": ["data:ro"],
    }
    assert sent["NetworkingConfig"]["EndpointsConfig"] == {
        "net": {"Links": ["db:d"], "Aliases": ["n1/a"]},
        "o": None,
    }


def test_what_a_container_depends_on():
    config = parse(
        {
            "HostConfig": {"Links": ["/db:/web/db", "a:b"], "VolumesFrom": ["data:ro"]},
            "NetworkingConfig": {"EndpointsConfig": {"net": {"Links": ["a:b", "c"]}}},
        }
    )
    assert (config.links, config.volumes_from) == (("db", "a", "c"), ("data",))


def test_shares_are_a_weight_unless_asked_otherwise():
    body = {"HostConfig": {"CpuShares": 2}}
    weight = parse(body)
    assert (weight.claim.nano_cpus, weight.body_for(NODE)["HostConfig"]["CpuShares"]) == (0, 2)
    cpus = weight.with_shares_as_cpus()
    assert cpus.claim.nano_cpus == 2_000_000_000
    assert cpus.body_for(NODE)["HostConfig"]["CpuShares"] == 683  # 2/3 of 1024, rounded up
    limited = parse({"HostConfig": {"CpuShares": 2, "NanoCpus": 7}}).with_shares_as_cpus()
    assert limited.claim.nano_cpus == 7


# ---- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = ["Image", "Env", "Labels", "ExposedPorts", "HostConfig", "NetworkingConfig", "Memory", "env"]
HOST_KEYS = ["Memory", "NanoCpus", "CpuQuota", "CpuPeriod", "PortBindings", "NetworkMode", "Links"]
HOST_CONFIG = JSON | st.dictionaries(st.sampled_from(HOST_KEYS), JSON)


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON)
    | st.fixed_dictionaries({"HostConfig": HOST_CONFIG, "NetworkingConfig": JSON})
)
def test_any_body_is_read_or_refused(body):
    try:
        config = parse(body)
    except BadRequest:
        return
    claim = config.claim
    assert isinstance(claim, Claim)
    assert 0 <= claim.memory < 2**63
    assert claim.nano_cpus >= 0
    assert all(0 < port.first <= port.last <= 65535 for port in claim.ports)
    config.body_for(a_node())
