"""Messages to systemd: where they go, and when they cannot go there."""

import logging
import os
import socket

import pytest

from swarmcore.systemd import Notifier


@pytest.mark.parametrize("kind", ["file", "abstract"])
async def test_a_message_is_one_datagram_of_lines(tmp_path, kind):
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path if kind == "file" else f"\0{path}")
        environ = {"NOTIFY_SOCKET": path if kind == "file" else f"@{path}", "HOME": "/"}
        await Notifier(environ).tell(READY=1, STATUS="two\nlines")
        assert sock.recv(100) == b"READY=1\nSTATUS=two\\nlines"
    assert environ == {"HOME": "/"}


async def test_without_systemd_nothing_is_sent(caplog):
    notifier = Notifier({})
    await notifier.tell(READY=1)
    assert (notifier.is_used, notifier.watchdog_seconds, caplog.records) == (False, 0.0, [])


async def test_the_first_failure_in_a_row_is_logged(tmp_path, caplog):
    path = f"{tmp_path}/notify"
    notifier = Notifier({"NOTIFY_SOCKET": path})
    for _ in range(3):
        await notifier.tell(WATCHDOG=1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        await notifier.tell(WATCHDOG=1)
    await notifier.tell(STOPPING=1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "could not be told STOPPING" in caplog.text


@pytest.mark.parametrize(
    ("pid", "seconds"), [("", 30.0), (str(os.getpid()), 30.0), ("1", 0.0)], ids=["", "ours", "not"]
)
def test_the_watchdog_is_for_the_process_that_it_names(pid, seconds):
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": pid}
    assert Notifier(environ).watchdog_seconds == seconds
