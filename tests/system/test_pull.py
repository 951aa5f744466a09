"""An image that no engine has is pulled with the client's credentials on the chosen node."""

import pytest


@pytest.fixture(scope="module")
def registry(lab, engines):
    """A registry that requires a login, with the image ``team/tool``."""
    registry = lab.registry(auth=("alice", "secret"))
    for tag in ("run", "denied", "pull"):
        registry.push(engines["old"], "busybox:latest", f"team/tool:{tag}")
    return registry


@pytest.fixture
def image(registry, engines, fleet):
    """The name of the registry's image, which no engine has before and after."""
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


def test_a_pull_of_an_unknown_image_fails_as_on_one_engine(docker, registry):
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    done = docker.run("pull", f"{registry.address}/team/none:1")
    assert done.returncode == 1
    assert "not found" in done.stderr or "manifest unknown" in done.stderr


# ---- a registry that some engines cannot reach


@pytest.fixture
def cut_from_registry(engines, registry):
    """Cut engines off a registry, like a firewall, until the test ends."""
    host, _, port = registry.address.partition(":")
    rule = ("OUTPUT", "-p", "tcp", "-d", host, "--dport", port, "-j", "REJECT")
    cut = []

    def cut_off(*names):
        for name in names:
            engines[name].run("iptables", "-I", *rule)
            cut.append(name)

    def mend():
        while cut:
            engines[cut.pop()].run("iptables", "-D", *rule)

    cut_off.mend = mend
    yield cut_off
    mend()


def failed_pulls(fleet, registry):
    """Return node -> its failures with *registry*; other tests may have caused other failures."""
    return {
        node["Name"]: [each for each in node["FailedPulls"] if each["Scope"] == registry.address]
        for node in fleet.manager.get("/swarmcore/nodes")
    }


def test_a_node_that_cannot_pull_is_avoided_and_shown(
    fleet, docker, registry, image, cut_from_registry
):
    image = image("run")
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    cut_from_registry("middle", "new")  # which are chosen first, by their names
    try:
        for name in ("middle", "new"):
            done = docker.run("run", "--name", "tool", "--rm", image, "true")
            direct = fleet.direct(name).run("pull", image)
            assert done.returncode == 125
            assert "connection refused" in done.stderr
            assert "connection refused" in direct.stderr
            (decision,) = fleet.manager.get("/swarmcore/decisions?limit=1")
            assert (decision["Name"], decision["Node"]) == ("tool", name)
            assert "connection refused" in decision["Failure"]
            (failed,) = failed_pulls(fleet, registry)[name]
            assert (failed["Image"], failed["Count"]) == (image, 1)
            log = fleet.manager.log.read_text()
            assert f"pulling {image} on {name} failed" in log
        assert docker("run", "--name", "tool", "--rm", image, "echo", "pulled") == "pulled"
        assert holders(fleet, image) == ["old"]
    finally:
        cut_from_registry.mend()
        docker("pull", image)  # which shows that all is well again
    assert failed_pulls(fleet, registry) == {name: [] for name in fleet.engines}


def test_a_refused_login_counts_against_no_node(fleet, docker, registry):
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    assert docker.run("run", "--rm", f"{registry.address}/team/none:1", "true").returncode == 125
    docker("logout", registry.address)
    assert docker.run("run", "--rm", f"{registry.address}/team/tool:x", "true").returncode == 125
    assert failed_pulls(fleet, registry) == {name: [] for name in fleet.engines}
