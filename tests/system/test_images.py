"""Images of the whole cluster with the real CLIs: on every engine, byte for byte."""

import functools
import hashlib
import http.server
import json
import os
import threading

import pytest

from tests.system.tars import tar_of


@pytest.fixture
def names(fleet):
    """Image names for a test, which no engine has before or after it."""
    made = ("lab/made:1", "lab/made:2", "lab/other:1", "lab/saved:1", "lab/large:1")

    def drop():
        for engine in fleet.engines:
            fleet.direct(engine).run("rmi", "-f", *made)

    drop()
    yield made
    drop()


def holders(fleet, image):
    return [name for name in fleet.engines if fleet.direct(name)("images", "-q", image)]


def ids(fleet, image):
    return {fleet.direct(name)("images", "-q", "--no-trunc", image) for name in fleet.engines} - {
        ""
    }


def put(fleet, engine, image, content=b"x"):
    """Import an image directly on one engine."""
    tar = tar_of("data", content)
    fleet.direct(engine)("import", "-", image, input=tar, text=False)


def test_a_tag_is_on_every_holder_and_removed_from_every_holder(fleet, docker, names):
    docker("tag", "busybox", "lab/made:1")
    assert holders(fleet, "lab/made:1") == list(fleet.engines)
    assert "lab/made" in docker("images", "--format", "{{.Repository}}")
    told = docker("rmi", "lab/made:1")
    assert "Untagged: lab/made:1" in told
    assert holders(fleet, "lab/made:1") == []
    assert docker("images", "-q", "lab/made") == ""


def test_removing_an_unknown_image_has_dockers_error(fleet, docker):
    done = docker.run("rmi", "lab/none:1")
    assert done.returncode == 1
    assert "No such image: lab/none:1" in done.stderr


def test_an_image_in_use_is_reported_with_its_node(fleet, docker, names):
    docker("import", "-", "lab/made:1", input=tar_of("data", b"1"), text=False)
    fleet.direct("middle")("create", "--name", "user", "lab/made:1", "x")
    done = docker.run("rmi", "lab/made:1")
    assert done.returncode == 1
    assert "failed on 1 of 3 nodes: middle: " in done.stderr
    assert holders(fleet, "lab/made:1") == ["middle"]


def test_a_saved_image_is_loaded_into_every_engine_byte_for_byte(
    fleet, docker, names, wait_until, tmp_path
):
    put(fleet, "old", "lab/made:1", os.urandom(3 << 20))
    wait_until(lambda: docker("images", "-q", "lab/made:1"), "the manager to know the image")
    through, direct = tmp_path / "through.tar", tmp_path / "direct.tar"
    docker("save", "-o", str(through), "lab/made:1")
    fleet.direct("old")("save", "-o", str(direct), "lab/made:1")
    assert digest(through) == digest(direct)
    told = docker("load", "-i", str(through))
    assert told.count("Loaded image: lab/made:1") == 1
    assert holders(fleet, "lab/made:1") == list(fleet.engines)
    assert len(ids(fleet, "lab/made:1")) == 1
    assert docker("images", "-q", "lab/made:1").count("\n") == 0


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_images_are_saved_together_only_where_they_are_together(
    fleet, docker, names, wait_until, tmp_path
):
    put(fleet, "old", "lab/made:1", b"1")
    put(fleet, "new", "lab/other:1", b"2")
    for name in ("lab/made:1", "lab/other:1"):
        wait_until(lambda name=name: docker("images", "-q", name), f"the manager to know {name}")
    both = docker.run("save", "-o", str(tmp_path / "both.tar"), "lab/made:1", "lab/other:1")
    assert both.returncode == 1
    assert "lab/made:1 is on old; lab/other:1 is on new" in both.stderr
    docker("save", "-o", str(tmp_path / "two.tar"), "lab/made:1", "busybox")


def test_a_malformed_archive_is_an_error(fleet, docker, tmp_path):
    (tmp_path / "no.tar").write_bytes(b"no archive" * 5000)
    assert docker.run("load", "-i", str(tmp_path / "no.tar")).returncode == 1


def test_an_import_is_on_every_engine_and_runs_anywhere(fleet, docker, names):
    tar = fleet.direct("old")("export", docker("create", "-e", "constraint:node==old", "busybox"),
                              text=False)  # fmt: skip
    printed = docker("import", "-", "lab/made:1", input=tar, text=False).decode()
    assert printed.strip() in ids(fleet, "lab/made:1")
    assert holders(fleet, "lab/made:1") == list(fleet.engines)
    for node in fleet.engines:
        asked = ("run", "--rm", "-e", f"constraint:node=={node}", "lab/made:1", "echo", node)
        assert docker(*asked) == node


