"""docker, the SDK for Python: images, networks and volumes."""

import io
import tarfile

import pytest
from docker.errors import APIError, BuildError, ImageNotFound, NotFound

# It leaves the sockets of streams and of timeouts to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SDK = "docker SDK for Python"
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


def dockerfile(*lines):
    """Return a context of one Dockerfile, for ``fileobj``."""
    return io.BytesIO("\n".join(lines).encode())


@pytest.mark.client(SDK, "pulls an image that a run finds missing")
def test_missing_image(sdk, registry):
    image = f"{registry.address}/tool:1"
    with pytest.raises(ImageNotFound, match="No such image"):
        sdk.containers.create(image)
    assert sdk.containers.run(image, ["echo", "pulled"], remove=True) == b"pulled\n"
    assert image in sdk.images.get(image).tags


@pytest.mark.client(SDK, "pulls, whole or line by line")
def test_pull(sdk, registry):
    repository = f"{registry.address}/tool"
    lines = list(sdk.api.pull(repository, tag="1", stream=True, decode=True))
    assert any(line.get("status", "").startswith("Digest: sha256:") for line in lines)
    image = sdk.images.pull(repository, tag="1")
    assert f"{repository}:1" in image.tags
    assert sdk.images.get_registry_data(f"{repository}:1").id.startswith("sha256:")
    with pytest.raises(NotFound, match=r"not found|manifest unknown"):
        sdk.images.pull(repository, tag="none")


@pytest.mark.client(SDK, "tags, pushes, removes, and pulls back")
def test_push(sdk, registry):
    repository = f"{registry.address}/pushed"
    assert sdk.images.get("busybox").tag(repository, tag="2") is True
    lines = list(sdk.images.push(repository, tag="2", stream=True, decode=True))
    assert not [line for line in lines if "error" in line]
    assert any(line.get("aux", {}).get("Tag") == "2" for line in lines)
    sdk.images.remove(f"{repository}:2")
    with pytest.raises(ImageNotFound):
        sdk.images.get(f"{repository}:2")
    assert f"{repository}:2" in sdk.images.pull(repository, tag="2").tags


@pytest.mark.client(SDK, "logs in at a registry")
def test_login(sdk, lab, registry):
    assert sdk.login("anyone", "secret", registry=registry.address)["Status"] == "Login Succeeded"


@pytest.mark.client(SDK, "lists and inspects images, with filters and history")
def test_lists_images(sdk):
    sdk.images.get("busybox").tag("lab/made", tag="1")
    assert ["lab/made:1"] in [
        [tag for tag in image.tags if tag.startswith("lab/made")] for image in sdk.images.list()
    ]
    [image] = sdk.images.list(filters={"reference": "lab/made"})
    assert sdk.images.list("lab/made") == [image]
    assert sdk.images.list("lab/none") == []
    assert image.attrs["Os"] == "linux"
    assert len(image.history()) == 1
    with pytest.raises(ImageNotFound, match="No such image: lab/none:latest"):
        sdk.images.get("lab/none")


@pytest.mark.client(SDK, "saves an image and loads it again")
def test_save(sdk):
    sdk.images.get("busybox").tag("lab/saved", tag="1")
    archive = b"".join(sdk.images.get("lab/saved:1").save(named=True))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert "manifest.json" in tar.getnames()
    sdk.images.remove("lab/saved:1")
    [image] = sdk.images.load(archive)
    assert "lab/saved:1" in image.tags


@pytest.mark.client(SDK, "commits a container and imports a file system")
def test_commit(sdk):
    web = sdk.containers.run("busybox", ["touch", "/made"], detach=True)
    web.wait()
    image = web.commit("lab/made", tag="1", changes=["LABEL from=web"])
    assert image.labels["from"] == "web"
    assert sdk.containers.run("lab/made:1", ["ls", "/made"], remove=True) == b"/made\n"
    sdk.api.import_image_from_data(b"".join(web.export()), repository="lab/imported", tag="1")
    assert sdk.containers.run("lab/imported:1", ["ls", "/made"], remove=True) == b"/made\n"


@pytest.mark.client(SDK, "builds with arguments, labels and a target, and runs what it built")
def test_build(sdk):
    context = dockerfile(
        "FROM busybox AS first",
        "ARG WORD=none",
        "RUN echo $WORD >/word",
        "FROM first AS second",
        "RUN echo no >/word",
    )
    image, lines = sdk.images.build(
        fileobj=context,
        tag="lab/built:1",
        buildargs={"WORD": "hello"},
        labels={"by": "sdk"},
        target="first",
        rm=True,
    )
    assert any("Successfully built" in line.get("stream", "") for line in lines)
    assert image.labels["by"] == "sdk"
    assert sdk.containers.run("lab/built:1", ["cat", "/word"], remove=True) == b"hello\n"


