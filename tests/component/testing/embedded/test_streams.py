"""Attach, exec, logs, stats and wait stream like a real engine's."""

import io
import json
import tarfile

import pytest
import trio

MIB = 1 << 20


async def test_attach_carries_input_and_framed_output_until_the_program_ends(docker):
    await docker.create("cat", "cat", OpenStdin=True, StdinOnce=True)
    path = "/v1.51/containers/cat/attach?stream=1&stdin=1&stdout=1&stderr=1"
    async with docker.hijack(path) as (head, stream):
        assert head.startswith("HTTP/1.1 101 UPGRADED")
        assert "application/vnd.docker.multiplexed-stream" in head
        await docker.json("POST", "/containers/cat/start")
        await stream.send(b"hello\n")
        assert await stream.frame() == (1, b"hello\n")
        await stream.send(b"bye\n")
        await stream.send_eof()
        assert await stream.frame() == (1, b"bye\n")
        assert await stream.frame() is None
    assert await docker.wait("cat") == 0


async def test_input_sent_before_the_start_is_kept(docker):
    await docker.create("cat", "cat", OpenStdin=True, StdinOnce=True)
    async with docker.hijack("/containers/cat/attach?stream=1&stdin=1&stdout=1") as (_, stream):
        await stream.send(b"early")
        await stream.send_eof()
        await docker.json("POST", "/containers/cat/start")
        assert await stream.frame() == (1, b"early")
        assert await stream.frame() is None


async def test_an_old_client_hijacks_a_bare_200(docker):
    await docker.create("job", "sh", "-c", "echo out; echo err >&2")
    path = "/v1.24/containers/job/attach?stream=1&stdout=1&stderr=1"
    async with docker.hijack(path, upgrade=False) as (head, stream):
        assert head.startswith("HTTP/1.1 200 OK")
        assert "application/vnd.docker.raw-stream" in head
        assert "content-length" not in head.lower()
        assert "chunked" not in head.lower()
        await docker.json("POST", "/containers/job/start")
        assert [await stream.frame() for _ in range(3)] == [(1, b"out\n"), (2, b"err\n"), None]


async def test_attach_gives_only_the_streams_that_are_asked_for(docker):
    await docker.create("job", "sh", "-c", "echo out; echo err >&2")
    async with docker.hijack("/containers/job/attach?stream=1&stderr=1") as (_, stream):
        await docker.json("POST", "/containers/job/start")
        assert [await stream.frame() for _ in range(2)] == [(2, b"err\n"), None]


async def test_a_terminal_is_not_framed_and_can_be_left_by_its_keys(docker, engine):
    await docker.create("sh", "sh", OpenStdin=True, Tty=True)
    async with docker.hijack("/containers/sh/attach?stream=1&stdin=1&stdout=1") as (_, stream):
        await docker.json("POST", "/containers/sh/start")
        assert await stream.read(4) == b"/ # "
        await stream.send(b"hostname\r")
        assert (await stream.read(10)).startswith(b"hostname\r\n")
        await stream.send(b"\x10\x11")
        await stream.rest()
    assert engine.container("sh").alive


async def test_attach_to_nothing_is_refused_in_plain_text(docker):
    async with docker.hijack("/containers/nope/attach?stream=1&stdout=1") as (head, stream):
        assert head.startswith("HTTP/1.1 404 Not Found")
        assert await stream.rest() == b"No such container: nope\r\n"


async def test_a_hundred_times_a_pipes_buffer_goes_through_cat(docker):
    await docker.create("cat", "cat", OpenStdin=True, StdinOnce=True)
    sent = bytes(range(256)) * (4 * MIB // 256)
    async with docker.hijack("/containers/cat/attach?stream=1&stdin=1&stdout=1") as (_, stream):
        await docker.json("POST", "/containers/cat/start")

        async def send():
            await stream.send(sent)
            await stream.send_eof()

        got = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while frame := await stream.frame():
                got.append(frame[1])
    assert b"".join(got) == sent


# ---- exec


@pytest.mark.parametrize("upgrade", [True, False])
async def test_exec_runs_beside_and_tells_its_code(docker, upgrade):
    await docker.run("web")
    body = {"Cmd": ["sh", "-c", "echo hi; exit 3"], "AttachStdout": True}
    id = (await docker.json("POST", "/containers/web/exec", body))["Id"]
    assert (await docker.json("GET", f"/exec/{id}/json"))["ExitCode"] is None
    async with docker.hijack(f"/exec/{id}/start", {}, upgrade=upgrade) as (head, stream):
        assert head.split()[1] == ("101" if upgrade else "200")
        assert "Api-Version: 1.51" in head
        assert [await stream.frame() for _ in range(2)] == [(1, b"hi\n"), None]
    detail = await docker.json("GET", f"/exec/{id}/json")
    assert (detail["ExitCode"], detail["Running"]) == (3, False)
    assert detail["ContainerID"] == (await docker.json("GET", "/containers/web/json"))["Id"]


async def test_exec_reads_its_input_to_the_end(docker):
    await docker.run("web")
    body = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
    id = (await docker.json("POST", "/containers/web/exec", body))["Id"]
    async with docker.hijack(f"/exec/{id}/start", {}) as (_, stream):
        await stream.send(b"there")
        await stream.send_eof()
        assert [await stream.frame() for _ in range(2)] == [(1, b"there"), None]


async def test_a_detached_exec_answers_at_once(docker):
    await docker.run("web")
    id = (await docker.json("POST", "/containers/web/exec", {"Cmd": ["sleep", "60"]}))["Id"]
    answer = await docker("POST", f"/exec/{id}/start", {"Detach": True})
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await docker.json("GET", f"/exec/{id}/json"))["Running"]


