"""The network in the create of an old engine, and the networks that are connected later."""

import pytest

from swarmcore.container_config.engine_body import divide_endpoints
from swarmcore.testing.builders import a_node
from swarmcore.versions import ApiVersion

OLD, NEW = ApiVersion(1, 41), ApiVersion(1, 44)
NODE = a_node(networks=["web", "back"], api_version=OLD)
WEB, BACK = ({"Aliases": ["w"]}, {"Aliases": ["b"]})


def id_of(name):
    return next(id for id, network in NODE.networks.items() if network["Name"] == name)


def create(mode, **endpoints):
    return {
        "Image": "busybox",
        "HostConfig": {"NetworkMode": mode},
        "NetworkingConfig": {"EndpointsConfig": endpoints, "Unknown": 1},
    }


def divide(body, *, node=NODE, version=NEW):
    first, later = divide_endpoints(body, node, version)
    return list(first["NetworkingConfig"]["EndpointsConfig"]), later


@pytest.mark.parametrize(
    ("mode", "endpoints", "first"),
    [
        ("web", {"web": WEB, "back": BACK}, "web"),
        ("web", {"back": BACK, "web": WEB}, "web"),
        (id_of("web"), {"back": BACK, "web": WEB}, "web"),
        ("web", {"back": BACK, id_of("web"): WEB}, id_of("web")),
        ("default", {"back": BACK, "default": WEB}, "default"),
        ("default", {"back": BACK, "bridge": WEB}, "bridge"),
        ("bridge", {"back": BACK, "default": WEB}, "default"),
        (None, {"web": WEB, "back": BACK}, "web"),
        ("ghost", {"web": WEB, "back": BACK}, "web"),
    ],
)
def test_the_network_of_the_mode_comes_first_and_the_others_later(mode, endpoints, first):
    kept, later = divide(create(mode, **endpoints))
    assert kept == [first]
    assert later == {name: value for name, value in endpoints.items() if name != first}


def test_the_rest_of_the_body_stays():
    body = create("web", web=WEB, back=BACK)
    first, _ = divide_endpoints(body, NODE, NEW)
    assert first == {
        **body,
        "NetworkingConfig": {"EndpointsConfig": {"web": WEB}, "Unknown": 1},
    }


@pytest.mark.parametrize(
    ("body", "node", "version"),
    [
        (create("web", web=WEB, back=BACK), a_node(api_version=NEW), NEW),
        (create("web", web=WEB, back=BACK), NODE, OLD),
        (create("web", web=WEB), NODE, NEW),
        (create("host", web=WEB, back=BACK), NODE, NEW),
        (create("none", web=WEB, back=BACK), NODE, NEW),
        (create("container:db", web=WEB, back=BACK), NODE, NEW),
        (create(7, web=WEB, back=BACK), NODE, NEW),
        ({"Image": "busybox"}, NODE, NEW),
        ({"HostConfig": None, "NetworkingConfig": {"EndpointsConfig": None}}, NODE, NEW),
        ({"NetworkingConfig": "text"}, NODE, NEW),
    ],
    ids=str,
)
def test_a_body_that_the_engine_can_handle_stays_whole(body, node, version):
    assert divide_endpoints(body, node, version) == (body, {})