@pytest.fixture
def web_server(lab, tmp_path):
    """``address, folder`` of a web server that serves the folder to engines."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer((lab.gateway, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"{lab.gateway}:{server.server_port}", tmp_path
        server.shutdown()
        thread.join()


def test_every_engine_imports_from_a_url(fleet, docker, names, web_server):
    address, folder = web_server
    (folder / "made.tar").write_bytes(tar_of("data", b"1"))
    *_, last = docker("import", f"http://{address}/made.tar", "lab/made:1").splitlines()
    assert last in ids(fleet, "lab/made:1")
    assert holders(fleet, "lab/made:1") == list(fleet.engines)
    missing = docker.run("import", f"http://{address}/none.tar", "lab/made:2")
    assert (missing.returncode, "404 File not found" in missing.stderr) == (1, True)


def test_a_committed_container_is_run_where_its_image_is_and_elsewhere(fleet, docker, names):
    docker("run", "--name", "work", "-e", "constraint:node==middle", "busybox", "sh", "-c",
           "echo kept >/kept")  # fmt: skip
    docker("commit", "work", "lab/saved:1")
    assert holders(fleet, "lab/saved:1") == ["middle"]
    assert docker("run", "--rm", "lab/saved:1", "cat", "/kept") == "kept"
    for node in ("old", "new"):
        there = ("-e", f"constraint:node=={node}", "lab/saved:1", "cat", "/kept")
        assert docker("run", "--rm", *there) == "kept"
    assert holders(fleet, "lab/saved:1") == list(fleet.engines)
    labels = json.loads(docker("inspect", "-f", "{{json .Config.Labels}}", "lab/saved:1"))
    assert set(labels.values()) == {""}  # the first container's id, and where it had to be


def test_history_is_of_an_engine_that_has_the_image(fleet, docker, names):
    assert docker("history", "-q", "busybox") != ""
    assert docker.run("history", "lab/none:1").returncode == 1


def test_a_pushed_image_can_be_pulled_with_the_same_login(fleet, lab, docker, names, wait_until):
    registry = lab.registry(auth=("alice", "secret"))
    image = f"{registry.address}/team/pushed:1"
    docker("tag", "busybox", image)
    docker("logout", registry.address)
    assert docker.run("push", image).returncode == 1
    docker("login", "-u", "alice", "--password-stdin", registry.address, input="secret")
    try:
        assert "digest: sha256:" in docker("push", image)
        docker("rmi", image)
        docker("pull", image)
        assert holders(fleet, image) == list(fleet.engines)
    finally:
        docker.run("rmi", "-f", image)
        docker("logout", registry.address)


def test_disk_usage_is_of_all_engines(fleet, docker):
    docker("create", "-e", "constraint:node==old", "--name", "one", "busybox")
    docker("create", "-e", "constraint:node==new", "--name", "two", "busybox")
    rows = docker("system", "df", "--format", "{{.Type}}={{.TotalCount}}").splitlines()
    counts = dict(row.split("=") for row in rows)
    assert int(counts["Images"]) >= len(fleet.engines)
    assert counts["Containers"] == "2"
    told = docker("system", "df", "-v")
    assert "one" in told
    assert "two" in told


def test_prune_is_of_all_engines_and_known_at_once(fleet, docker, names):
    kept = docker("run", "-d", "busybox", "sleep", "600")
    for node in ("old", "new"):
        docker("create", "-e", f"constraint:node=={node}", "busybox")
    told = docker("container", "prune", "-f")
    assert "Total reclaimed space" in told
    assert docker("ps", "-aq", "--no-trunc") == kept
    tar = tar_of("data", b"unused")
    docker("import", "-c", "LABEL unused=1", "-", "lab/made:1", input=tar, text=False)
    docker("image", "prune", "-af", "--filter", "label=unused")
    assert holders(fleet, "lab/made:1") == []
    assert docker("images", "-q", "lab/made:1") == ""


def test_info_counts_the_images_that_are_listed(fleet, docker):
    docker("create", "--name", "base", "busybox")
    docker("commit", "base", "counted:1")
    assert int(docker("info", "--format", "{{.Images}}")) == len(docker("images", "-q").split())
    docker("rmi", "counted:1")
