"""Which unix sockets a discovery may name as engines."""

import os

import pytest

from swarmcore.addresses import parse_address
from swarmcore.cluster.local_sockets import LocalSockets
from swarmcore.model import Entry

ADDRESSES = ("10.0.0.1:2375", "ssh://ops@n1", "unix:///run/docker.sock", "unix:///run/own.sock")


class Sink:
    def __init__(self):
        self.told = []

    def entries(self, entries, problems=()):
        self.told = [str(entry.address) for entry in entries], list(problems)

    def failed(self, reason):
        self.told = reason


def report(*addresses, allowed, own=("/run/own.sock",)):
    sink = Sink()
    sockets = LocalSockets(sink, "etcd", own, allowed=allowed)
    sockets.entries([Entry(parse_address(each)) for each in addresses], ["line 3: bad"])
    return sink.told


def test_a_list_from_a_server_names_no_unix_socket():
    usable, problems = report(*ADDRESSES, allowed=False)
    assert usable == ["10.0.0.1:2375", "ssh://ops@n1"]
    assert problems == [
        "line 3: bad",
        "the list from etcd:// names unix:///run/docker.sock, a socket of the manager's own"
        " machine; start the manager with --unix-engines to allow that",
        "unix:///run/own.sock is a socket on which this manager itself listens",
    ]


def test_even_the_operators_list_cannot_name_the_managers_own_socket():
    usable, problems = report(*ADDRESSES, allowed=True)
    assert usable == ["10.0.0.1:2375", "ssh://ops@n1", "unix:///run/docker.sock"]
    assert len(problems) == 2


@pytest.mark.parametrize("path", ["{0}/link", "{0}/./x/../own.sock", "{0}//own.sock"])
def test_another_path_of_the_own_socket_is_recognised(tmp_path, path):
    own = tmp_path / "own.sock"
    own.touch()
    (tmp_path / "x").mkdir()
    os.symlink(own, tmp_path / "link")
    usable, problems = report(f"unix://{path.format(tmp_path)}", allowed=True, own=[str(own)])
    assert usable == []
    assert "itself listens" in problems[1]


def test_a_failure_is_passed_on():
    sink = Sink()
    LocalSockets(sink, "etcd", (), allowed=False).failed("no answer")
    assert sink.told == "no answer"
