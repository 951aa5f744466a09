"""``docker logs``: following, the last lines, since, timestamps, separate streams."""

import time

TALK = "i=0; while test $i -lt 5; do echo line $i; i=$((i+1)); done; echo oops >&2"


def test_logs_are_complete_and_have_separate_streams(docker):
    docker("run", "--name", "talk", "busybox", "sh", "-c", TALK)
    done = docker.run("logs", "talk")
    assert done.stdout.splitlines() == [f"line {i}" for i in range(5)]
    assert done.stderr == "oops\n"


def test_tail(docker):
    docker("run", "--name", "talk", "busybox", "sh", "-c", TALK)
    assert docker("logs", "--tail", "2", "talk").splitlines()[-1] == "line 4"


def test_since_leaves_out_what_is_older(docker):
    docker("run", "--name", "talk", "busybox", "sh", "-c", TALK)
    later = str(int(time.time()) + 60)
    assert docker("logs", "--since", later, "talk") == ""
    assert "line 4" in docker("logs", "--since", "1h", "talk")


def test_follow_shows_lines_as_they_are_written_and_ends_with_the_container(docker):
    docker("run", "-di", "--name", "talk", "busybox", "sh", "-c", "echo first; read x; echo $x")
    logs = docker.start("logs", "-f", "talk")
    assert logs.stdout.readline() == "first\n"
    docker("attach", "talk", input="last\n")
    assert logs.stdout.readline() == "last\n"
    assert logs.wait(60) == 0
    logs.stdout.close()
    logs.stderr.close()


def test_timestamps(docker):
    docker("run", "--name", "talk", "busybox", "echo", "x")
    stamp, text = docker("logs", "-t", "talk").split()
    assert stamp[:2] == "20"
    assert text == "x"
