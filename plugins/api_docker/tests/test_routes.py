"""The route table is complete, has no route twice, and names what is not supported."""

import re

import pytest
from swarmcore_api_docker import read_name_style, swarmcore_routes

from swarmcore.errors import ConfigError, NotSupported, Unavailable

#: Every path of the Docker Engine API up to 1.51, swarm mode's reads among them.
DOCUMENTED = """
HEAD /_ping|GET /_ping|GET /version|GET /info|GET /events|GET /system/df|POST /auth
GET /containers/json|POST /containers/create|GET /containers/{}/json|GET /containers/{}/top
GET /containers/{}/logs|GET /containers/{}/changes|GET /containers/{}/export
GET /containers/{}/stats|POST /containers/{}/resize|POST /containers/{}/start
POST /containers/{}/stop|POST /containers/{}/restart|POST /containers/{}/kill
POST /containers/{}/update|POST /containers/{}/rename|POST /containers/{}/pause
POST /containers/{}/unpause|POST /containers/{}/attach|GET /containers/{}/attach/ws
POST /containers/{}/wait|DELETE /containers/{}|HEAD /containers/{}/archive
GET /containers/{}/archive|PUT /containers/{}/archive|POST /containers/prune
POST /containers/{}/exec|POST /exec/{}/start|POST /exec/{}/resize|GET /exec/{}/json
GET /containers/{}/checkpoints|POST /containers/{}/checkpoints
DELETE /containers/{}/checkpoints/{}|POST /commit|GET /images/json|POST /images/create
GET /images/{}/json|GET /images/{}/history|POST /images/{}/push|POST /images/{}/tag
DELETE /images/{}|GET /images/search|POST /images/prune|GET /images/{}/get|GET /images/get
POST /images/load|POST /build|POST /build/prune|POST /build/cancel|POST /session|POST /grpc
GET /distribution/{}/json|GET /networks|GET /networks/{}|POST /networks/create
POST /networks/{}/connect|POST /networks/{}/disconnect|DELETE /networks/{}|POST /networks/prune
GET /volumes|GET /volumes/{}|POST /volumes/create|PUT /volumes/{}|DELETE /volumes/{}
POST /volumes/prune|GET /plugins|GET /plugins/{}/json|GET /plugins/privileges|POST /plugins/pull
POST /plugins/create|POST /plugins/{}/enable|POST /plugins/{}/disable|POST /plugins/{}/push
POST /plugins/{}/set|POST /plugins/{}/upgrade|DELETE /plugins/{}|GET /swarm|POST /swarm/init
POST /swarm/join|POST /swarm/leave|POST /swarm/update|GET /swarm/unlockkey|POST /swarm/unlock
GET /nodes|GET /nodes/{}|DELETE /nodes/{}|POST /nodes/{}/update|GET /services
POST /services/create|GET /services/{}|DELETE /services/{}|POST /services/{}/update
GET /services/{}/logs|GET /tasks|GET /tasks/{}|GET /tasks/{}/logs|GET /secrets
POST /secrets/create|GET /secrets/{}|DELETE /secrets/{}|POST /secrets/{}/update|GET /configs
POST /configs/create|GET /configs/{}|DELETE /configs/{}|POST /configs/{}/update
"""


def table():
    return {
        f"{route.method} {re.sub('{[^}]*}', '{}', route.template)}": route
        for route in swarmcore_routes({})
    }


def test_every_documented_path_has_an_answer():
    documented = set(re.split(r"[|\n]", DOCUMENTED.strip()))
    assert documented - table().keys() == set()


def test_no_path_is_claimed_twice():
    assert len(table()) == len(swarmcore_routes({}))


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("PUT /volumes/{}", Unavailable, "swarm is unavailable"),
        ("POST /build", Unavailable, "no healthy engine"),
        ("GET /images/{}/attestations", NotSupported, "image attestations: not supported"),
        ("POST /swarm/init", NotSupported, "not supported"),
        ("POST /swarm/leave", Unavailable, "This node is not part of a swarm"),
        ("GET /images/viz", NotSupported, "not supported"),
        ("GET /services", Unavailable, "This node is not a swarm manager"),
    ],
)
async def test_an_unsupported_path_says_so(docker, path, error, words):
    exchange = docker.Exchange(docker.Cluster(), *path.split(" "), params={})
    with pytest.raises(error, match=words):
        await table()[path].handler(exchange)


@pytest.mark.parametrize(
    ("options", "style"),
    [({}, "plain"), ({"swarm.names": "classic"}, "classic"), ({"swarm.names": "both"}, "both")],
    ids=str,
)
def test_the_names_option(options, style):
    assert read_name_style(options) == style


def test_a_wrong_value_of_an_option_is_refused_with_the_right_ones():
    with pytest.raises(ConfigError, match=r"swarm\.names=pretty: use plain, classic or both"):
        swarmcore_routes({"swarm.names": "pretty"})
