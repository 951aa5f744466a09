"""A name gets a new image on one engine, while other engines have the old image of that name."""

import io
import json
import tarfile
import threading
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.waiting import wait_until

DOCKERFILE = "FROM busybox\nENV v={0}\nRUN echo {0} >/v\n"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def registry(lab):
    return lab.registry()


@pytest.fixture
def name(fleet, registry):
    """A name that no engine has before or after the test."""
    name = f"{registry.address}/team/{uuid.uuid4().hex[:12]}:1"
    yield name
    fleet.docker().remove_all()
    for engine in fleet.engines:
        direct = fleet.direct(engine)
        direct.remove_all()
        direct.run("rmi", "-f", name, f"{name}-old", f"{name}-copy")
        direct("image", "prune", "-f")


@pytest.fixture
def classic(fleet, make_docker):
    """The CLI with the classic builder."""
    return make_docker("20.10", fleet.manager.host, DOCKER_BUILDKIT="0")


def build(docker, name, version, *options):
    return docker("build", *options, "-t", name, "-", input=DOCKERFILE.format(version))


def put_everywhere(fleet, classic, name, version="1"):
    """Give every engine one image of that name, from the registry."""
    build(classic, name, version)
    classic("push", name)
    classic("pull", name)
    assert len(set(held(fleet, name).values())) == 1


def held(fleet, name):
    """Return the image that each engine calls *name*."""
    return {each: fleet.direct(each)("images", "-q", "--no-trunc", name) for each in fleet.engines}


def version_of(docker, name):
    found = json.loads(docker("image", "inspect", "-f", "{{json .Config.Env}}", name))
    return next((text for text in found if text.startswith("v=")), "")


def run_everywhere(fleet, docker, name):
    """Return the text in the image on each node, and on the node that the scheduler chooses."""
    places = [(), *(("-e", f"constraint:node=={node}") for node in fleet.engines)]
    return {docker("run", "--rm", *where, name, "cat", "/v") for where in places}


