"""Image lists equal those of one engine, with parent images and images without names."""

import json
import urllib.request
import uuid
from urllib.parse import quote

import pytest

from tests.system.docker import Docker


class Api:
    """The API at one address."""

    def __init__(self, address):
        self._url = f"http://{address}/v1.41"

    def ask(self, method, path):
        asked = urllib.request.Request(f"{self._url}{path}", method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def list(self, query):
        return self.ask("GET", f"/images/json?{query}")

    def usage(self):
        return self.ask("GET", "/system/df")["Images"]


@pytest.fixture
def chain(fleet):
    """A name, and a function that commits ``base``, ``mid`` and ``top`` on a node in turn."""
    name = f"lab/{uuid.uuid4().hex[:12]}"
    docker = fleet.docker()

    def commit(node):
        ids = {}
        image = "busybox"
        for layer in ("base", "mid", "top"):
            where = ("-e", f"constraint:node=={node}")
            docker("run", "--name", layer, *where, image, "sh", "-c", f"echo {layer} >/{layer}")
            ids[layer] = docker("commit", "-c", f"LABEL {layer}=1", layer, f"{name}:{layer}")
            image = f"{name}:{layer}"
        docker("rm", *ids)
        return ids

    yield name, commit
    docker.remove_all()
    for engine in fleet.engines:
        direct: Docker = fleet.direct(engine)
        direct.run("rmi", "-f", *(f"{name}:{layer}" for layer in ("base", "mid", "top")))
        direct("image", "prune", "-f")


def filters(**wanted):
    return "filters=" + quote(json.dumps({key: [value] for key, value in wanted.items()}))


def queries(name, ids):
    """Return queries of clients; images for ``before`` and ``since`` are seconds apart."""
    yield from ("", "all=1", "all=0", "digests=1", "shared-size=1")
    for flag in ("true", "false"):
        yield filters(dangling=flag)
        yield "all=1&" + filters(dangling=flag)
    for layer in ("base", "mid", "top"):
        for key in ("before", "since"):
            yield filters(**{key: ids[layer]})
            yield "all=1&" + filters(**{key: ids[layer]})
        yield filters(label=f"{layer}=1")
        yield "all=1&" + filters(label=layer)
        yield filters(reference=f"{name}:{layer}")
    yield filters(reference=name)
    yield "all=1&" + filters(reference=f"{name}:*")


@pytest.mark.parametrize("node", ["old", "middle", "new"])
def test_parent_images_are_listed_as_by_their_engine(fleet, chain, node):
    name, commit = chain
    ids = commit(node)
    engine = Api(fleet.engines[node].address)
    manager = Api(fleet.manager.host.removeprefix("tcp://"))

    def listed(images):
        words = {id: layer for layer, id in ids.items()}
        return sorted(
            (words[image["Id"]], [tag for tag in image["RepoTags"] or () if "<none>" not in tag])
            for image in images
            if image["Id"] in words
        )

    def compare():
        for query in queries(name, ids):
            assert listed(manager.list(query)) == listed(engine.list(query)), query
        assert listed(manager.usage()) == listed(engine.usage())

    compare()
    # ``mid`` loses its name and is an intermediate image from then on.
    manager.ask("DELETE", f"/images/{name}:mid?noprune=1")
    assert [layer for layer, _ in listed(manager.list(""))] == ["base", "top"]
    compare()
    # So does ``top``, whose end of the chain is dangling.
    where = ("-e", f"constraint:node=={node}")
    fleet.docker()("run", "-d", *where, f"{name}:top", "sleep", "600")
    manager.ask("DELETE", f"/images/{name}:top?force=1&noprune=1")
    compare()
