"""A client of the manager under test, and a strategy that chooses nodes by a label."""

import json
from contextlib import asynccontextmanager
from urllib.parse import quote

import trio

from swarmcore.addresses import Address
from swarmcore.errors import NoNodeFits
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.streams import EarlyStream
from swarmcore.node import image_test
from swarmcore.protocols import Candidate, Decision

JSON = ((b"Content-Type", b"application/json"),)


class ByLabel:
    """Choose the node in the label ``on``, then one with the named volumes, then the emptiest.

    So a test can choose the exact node.
    """

    strategy_name, filter_names = "label", ("none",)

    def holders(self, image, nodes):
        return [node for node in nodes if image_test(image)(node)]

    def follow(self, nodes):
        """Remember nothing of the nodes."""

    def decide(self, config, nodes, *, whole=False):
        wanted = config.labels.get("on")
        able = [node for node in nodes if all(map(node.has_volume, config.held_volumes))]
        fit = [node for node in able if node.health and wanted in (None, node.name)]
        fit.sort(key=lambda node: (node.container_count, node.name))
        error = None if fit else NoNodeFits("no node fits")
        return Decision([Candidate(node, (), (0.0,)) for node in fit], (), (), error)

    def narrow(self, decision, config, nodes):
        narrowed = self.decide(config, nodes)
        return narrowed if narrowed.candidates else None

    def admits(self, config, node):
        return bool(self.decide(config, [node]).candidates)

    def note_failure(self, node):
        """Ignore failures."""


class Manager:
    """A client of the manager under test."""

    def __init__(self, cluster, port):
        self.cluster, self.port = cluster, port
        self._client = HTTPClient(Dialer(Address("tcp", "127.0.0.1", port)))

    async def __call__(self, method, path, body=None, *, headers=(), version="v1.41", **filters):
        """Send one request, and return the whole answer."""
        if filters:
            path += f"{'&' if '?' in path else '?'}filters={quote(json.dumps(filters))}"
        if body is not None:
            body, headers = json.dumps(body).encode(), (*headers, *JSON)
        prefix = f"/{version}" if version else ""
        return await self._client.request(method, f"{prefix}{path}", body=body, headers=headers)

    async def json(self, method, path, body=None, **options):
        """Send one request that must succeed, and return its JSON."""
        answer = await self(method, path, body, **options)
        assert answer.ok, answer
        return answer.json() if answer.body else None

    @asynccontextmanager
    async def lines(self, method, path, *, headers=()):
        """Yield an async function that returns the next JSON line of an answer."""
        sent = ((b"Host", b"docker"), (b"Content-Length", b"0"), *headers)
        async with self._client.call(method, f"/v1.41{path}", sent) as call:
            assert (await call.read_head()).status == 200
            rest = b""

            async def following():
                nonlocal rest
                while b"\n" not in rest:
                    rest += await call.read_data()
                line, _, rest = rest.partition(b"\n")
                return json.loads(line)

            yield following

    @asynccontextmanager
    async def hijack(self, path, body=None, *, version="v1.41"):
        """Yield the head of an answer that hijacks the connection, and the raw connection."""
        text = b"" if body is None else json.dumps(body).encode()
        sent = (
            (b"Host", b"docker"), (b"Connection", b"Upgrade"), (b"Upgrade", b"tcp"), *JSON,
            (b"Content-Length", b"%d" % len(text)),
        )  # fmt: skip
        async with self._client.call("POST", f"/{version}{path}", sent, text) as call:
            head = await call.read_head()
            taken = call.take_over()
            async with taken.stream:
                yield head, EarlyStream(taken.stream, taken.early)

    async def create(self, name, on=None, *, image="busybox", **body):
        """Create a container; return its id."""
        labels = {**body.pop("Labels", {}), **({"on": on} if on else {})}
        asked = {"Image": image, "Cmd": ["sleep", "600"], "Labels": labels, **body}
        return (await self.json("POST", f"/containers/create?name={name}", asked))["Id"]

    async def run(self, name, on=None, **body):
        """Create and start a container; return its id."""
        id = await self.create(name, on, **body)
        await self.json("POST", f"/containers/{name}/start")
        return id

    async def names(self, query="", **filters):
        """Return the first name of each listed container."""
        listed = await self.json("GET", f"/containers/json{query}", **filters)
        return [item["Names"][0] for item in listed]

    async def wait_until(self, condition):
        """Wait until *condition* is true for the cluster."""
        with trio.fail_after(100):
            while not condition():  # noqa: ASYNC110  (of state that has no event)
                await trio.sleep(0.01)

    async def aclose(self):
        await self._client.aclose()