@pytest.mark.client(SDK, "raises BuildError with the log of a build that fails")
def test_build_fails(sdk):
    with pytest.raises(BuildError, match="returned a non-zero code: 3") as failed:
        sdk.images.build(fileobj=dockerfile("FROM busybox", "RUN echo why; exit 3"), rm=True)
    assert any(line.get("stream") == "why\n" for line in failed.value.build_log)
    with pytest.raises(APIError, match=r"(?i)unknown instruction: NONSENSE"):
        sdk.images.build(fileobj=dockerfile("FROM busybox", "NONSENSE"))


@pytest.mark.client(SDK, "prunes images")
def test_prune_images(sdk):
    sdk.images.build(fileobj=dockerfile("FROM busybox", "LABEL stale=1"), rm=True)
    pruned = sdk.images.prune(filters={"dangling": True, "label": "stale"})
    assert any("Deleted" in row for row in pruned["ImagesDeleted"])
    assert sdk.images.prune(filters={"label": "stale"})["ImagesDeleted"] is None


@pytest.mark.client(SDK, "makes a network, on which containers find each other by name and alias")
def test_network(sdk):
    backend = sdk.networks.create("backend", labels={"tier": "back"}, check_duplicate=True)
    db = sdk.containers.run("busybox", STILL, name="db", network="backend", detach=True)
    web = sdk.containers.run("busybox", STILL, name="web", network="backend", detach=True)
    assert web.exec_run(["ping", "-c1", "db"]).exit_code == 0
    backend.reload()
    assert {found.name for found in backend.containers} == {"db", "web"}
    backend.disconnect(db)
    backend.connect(db, aliases=["store"])
    assert web.exec_run(["ping", "-c1", "store"]).exit_code == 0
    with pytest.raises(APIError, match="has active endpoints") as refused:
        backend.remove()
    assert refused.value.status_code in (403, 409)


@pytest.mark.client(SDK, "lists, finds, refuses and removes networks")
def test_networks(sdk):
    backend = sdk.networks.create("backend", driver="bridge", labels={"tier": "back"})
    assert [found.name for found in sdk.networks.list(names=["backend"])] == ["backend"]
    assert sdk.networks.list(filters={"label": "tier=back"}) == [backend]
    assert sdk.networks.get("backend").attrs["Driver"] == "bridge"
    assert sdk.networks.list(ids=[backend.id], greedy=True)[0].attrs["Containers"] == {}
    with pytest.raises(APIError, match="network with name backend already exists") as refused:
        sdk.networks.create("backend", check_duplicate=True)
    assert refused.value.status_code == 409
    backend.remove()
    with pytest.raises(NotFound, match="network backend not found"):
        sdk.networks.get("backend")
    sdk.networks.create("unused")
    assert sdk.networks.prune() == {"NetworksDeleted": ["unused"]}
    assert sdk.networks.prune() == {"NetworksDeleted": None}


@pytest.mark.client(SDK, "keeps data in a volume from one container to the next")
def test_volume(sdk):
    data = sdk.volumes.create("data", labels={"kept": "1"})
    mounts = {"data": {"bind": "/data", "mode": "rw"}}
    sdk.containers.run("busybox", ["touch", "/data/made"], volumes=mounts, remove=True)
    user = sdk.containers.run("busybox", ["ls", "/data"], volumes=mounts, detach=True)
    user.wait()
    assert user.logs() == b"made\n"
    assert sdk.volumes.list(filters={"label": "kept=1"}) == [data]
    assert sdk.volumes.get("data").attrs["Driver"] == "local"
    with pytest.raises(APIError, match="volume is in use") as refused:
        data.remove()
    assert refused.value.status_code == 409
    user.remove()
    data.remove()
    with pytest.raises(NotFound, match="no such volume"):
        sdk.volumes.get("data")


@pytest.mark.client(SDK, "prunes volumes: those without a name, and all when asked")
def test_prune_volumes(sdk):
    sdk.volumes.create("named")
    unnamed = sdk.volumes.create()
    assert len(unnamed.name) == 64
    everything = sdk.volumes.prune(filters={"all": True})
    assert set(everything["VolumesDeleted"]) == {"named", unnamed.name}
    assert sdk.volumes.list() == []
