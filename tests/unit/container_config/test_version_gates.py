"""Fields that older engines ignore: the table, field by field, and the rule made from it."""

import pytest

from swarmcore.container_config import ContainerConfig, Need
from swarmcore.container_config.version_gates import needs_of_connect
from swarmcore.errors import BadRequest, NoNodeFits
from swarmcore.scheduler import Scheduler
from swarmcore.scheduler.builtin_rules import need_rules
from swarmcore.testing.builders import a_config, a_decision, a_node
from swarmcore.versions import CEILING, ApiVersion

SYSCTLS = {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1"}


def host(**fields):
    return {"HostConfig": fields}


def mount(**fields):
    return host(Mounts=[{"Type": "volume", "Source": "data", "Target": "/data"}, fields])


def endpoint(**fields):
    return {"NetworkingConfig": {"EndpointsConfig": {"web": None, "back": fields}}}


#: Field, the version that brought it, a body that asks for it.
GATED = {
    "DeviceRequests": (40, host(DeviceRequests=[{"Count": -1}])),
    "BindOptions.NonRecursive": (40, mount(Type="bind", BindOptions={"NonRecursive": True})),
    "BindOptions.CreateMountpoint": (42, mount(BindOptions={"CreateMountpoint": True})),
    "Annotations": (43, host(Annotations={"a": "b"})),
    "BindOptions.ReadOnlyForceRecursive": (44, mount(BindOptions={"ReadOnlyForceRecursive": True})),
    "EndpointsConfig.MacAddress": (44, endpoint(MacAddress="02:42:ac:11:00:99")),
    "VolumeOptions.Subpath": (45, mount(VolumeOptions={"Subpath": "a"})),
    "TmpfsOptions.Options": (46, mount(Type="tmpfs", TmpfsOptions={"Options": [["noexec"]]})),
    f"EndpointsConfig.DriverOpts {next(iter(SYSCTLS))}": (46, endpoint(DriverOpts=SYSCTLS)),
    'Mount type "Image"': (48, mount(Type="image", Source="busybox")),
    "EndpointsConfig.GwPriority": (48, endpoint(GwPriority=-1)),
}
REFUSED = {
    "BindOptions.ReadOnlyForceRecursive",
    "VolumeOptions.Subpath",
    'Mount type "Image"',
}
HONOURED = {
    "DeviceRequests",
    "TmpfsOptions.Options",
    f"EndpointsConfig.DriverOpts {next(iter(SYSCTLS))}",
}


def at(minor, body, **more):
    return a_config(body=body, version=ApiVersion(1, minor), **more)


@pytest.mark.parametrize("field", GATED)
def test_a_field_needs_the_version_that_brought_it(field):
    minor, body = GATED[field]
    for asked in (minor, CEILING.minor):
        assert at(asked, body).needs == (Need(field, ApiVersion(1, minor)),)


@pytest.mark.parametrize("field", sorted(set(GATED) - REFUSED - HONOURED))
def test_on_an_older_path_a_field_means_nothing_as_to_engines(field):
    minor, body = GATED[field]
    assert at(minor - 1, body).needs == ()


@pytest.mark.parametrize("field", sorted(HONOURED))
def test_a_field_that_engines_heed_on_every_path_is_needed_on_every_path(field):
    minor, body = GATED[field]
    assert at(24, body).needs == (Need(field, ApiVersion(1, minor)),)


@pytest.mark.parametrize("field", sorted(REFUSED))
def test_a_field_that_engines_refuse_on_older_paths_has_their_error(field):
    minor, body = GATED[field]
    with pytest.raises(BadRequest) as raised:
        at(minor - 1, body)
    assert str(raised.value) == f"{field} needs API v1.{minor} or newer"


@pytest.mark.parametrize(
    "body",
    [
        {},
        host(DeviceRequests=None, Annotations={}, Mounts=None),
        host(Mounts=[None, "text", {"Type": "volume", "VolumeOptions": None}]),
        mount(Type="bind", BindOptions={"NonRecursive": False, "CreateMountpoint": None}),
        mount(VolumeOptions={"Subpath": "", "NoCopy": True}, TmpfsOptions=7),
        endpoint(MacAddress="", GwPriority=0, DriverOpts={"other": "1"}),
        {"HostConfig": None, "NetworkingConfig": {"EndpointsConfig": {"web": "text"}}},
        {"NetworkingConfig": 3},
    ],
    ids=str,
)
def test_a_plain_create_needs_no_version(body):
    assert at(51, body).needs == ()


def test_a_field_is_found_whatever_its_case():
    body = {"hostconfig": {"mounts": [{"type": "volume", "volumeoptions": {"SUBPATH": "a"}}]}}
    assert ContainerConfig.parse(body, version=ApiVersion(1, 45)).needs == (
        Need("VolumeOptions.Subpath", ApiVersion(1, 45)),
    )


def test_a_field_that_stands_twice_is_needed_once():
    part = {"Type": "volume", "VolumeOptions": {"Subpath": "a"}}
    assert len(at(45, host(Mounts=[part, part])).needs) == 1


def test_a_platform_is_a_parameter_since_1_41():
    assert at(41, {}, platform="linux/arm64").needs == (Need("platform", ApiVersion(1, 41)),)
    assert at(40, {}, platform="linux/arm64").needs == ()


def test_a_connect_needs_engines_that_know_its_fields():
    asked = {"MacAddress": "02:42:ac:11:00:99", "GwPriority": 3, "DriverOpts": SYSCTLS}
    assert {need.since for need in needs_of_connect(asked)} == {
        ApiVersion(1, 46),
        ApiVersion(1, 48),
    }
    for nothing in (None, {}, [], {"Aliases": ["a"]}):
        assert needs_of_connect(nothing) == ()


# ---- the rule


class Anywhere:
    name = "anywhere"

    def weigh(self, config, node):
        return (0,)


OLD, MIDDLE = (
    a_node(name, api_version=ApiVersion(1, minor)) for name, minor in (("a", 41), ("b", 43))
)


def test_an_engine_that_would_ignore_a_field_is_not_used():
    nodes = [OLD, MIDDLE, a_node("c", api_version=ApiVersion(1, 45))]
    decision = a_decision(
        Scheduler(Anywhere(), []), at(45, GATED["VolumeOptions.Subpath"][1]), nodes
    )
    assert [each.node.name for each in decision.candidates] == ["c"]


def test_a_refusal_names_the_field_and_the_versions():
    with pytest.raises(NoNodeFits) as raised:
        a_decision(
            Scheduler(Anywhere(), []), at(45, GATED["VolumeOptions.Subpath"][1]), [OLD, MIDDLE]
        )
    assert str(raised.value) == (
        "no node fits: 0 of 2 nodes:"
        " 2 VolumeOptions.Subpath needs API 1.45 (has 1.41 on a, 1.43 on b)"
    )
    (rule,) = need_rules(at(45, GATED["VolumeOptions.Subpath"][1]))
    assert f"{rule.text} {rule.check(OLD)}" == "VolumeOptions.Subpath needs API 1.45, has 1.41"


def test_a_refusal_by_many_counts_the_rest():
    nodes = [a_node(f"n{number}", api_version=ApiVersion(1, 41)) for number in range(5)]
    with pytest.raises(NoNodeFits, match=r"\(has 1.41 on n0, 1.41 on n1, 1.41 on n2 and 2 more\)"):
        a_decision(Scheduler(Anywhere(), []), at(43, GATED["Annotations"][1]), nodes)
