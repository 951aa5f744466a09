"""``docker cp``: both ways, 50 MB, directories, streams, and what is missing."""

import hashlib
import io
import os
import tarfile

import pytest

MB = 1_000_000


@pytest.fixture
def box(docker):
    return docker("run", "-d", "--name", "box", "busybox", "sleep", "600")


def test_50_mb_go_in_and_come_out_byte_for_byte(docker, box, tmp_path):
    content = os.urandom(MB) * 50
    (tmp_path / "in").write_bytes(content)
    docker("cp", str(tmp_path / "in"), "box:/tmp/file")
    inside = docker("exec", "box", "sha256sum", "/tmp/file").split()[0]
    assert inside == hashlib.sha256(content).hexdigest()
    docker("cp", "box:/tmp/file", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == content


def test_a_directory_keeps_its_tree(docker, box, tmp_path):
    tree = tmp_path / "tree" / "deep"
    tree.mkdir(parents=True)
    (tree / "a b.txt").write_text("text")
    docker("cp", str(tmp_path / "tree"), "box:/tmp/")
    assert docker("exec", "box", "cat", "/tmp/tree/deep/a b.txt") == "text"


def test_a_tar_stream_from_the_container(docker, box):
    docker("exec", "box", "sh", "-c", "echo x > /tmp/one")
    stream = docker("cp", "box:/tmp/one", "-", text=False)
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert tar.extractfile("one").read() == b"x\n"


def test_a_missing_path_says_so(docker, box, tmp_path):
    done = docker.run("cp", "box:/nowhere", str(tmp_path / "x"))
    assert done.returncode != 0
    assert "/nowhere" in done.stderr


def test_a_stopped_container_can_be_copied_from(docker, tmp_path):
    docker("run", "--name", "done", "busybox", "sh", "-c", "echo kept > /tmp/f")
    docker("cp", "done:/tmp/f", str(tmp_path / "f"))
    assert (tmp_path / "f").read_text() == "kept\n"


def test_export_is_a_tar_of_the_file_system(docker, box):
    stream = docker("export", "box", text=False)
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert "bin/busybox" in tar.getnames()
