"""An image that no engine has: pulled with the client's own credentials, where it will run."""

import pytest


@pytest.fixture(scope="module")
def registry(lab, engines):
    """A registry that wants a name and a password, and holds ``team/tool``."""
    registry = lab.registry(auth=("alice", "secret"))
    for tag in ("run", "denied", "pull"):
        registry.push(engines["old"], "busybox:latest", f"team/tool:{tag}")
    return registry


@pytest.fixture
def image(registry, engines, fleet):
    """Name a tag of the registry's image, which no engine has before and after."""
    names = []

    def drop(name):
        for engine in engines:
            fleet.direct(engine).run("rmi", "-f", name)

    def name_of(tag):
        names.append(f"{registry.address}/team/tool:{tag}")
        drop(names[-1])
        return names[-1]

    yield name_of
    for name in names:
        drop(name)


def holders(fleet, image):
    return [name for name in fleet.engines if fleet.direct(name)("images", "-q", image)]


def test_run_pulls_onto_the_chosen_engine_and_runs(fleet, docker, registry, image):
    image = image("run")
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    done = docker.run("run", "--rm", "-e", "constraint:node==new", image, "echo", "pulled")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "pulled\n"
    assert "Unable to find image" in done.stderr
    assert holders(fleet, image) == ["new"]


def test_run_without_credentials_is_the_registrys_refusal(fleet, docker, registry, image):
    image = image("denied")
    docker("logout", registry.address)
    done = docker.run("run", "--rm", image, "true")
    assert done.returncode == 125
    assert holders(fleet, image) == []


def test_pull_puts_the_image_on_every_engine_and_lists_it_once(fleet, docker, registry, image):
    image = image("pull")
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    docker("pull", image)
    assert holders(fleet, image) == list(fleet.engines)
    assert len(docker("images", "-q", image).split()) == 1
    assert image in docker("inspect", "--type", "image", "-f", "{{.RepoTags}}", image)


def test_an_image_on_one_engine_only_is_run_there(fleet, docker, wait_until):
    fleet.direct("middle")("tag", "busybox", "only/here:1")
    wait_until(lambda: docker("images", "-q", "only/here:1"), "the manager to know the image")
    try:
        id = docker("run", "-d", "only/here:1", "sleep", "600")
        assert docker("inspect", "-f", "{{.Node.Name}}", id) == "middle"
    finally:
        docker("rm", "-f", id)
        fleet.direct("middle")("rmi", "only/here:1")


def test_a_pull_of_nothing_fails_as_on_one_engine(docker, registry):
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    done = docker.run("pull", f"{registry.address}/team/none:1")
    assert done.returncode == 1
    assert "not found" in done.stderr or "manifest unknown" in done.stderr
