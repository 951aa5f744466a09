"""The primary dies, stops or loses the store, while clients create containers."""

import http.client
import itertools
import json
import signal
import threading
import time
from collections import Counter
from contextlib import closing

import pytest

from tests.system.waiting import wait_until

#: A store, a manager or this test may be late by a few seconds.
TTL_SECONDS = 10
TAKEOVER_SECONDS = 1.5 * TTL_SECONDS
#: Of a client for an answer: a takeover may come within it.
PATIENCE_SECONDS = 2 * TAKEOVER_SECONDS


class Client:
    """Creates containers one after another, each with the next manager, and retries once.

    Like a load balancer, it uses a manager only if that answers a ping at the moment.
    """

    def __init__(self, name, managers, stopping):
        self._name = name
        self._ports = itertools.cycle([member.manager.port for member in managers.members])
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run)
        self.created, self.failures = [], []
        self._thread.start()

    def join(self):
        self._thread.join()

    def _run(self):
        for number in itertools.count():
            if self._stopping.wait(0.05):
                return
            name = f"{self._name}-{number}"
            first, why = self._create(name)
            second = first
            if first != 201:
                second, why_again = self._create(name)
                why = f"{why}, then {why_again}"
            # The first attempt may have been done although nobody heard of it.
            if second == 201 or (second == 409 and first != 409):
                self.created.append(name)
            else:
                self.failures.append(f"{name}: {why}")

    def _create(self, name):
        """Return status and body; after an error of the connection, status 0 and the error."""
        port = next(port for port in self._ports if self._pings(port))
        try:
            return self._ask(
                port, PATIENCE_SECONDS, "POST", f"/v1.41/containers/create?name={name}"
            )
        except (OSError, http.client.HTTPException) as error:
            return 0, f"{port}: {error!r}"

    def _pings(self, port):
        try:
            return self._ask(port, 1, "GET", "/_ping")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def _ask(self, port, seconds, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        with closing(connection):
            body = json.dumps({"Image": "busybox"}) if method == "POST" else None
            connection.request(method, path, body, {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                return answer.status, f"{port}: {answer.read()!r}"


@pytest.fixture
def clients():
    """Start clients, and end all of them."""
    stopping, started = threading.Event(), []

    def start(managers, names):
        started.extend(Client(name, managers, stopping) for name in names)
        return started

    def stop():
        stopping.set()
        for client in started:
            client.join()

    start.stop = stop
    yield start
    stop()


def wait_progress(clients):
    """Wait until two more creates of a client have succeeded."""
    before = sum(len(client.created) for client in clients)
    wait_until(
        lambda: sum(len(client.created) for client in clients) >= before + 2, "clients to be served"
    )


def test_a_primary_that_is_lost_in_any_way_has_one_successor_in_time(
    start_managers, clients, on_engines
):
    """It is killed while there are three managers; stopped, cut off and asked to end with two.

    A manager that is asked to end resigns long before its mandate ends; the contract has the limit.
    """
    managers = start_managers(3, TTL_SECONDS)
    working = clients(managers, "abc")
    wait_progress(working)

    def lose(how, undo=lambda leader: None, seconds=TAKEOVER_SECONDS):
        mandate, leader = managers.mandates()[-1], managers.leader()
        lost_at = time.time()
        how(leader)
        successor = managers.wait_successor(mandate)
        assert successor.began - lost_at < seconds
        undo(leader)
        wait_progress(working)
        return leader

    killed = lose(lambda leader: leader.signal(signal.SIGKILL))
    left = [member for member in managers.members if member is not killed]
    lose(
        lambda leader: leader.signal(signal.SIGSTOP),
        undo=lambda leader: leader.signal(signal.SIGCONT),
    )
    managers.wait_settled(left)
    lose(lambda leader: leader.proxy.freeze(), undo=lambda leader: leader.proxy.thaw())
    managers.wait_settled(left)
    lose(lambda leader: leader.manager.stop(), seconds=TTL_SECONDS / 2)

    clients.stop()
    assert [client.failures for client in working] == [[], [], []]
    mandates = managers.mandates()
    assert len(mandates) >= 5
    for before, after in itertools.pairwise(mandates):
        assert before.ended <= after.began
        assert before.term < after.term
    counted = Counter(on_engines())
    assert {name for client in working for name in client.created} == counted.keys()
    assert set(counted.values()) == {1}