def image_of(archive):
    """Return the id of the one image in an archive of ``docker save``."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        [entry] = json.load(tar.extractfile("manifest.json"))
    return "sha256:" + entry["Config"].removeprefix("blobs/sha256/").removesuffix(".json")


def pushed_image(name):
    """Return the id of the image *name* in the registry."""
    repository, _, tag = name.rpartition(":")
    host, _, path = repository.partition("/")
    asked = urllib.request.Request(
        f"http://{host}/v2/{path}/manifests/{tag}", headers={"Accept": MANIFEST}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)["config"]["digest"]


def test_every_command_uses_the_image_that_the_name_was_last_given_to(
    fleet, classic, docker, name, registry
):
    put_everywhere(fleet, classic, name)
    old = docker("run", "-d", "-e", "constraint:node==old", name, "sleep", "600")
    [former] = set(held(fleet, name).values())
    build(classic, name, "2")
    new = docker("image", "inspect", "-f", "{{.Id}}", name)

    assert new != former
    assert version_of(docker, name) == "v=2"
    assert docker("history", "-q", "--no-trunc", name).splitlines()[0] == new
    assert docker("images", "-q", "--no-trunc", name) == new
    assert docker("images", "-q", "--no-trunc", "-a", name).splitlines() == [new]
    assert image_of(docker("save", name, text=False)) == new
    docker("push", name)
    assert pushed_image(name) == new
    # The former image is there, without the name, as on one engine.
    assert json.loads(docker("image", "inspect", "-f", "{{json .RepoTags}}", former)) == []
    assert docker("history", "-q", "--no-trunc", former).splitlines()[0] == former
    assert docker("ps", "--no-trunc", "--format", "{{.Image}}") == former
    assert docker("ps", "-q", "--no-trunc", "--filter", f"ancestor={name}") == ""
    assert docker("ps", "-q", "--no-trunc", "--filter", f"ancestor={former}") == old
    told = json.loads(docker("system", "df", "-v", "--format", "{{json .Images}}"))
    assert {row["ID"] for row in told if row["Repository"] == name.rpartition(":")[0]
            and row["Tag"] == "1"} <= {new, new[7:19]}  # fmt: skip

    docker("tag", name, f"{name}-copy")
    assert set(held(fleet, f"{name}-copy").values()) - {""} == {new}
    assert run_everywhere(fleet, docker, name) == {"2"}
    docker("rmi", f"{name}-copy", name)
    assert set(held(fleet, name).values()) == {""}
    assert docker.run("image", "inspect", name).returncode == 1


def tell(docker, name, node=""):
    """Give a name twice and remove it; return the answers."""
    where = ("-e", f"constraint:node=={node}") if node else ()
    told = []

    def say(*lines):
        told.extend(lines)

    build(docker, name, "1")
    first = docker("image", "inspect", "-f", "{{.Id}}", name)
    docker("run", "-d", "--name", "user", *where, name, "sleep", "600")
    docker("tag", name, f"{name}-old")
    build(docker, name, "2")
    second = docker("image", "inspect", "-f", "{{.Id}}", name)
    known = {first: "first", second: "second", first[7:19]: "first", second[7:19]: "second"}

    def read(*arguments):
        text = docker(*arguments)
        for id, word in known.items():
            text = text.replace(id, word)
        return text

    say(docker("run", "--rm", name, "cat", "/v"), docker("run", "--rm", f"{name}-old", "cat", "/v"))
    say(read("image", "inspect", "-f", "{{.Id}} {{.RepoTags}}", first))
    say(read("images", "--no-trunc", "--format", "{{.ID}} {{.Tag}}", name.rpartition(":")[0]))
    say(read("ps", "--format", "{{.Image}}"))
    docker("tag", f"{name}-old", name)
    say(read("ps", "--format", "{{.Image}}"))
    say(docker("run", "--rm", name, "cat", "/v"))
    say(read("image", "inspect", "-f", "{{.Id}} {{.RepoTags}}", second))
    build(docker, name, "2")
    say(read("image", "inspect", "-f", "{{.Id}} {{.RepoTags}}", name))
    say(read("image", "prune", "-f").splitlines()[0])
    say(docker.run("rmi", f"{name}-old").returncode)  # a container uses it
    docker("rmi", "-f", f"{name}-old")
    say(read("images", "-q", "--filter", "dangling=true", "--no-trunc"))
    say(read("rmi", name).splitlines()[0])
    say(docker.run("run", "--rm", "--pull=never", name).returncode)
    say(read("images", "-a", "--no-trunc", "--format", "{{.ID}} {{.Tag}}", first))
    docker("rm", "-f", "user")
    docker("rmi", first)
    say(docker.run("image", "inspect", first).returncode)
    return [each.replace(name, "NAME") if isinstance(each, str) else each for each in told]


def test_names_have_the_same_meaning_on_one_engine_and_on_three(fleet, make_docker, classic, name):
    address = fleet.engines["middle"].address
    single = make_docker("20.10", f"tcp://{address}", DOCKER_BUILDKIT="0")
    expected = tell(single, name)
    assert expected[0] == "2"
    assert tell(classic, name, "old") == expected


def by_buildkit(fleet, make_docker, name):
    build(make_docker("20.10", fleet.manager.host, DOCKER_BUILDKIT="1"), name, "2")


def by_buildx(fleet, make_docker, name):
    build(make_docker("28", fleet.manager.host), name, "2", "--load")


def by_commit(fleet, make_docker, name):
    docker = fleet.docker()
    docker("run", "--name", "work", "-e", "constraint:node==middle", "busybox", "sh", "-c",
           "echo 2 >/v")  # fmt: skip
    docker("commit", "-c", "ENV v=2", "work", name)


def by_tag(fleet, make_docker, name):
    build(make_docker("20.10", f"tcp://{fleet.engines['new'].address}", DOCKER_BUILDKIT="0"),
          f"{name}-copy", "2")  # fmt: skip
    docker = fleet.docker()
    wait_until(
        lambda: not docker.run("tag", f"{name}-copy", name).returncode,
        "the manager to hear of the copy",
    )


def by_load_on_one(fleet, make_docker, name):
    put_on(fleet, make_docker, "new", "2", name)
    archive = fleet.direct("new")("save", name, text=False)
    fleet.direct("old")("load", input=archive, text=False)


def by_load(fleet, make_docker, name):
    put_on(fleet, make_docker, "new", "2", name)
    archive = fleet.direct("new")("save", name, text=False)
    fleet.docker()("load", input=archive, text=False)


def by_import(fleet, make_docker, name):
    put_on(fleet, make_docker, "new", "2", f"{name}-copy")
    direct = fleet.direct("new")
    direct("create", "--name", "exported", f"{name}-copy")
    tar = direct("export", "exported", text=False)
    fleet.docker()("import", "-c", "ENV v=2", "-", name, input=tar, text=False)


def by_pull_on_one(fleet, make_docker, name):
    put_on(fleet, make_docker, "new", "2", name)
    fleet.direct("new")("push", name)
    fleet.direct("old")("pull", name)


def put_on(fleet, make_docker, engine, version, name):
    address = fleet.engines[engine].address
    build(make_docker("20.10", f"tcp://{address}", DOCKER_BUILDKIT="0"), name, version)


@pytest.mark.parametrize(
    "give",
    [by_buildkit, by_buildx, by_commit, by_tag, by_load, by_load_on_one, by_import,
     by_pull_on_one],
    ids=lambda give: give.__name__,
)  # fmt: skip
def test_a_name_moves_in_the_whole_cluster_however_it_is_given(
    fleet, make_docker, classic, name, give
):
    put_everywhere(fleet, classic, name)
    give(fleet, make_docker, name)
    docker = fleet.docker()
    if give in (by_load_on_one, by_pull_on_one):  # past the manager, which hears of it
        wait_until(lambda: version_of(docker, name) == "v=2", "the manager to know the new image")
    assert version_of(docker, name) == "v=2"
    assert run_everywhere(fleet, docker, name) == {"2"}
    docker("rmi", name)
    assert set(held(fleet, name).values()) == {""}


def test_a_name_means_an_image_that_is_built_again_from_the_cache(
    fleet, make_docker, classic, name
):
    put_everywhere(fleet, classic, name)
    for node, version in (("old", "1"), ("new", "2"), ("old", "1")):
        build(classic, name, version, "--build-arg", f"constraint:node=={node}")
        assert version_of(classic, name) == f"v={version}"
        where = ("-e", "constraint:node==middle")
        assert classic("run", "--rm", *where, name, "cat", "/v") == version


def test_a_pull_of_what_one_node_pushed_is_one_image_on_all(fleet, classic, name):
    put_everywhere(fleet, classic, name)
    build(classic, f"{name}-copy", "2")
    [there] = [each for each, id in held(fleet, f"{name}-copy").items() if id]
    direct = fleet.direct(there)
    direct("tag", f"{name}-copy", name)
    direct("push", name)
    classic("pull", name)
    assert len(set(held(fleet, name).values())) == 1
    assert run_everywhere(fleet, classic, name) == {"2"}


def test_a_name_means_one_image_while_others_are_busy(fleet, classic, name):
    docker = fleet.docker()
    stop = threading.Event()

    def bustle(number):
        while not stop.is_set():
            other = f"{name}-copy" if number % 2 else f"{name}-old"
            docker.run("run", "--rm", "busybox", "true")
            docker.run("tag", "busybox", other)
            docker.run("rmi", other)

    put_everywhere(fleet, classic, name)
    with ThreadPoolExecutor() as pool:
        busy = [pool.submit(bustle, number) for number in range(3)]
        try:
            build(classic, name, "2")
            assert version_of(docker, name) == "v=2"
            assert run_everywhere(fleet, docker, name) == {"2"}
        finally:
            stop.set()
    assert [each.exception() for each in busy] == [None] * len(busy)


def test_after_a_restart_the_image_dates_decide_and_are_logged(
    fleet, classic, make_docker, name, start_manager
):
    put_everywhere(fleet, classic, name)
    build(classic, name, "2")
    new = classic("image", "inspect", "-f", "{{.Id}}", name)
    docker = fleet.docker()
    tar = fleet.direct("old")("export", docker("create", "-e", "constraint:node==old", "busybox"),
                              text=False)  # fmt: skip
    docker("import", "-", f"{name}-copy", input=tar, text=False)

    manager = start_manager(",".join(engine.address for engine in fleet.engines.values()))
    manager.wait_healthy(len(fleet.engines))
    docker = make_docker("28", manager.host)
    assert docker("image", "inspect", "-f", "{{.Id}}", name) == new
    assert run_everywhere(fleet, docker, name) == {"2"}
    told = [
        line
        for line in manager.log.read_text().splitlines()
        if "nodes have different images" in line
    ]
    assert any(name in line and new in line for line in told)
    # Engines made three images of one import, which are one.
    assert not any(f"{name}-copy" in line for line in told)
    assert len(set(held(fleet, f"{name}-copy").values())) == len(fleet.engines)
    assert set(held(fleet, f"{name}-copy").values()) >= {
        docker("image", "inspect", "-f", "{{.Id}}", f"{name}-copy")
    }
    manager.stop()