async def test_an_exec_runs_once(docker):
    await docker.run("web")
    body = {"Cmd": ["true"], "AttachStdout": True}
    id = (await docker.json("POST", "/containers/web/exec", body))["Id"]
    for text in (b"", b"has already run"):
        async with docker.hijack(f"/exec/{id}/start", {}) as (_, stream):
            assert text in await stream.rest()


async def test_an_exec_ends_with_its_container(docker):
    await docker.run("web")
    body = {"Cmd": ["sleep", "60"], "AttachStdout": True}
    id = (await docker.json("POST", "/containers/web/exec", body))["Id"]
    async with docker.hijack(f"/exec/{id}/start", {}) as (_, stream):
        await docker("POST", "/containers/web/stop")
        assert await stream.frame() is None


# ---- logs


async def test_logs_keep_what_was_written(docker):
    await docker.run("job", "sh", "-c", "echo out; echo err >&2")
    await docker.wait("job")
    answer = await docker("GET", "/v1.51/containers/job/logs?stdout=1&stderr=1")
    assert answer.headers["content-type"] == "application/vnd.docker.multiplexed-stream"
    assert answer.content == b"\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\4err\n"
    answer = await docker("GET", "/v1.41/containers/job/logs?stderr=1")
    assert answer.content == b"\2\0\0\0\0\0\0\4err\n"


@pytest.mark.parametrize(
    ("tail", "lines"), [("1", b"c"), ("2", b"bc"), ("all", b"abc"), ("0", b"")]
)
async def test_logs_can_be_cut_to_their_tail(docker, tail, lines):
    await docker.run("job", "sh", "-c", "echo a; echo b; echo c")
    await docker.wait("job")
    answer = await docker("GET", f"/containers/job/logs?stdout=1&tail={tail}")
    assert answer.content[8::10] == lines


async def test_logs_are_followed_to_the_end(docker):
    await docker.create("cat", "cat", OpenStdin=True, StdinOnce=True)
    await docker.json("POST", "/containers/cat/start")
    async with docker.stream("/containers/cat/logs?stdout=1&follow=1") as logs:
        async with docker.hijack("/containers/cat/attach?stream=1&stdin=1") as (_, stream):
            await stream.send(b"one\n")
            assert await logs.data() == b"\1\0\0\0\0\0\0\4one\n"
            await stream.send(b"two\n")
            assert await logs.data() == b"\1\0\0\0\0\0\0\4two\n"
            await stream.send_eof()
        assert await logs.data() == b""


# ---- wait, stats, files


async def test_wait_answers_its_head_before_the_container_starts(docker):
    await docker.create("job", "sh", "-c", "exit 5")
    async with docker.stream("/containers/job/wait?condition=next-exit", "POST") as answer:
        assert answer.head.status_code == 200
        await docker.json("POST", "/containers/job/start")
        assert json.loads(await answer.rest()) == {"StatusCode": 5}


async def test_stats_come_once_or_again_and_again(docker):
    await docker.run("web")
    one = await docker.json("GET", "/containers/web/stats?stream=0")
    assert (one["name"], one["memory_stats"]["limit"]) == ("/web", 8 << 30)
    async with docker.lines("/containers/web/stats") as sample:
        first, second = await sample(), await sample()
    assert second["read"] > first["read"]


async def test_files_go_in_and_come_out(docker):
    await docker.run("web")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo("a/b.txt")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    put = await docker("PUT", "/containers/web/archive?path=/tmp", content=packed.getvalue())
    assert put.status_code == 200
    head = await docker("HEAD", "/containers/web/archive?path=/tmp/a/b.txt")
    assert "x-docker-container-path-stat" in head.headers
    got = await docker("GET", "/containers/web/archive?path=/tmp/a")
    with tarfile.open(fileobj=io.BytesIO(got.content)) as tar:
        assert tar.getnames() == ["a", "a/b.txt"]
        assert tar.extractfile("a/b.txt").read() == b"hello"
    changes = await docker.json("GET", "/containers/web/changes")
    assert {"Path": "/tmp/a/b.txt", "Kind": 1} in changes
    export = await docker("GET", "/containers/web/export")
    with tarfile.open(fileobj=io.BytesIO(export.content)) as tar:
        assert "tmp/a/b.txt" in tar.getnames()
