"""A file of engines is written again while the cluster works, without an interruption."""

import threading
import time

import pytest

PAUSE_SECONDS = 1.5


@pytest.fixture
def listed(engines, start_manager, tmp_path):
    """A manager of the three engines, which it finds in a file."""
    path = tmp_path / "cluster"
    path.write_text("".join(f"{engine.address}\n" for engine in engines.values()))
    manager = start_manager("--heartbeat", "5s", f"file://{path}")
    manager.wait_healthy(3)
    yield path, manager
    manager.stop()


def in_place(path, text):
    """Write a file slowly, as a program does that opens it for writing."""
    half = len(text) // 2
    with path.open("w") as file:
        for part in ("", text[:half], text[half:]):
            file.write(part)
            file.flush()
            time.sleep(PAUSE_SECONDS)


def test_a_file_that_is_written_in_place_empties_no_cluster(listed, make_docker):
    path, manager = listed
    docker = make_docker("28", manager.host)
    name = docker("run", "-d", "busybox", "sleep", "600")
    writing = threading.Thread(target=in_place, args=(path, path.read_text()))
    writing.start()
    lists = []
    while writing.is_alive():
        lists.append([each["Id"] for each in manager.get("/containers/json")])
        assert len(manager.statuses()) == 3
    writing.join()
    docker("rm", "-f", name)
    assert len(lists) > 5
    assert all(each == [name] for each in lists)


def test_engines_missing_in_a_replaced_file_are_removed_at_once(listed, wait_until):
    path, manager = listed
    other = path.with_name("other")
    other.write_text(path.read_text().splitlines()[0] + "\n")
    other.replace(path)
    wait_until(lambda: len(manager.statuses()) == 1, "two engines to leave", seconds=10)


def test_engines_missing_in_a_file_are_removed_after_three_heartbeats(listed, wait_until):
    path, manager = listed
    path.write_text(path.read_text().splitlines()[0] + "\n")
    wait_until(lambda: len(manager.statuses()) == 1, "two engines to leave", seconds=40)
