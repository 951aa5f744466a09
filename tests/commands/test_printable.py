"""Engines whose names, labels and errors have control characters."""

import contextlib
import http.client
import json
import socket

import trio

from swarmcore.testing.embedded import EmbeddedEngine

NAME = "n1\x1b[2J\nfake\x9b"


def ask(path, target):
    """The JSON answer of a manager on a unix socket."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    with contextlib.closing(connection):
        connection.sock.connect(path)
        connection.request("GET", target)
        return json.load(connection.getresponse())


async def test_no_command_prints_an_engines_control_characters(operate):
    engine = EmbeddedEngine(NAME, labels={"zo\x1bne": "a\nb"})
    engine.add_container("web")
    async with operate(engine) as swarmcore:
        await swarmcore.text("drain", engine.address, "--reason", "noisy")
        body = json.dumps({"Image": "x"})
        for words in (
            ["nodes"],
            ["nodes", engine.address],
            ["nodes", "--json"],
            ["decisions"],
            ["label", engine.address, "a=b"],
        ):
            done = await swarmcore(*words)
            assert done.returncode == 0
            assert all(line.isprintable() for line in done.stdout.split("\n")), words
        done = await swarmcore("explain", "--json-config", "-", stdin=body)
        assert all(line.isprintable() for line in done.stdout.split("\n"))
        assert r"n1\u001b[2J\nfake\u009b" in done.stdout
        (node,) = await swarmcore.json("nodes")
        assert node["Name"] == NAME
        assert node["Labels"]["zo\x1bne"] == "a\nb"


async def test_rows_of_docker_info_are_printable_and_other_answers_are_the_engines(operate):
    engine = EmbeddedEngine(NAME, labels={"zo\x1bne": "a\nb"})
    engine.add_container("web", body={"Labels": {"note": "\x1b[31mred"}})
    async with operate(engine) as swarmcore:
        path = swarmcore.environment["DOCKER_HOST"].removeprefix("unix://")
        info = await trio.to_thread.run_sync(ask, path, "/info")
        for key, value in info["SystemStatus"]:
            assert (key + value).isprintable()
        rows = dict(info["SystemStatus"])
        assert r"zo\u001bne=a\nb" in rows["  └ Labels"].split(", ")
        shown = await trio.to_thread.run_sync(ask, path, "/containers/web/json")
        assert shown["Config"]["Labels"]["note"] == "\x1b[31mred"
