"""docker, the SDK for Python: containers, and requests about the whole engine."""

import io
import socket
import tarfile
import threading
import time

import docker
import pytest
import requests
from docker.errors import APIError, ContainerError, NotFound

from tests.system.tars import tar_of
from tests.system.waiting import fetch

# It leaves the sockets of streams and of timeouts to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SDK = "docker SDK for Python"
LOOP = ["sh", "-c", "trap exit TERM; while true; do echo tick; sleep 0.1; done"]
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


@pytest.mark.client(SDK, "finds its server in the environment and agrees on a version")
def test_from_env(target, monkeypatch):
    for host in (target.host, target.socket):
        monkeypatch.setenv("DOCKER_HOST", host)
        client = docker.from_env()
        assert client.ping() is True
        assert client.version()["ApiVersion"] == client.api.api_version
        assert client.info()["OSType"] == "linux"
        client.close()


@pytest.mark.client(SDK, "is told that its version is too new")
def test_version_too_new(target):
    client = docker.DockerClient(base_url=target.host, version="1.99")
    with pytest.raises(APIError, match=r"client version 1\.99 is too new") as refused:
        client.containers.list()
    assert refused.value.status_code == 400
    client.close()


@pytest.mark.client(SDK, "runs a container to its end and returns what it printed")
def test_run(sdk):
    assert sdk.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\n"
    both = ["sh", "-c", "echo out; echo err >&2"]
    assert sdk.containers.run("busybox", both, remove=True, stdout=False, stderr=True) == (b"err\n")
    lines = sdk.containers.run("busybox", ["echo", "hello"], stream=True)
    assert list(lines) == [b"hello\n"]
    assert [found.status for found in sdk.containers.list(all=True)] == ["exited"]


@pytest.mark.client(SDK, "raises ContainerError with the exit status and what was written")
def test_run_fails(sdk):
    with pytest.raises(ContainerError) as failed:
        sdk.containers.run("busybox", ["sh", "-c", "echo no >&2; exit 7"], remove=True)
    assert failed.value.exit_status == 7
    assert failed.value.stderr == b"no\n"
    with pytest.raises(APIError, match="executable file not found"):
        sdk.containers.run("busybox", ["nowhere"], remove=True)


@pytest.mark.client(SDK, "creates with every kind of setting and reads it back")
def test_settings(sdk):
    web = sdk.containers.create(
        "busybox",
        STILL,
        name="web",
        hostname="inside",
        environment={"A": "1"},
        labels={"tier": "front"},
        mem_limit="64m",
        nano_cpus=100_000_000,
        ports={"80/tcp": None},
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 3},
        tmpfs={"/scratch": "size=1m"},
        user="1000",
        working_dir="/tmp",
    )
    assert (web.name, web.status, web.labels["tier"]) == ("web", "created", "front")
    assert "busybox:latest" in web.image.tags
    config, host = web.attrs["Config"], web.attrs["HostConfig"]
    assert "A=1" in config["Env"]
    assert (config["Hostname"], config["User"], config["WorkingDir"]) == ("inside", "1000", "/tmp")
    assert (host["Memory"], host["NanoCpus"]) == (64 << 20, 100_000_000)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert host["Tmpfs"] == {"/scratch": "size=1m"}


@pytest.mark.client(SDK, "starts, pauses, restarts, renames, updates, kills, waits, removes")
def test_life(sdk, wait_until):
    web = sdk.containers.run("busybox", STILL, name="web", detach=True)
    steps = [(web.pause, "paused"), (web.unpause, "running"), (web.restart, "running")]
    for step, status in steps:
        step()
        web.reload()
        assert web.status == status
    web.rename("shop")
    web.update(mem_limit="32m", memswap_limit="64m")
    web.reload()
    assert (web.name, web.attrs["HostConfig"]["Memory"]) == ("shop", 32 << 20)
    # In its loop it heeds signals; until then the first process of a container ignores them.
    wait_until(lambda: any(row[-1] == "sleep 0.1" for row in web.top()["Processes"]), "its loop")
    web.kill("SIGTERM")
    assert web.wait(timeout=30)["StatusCode"] == 0
    web.start()
    web.stop(timeout=1)
    web.remove()
    with pytest.raises(NotFound):
        sdk.containers.get("shop")


@pytest.mark.client(SDK, "gives up waiting after its own timeout")
def test_wait_times_out(sdk):
    web = sdk.containers.run("busybox", STILL, detach=True)
    with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
        web.wait(timeout=0.5)
    assert web.status == "created"
    web.reload()
    assert web.status == "running"


@pytest.mark.client(SDK, "reads logs whole, by tail, with times, and follows them")
def test_logs(sdk):
    ended = sdk.containers.run("busybox", ["sh", "-c", "echo a; echo b >&2"], detach=True)
    ended.wait()
    assert sorted(ended.logs().split()) == [b"a", b"b"]
    assert ended.logs(stderr=False) == b"a\n"
    assert ended.logs(stdout=False, timestamps=True).endswith(b"Z b\n")
    assert ended.logs(tail=1).count(b"\n") == 1
    assert ended.logs(since=time.time()) == b""
    ticking = sdk.containers.run("busybox", LOOP, detach=True)
    following = ticking.logs(stream=True, follow=True)
    assert [next(following) for _ in range(3)] == [b"tick\n"] * 3
    ticking.remove(force=True)
    assert set(following) <= {b"tick\n"}


@pytest.mark.client(SDK, "attaches, writes to standard input, closes it, and reads the answer")
def test_attach(sdk):
    cat = sdk.containers.create("busybox", ["cat"], stdin_open=True)
    stream = cat.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    cat.start()
    stream._sock.sendall(b"hello\n")
    stream._sock.shutdown(socket.SHUT_WR)
    assert read_all(stream._sock) == b"\x01\0\0\0\0\0\0\x06hello\n"
    close(stream)
    assert sdk.containers.run("busybox", ["true"], detach=True).attach(logs=True) == b""


@pytest.mark.client(SDK, "attaches to a terminal and resizes it")
def test_attach_terminal(sdk):
    shell = sdk.containers.create("busybox", ["sh"], tty=True, stdin_open=True)
    stream = shell.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    shell.start()
    shell.resize(33, 101)
    stream._sock.sendall(b"stty size; exit\n")
    assert b"33 101\r\n" in read_all(stream._sock)
    close(stream)


@pytest.mark.client(SDK, "runs commands in a container: demuxed, streamed, over a socket, detached")
def test_exec(sdk):
    web = sdk.containers.run("busybox", STILL, detach=True)
    assert web.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True) == (
        3,
        (b"out\n", b"err\n"),
    )
    assert web.exec_run("env", environment={"B": "2"}, workdir="/tmp").output.count(b"B=2\n") == 1
    _, parts = web.exec_run(["echo", "hello"], stream=True)
    assert b"".join(parts) == b"hello\n"
    assert web.exec_run(["sh", "-c", "test -t 1"], tty=True).exit_code == 0
    assert web.exec_run(["touch", "/made"], detach=True).output == ""
    _, stream = web.exec_run(["cat"], stdin=True, socket=True)
    stream._sock.sendall(b"in\n")
    stream._sock.shutdown(socket.SHUT_WR)
    assert read_all(stream._sock) == b"\x01\0\0\0\0\0\0\x03in\n"
    close(stream)
    web.stop(timeout=5)
    with pytest.raises(APIError, match="is not running") as refused:
        web.exec_run("true")
    assert refused.value.status_code == 409


@pytest.mark.client(SDK, "reads stats once and as a stream")
def test_stats(sdk):
    web = sdk.containers.run("busybox", STILL, name="web", detach=True)
    assert web.stats(stream=False)["memory_stats"]["usage"] > 0
    stream = web.stats(decode=True)
    assert [next(stream)["name"] for _ in range(2)] == ["/web", "/web"]
    stream.close()


@pytest.mark.client(SDK, "follows events, with filters and from the past")
def test_events(sdk):
    before = time.time()
    live = sdk.events(decode=True, filters={"label": "watched=1", "type": "container"})
    sdk.containers.run("busybox", ["true"], remove=True)
    sdk.containers.run("busybox", ["true"], labels={"watched": "1"}, name="seen", remove=True)
    seen = []
    for event in live:
        assert event["Actor"]["Attributes"]["name"] == "seen"
        seen.append(event["Action"])
        if event["Action"] == "destroy":
            break
    live.close()
    assert [action for action in seen if action != "attach"] == [
        "create",
        "start",
        "die",
        "destroy",
    ]
    past = sdk.events(since=before, until=time.time(), decode=True)
    assert "create" in {event["Action"] for event in past if event["Type"] == "container"}


@pytest.mark.client(SDK, "puts archives into a container and gets them out")
def test_archives(sdk):
    web = sdk.containers.run("busybox", STILL, detach=True)
    content = bytes(range(256)) * 4096
    assert web.put_archive("/tmp", tar_of("data", content)) is True
    parts, stat = web.get_archive("/tmp/data")
    assert (stat["name"], stat["size"]) == ("data", len(content))
    with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as tar:
        assert tar.extractfile("data").read() == content
    assert {"Path": "/tmp/data", "Kind": 1} in web.diff()
    with tarfile.open(fileobj=io.BytesIO(b"".join(web.export()))) as tar:
        assert tar.extractfile("tmp/data").read() == content
    with pytest.raises(NotFound, match="Could not find the file /nowhere"):
        web.get_archive("/nowhere")


@pytest.mark.client(SDK, "lists containers by every filter, from the oldest and the newest")
def test_lists(sdk):
    for number in range(3):
        labels = {"number": str(number)}
        sdk.containers.create("busybox", STILL, name=f"web{number}", labels=labels)
    web1 = sdk.containers.get("web1")
    web1.start()

    def names(**options):
        return [found.name for found in sdk.containers.list(**options)]

    assert names() == ["web1"]
    assert names(all=True) == ["web2", "web1", "web0"]
    assert names(limit=1) == ["web2"]
    assert names(all=True, filters={"since": "web1"}) == ["web2"]
    assert names(all=True, filters={"before": "web1"}) == ["web0"]
    assert names(all=True, filters={"label": "number=2"}) == ["web2"]
    assert names(all=True, filters={"name": ["web0", "web2"]}) == ["web2", "web0"]
    assert names(filters={"status": "created"}) == ["web2", "web0"]
    assert names(filters={"id": web1.id, "ancestor": "busybox"}) == ["web1"]
    assert [found.short_id for found in sdk.containers.list(sparse=True)] == [web1.short_id]
    with pytest.raises(APIError, match=r"(?i)invalid filter 'colour'") as refused:
        names(filters={"colour": "red"})
    assert refused.value.status_code == 400


@pytest.mark.client(SDK, "publishes ports that answer where the container says")
def test_ports(sdk):
    serve = ["httpd", "-f", "-p", "80", "-h", "/etc"]
    web = sdk.containers.run("busybox", serve, ports={"80/tcp": None}, detach=True)
    web.reload()
    bound = web.ports["80/tcp"][0]
    host = bound["HostIp"]
    if host == "0.0.0.0":  # an engine alone leaves it to its clients to know where it is
        host = sdk.api.base_url.partition("//")[2].partition(":")[0]
    url = f"http://{host}:{bound['HostPort']}/hosts"
    assert b"localhost" in fetch(url)


@pytest.mark.client(SDK, "is told of what is missing, taken or wrong in the engine's own words")
def test_errors(sdk):
    taken = sdk.containers.create("busybox", STILL, name="web")
    with pytest.raises(NotFound, match="No such container: nobody"):
        sdk.containers.get("nobody")
    with pytest.raises(APIError, match='container name "/web" is already in use') as refused:
        sdk.containers.create("busybox", name="web")
    assert refused.value.status_code == 409
    assert taken.id in refused.value.explanation
    with pytest.raises(APIError, match="Invalid container name") as refused:
        sdk.containers.create("busybox", name="?")
    assert refused.value.status_code == 400
    with pytest.raises(APIError, match=r"is not running") as refused:
        taken.kill()
    assert refused.value.status_code == 409


@pytest.mark.client(SDK, "prunes, and tells what disk is used")
def test_prune(sdk):
    for _ in range(2):
        sdk.containers.run("busybox", ["true"])
    used = sdk.df()
    assert len(used["Containers"]) == 2
    assert used["LayersSize"] > 0
    pruned = sdk.containers.prune(filters={"until": "1h"})
    assert pruned["ContainersDeleted"] is None
    assert len(sdk.containers.prune()["ContainersDeleted"]) == 2
    assert sdk.containers.list(all=True) == []


@pytest.mark.client(SDK, "is used by many threads at once")
def test_threads(sdk):
    printed = []

    def run(number):
        printed.append(sdk.containers.run("busybox", ["echo", str(number)], remove=True))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(printed) == [b"%d\n" % number for number in range(8)]


@pytest.mark.client(SDK, "low level: creates by host config, starts, waits, inspects, removes")
def test_low_level(target):
    api = docker.APIClient(base_url=target.host)
    host = api.create_host_config(
        binds=["data:/data"], port_bindings={80: None}, log_config={"type": "json-file"}
    )
    made = api.create_container(
        "busybox", ["sh", "-c", "echo $A >/data/a; cat /data/a"], environment={"A": "1"},
        host_config=host, ports=[80], name="low",
    )  # fmt: skip
    assert len(made["Id"]) == 64
    api.start(made)
    assert api.wait(made)["StatusCode"] == 0
    assert api.logs(made) == b"1\n"
    assert api.inspect_container("low")["Mounts"][0]["Name"] == "data"
    assert api.containers(all=True, quiet=True) == [{"Id": made["Id"]}]
    api.remove_container(made, v=True)
    api.close()


def read_all(sock):
    received = b""
    while part := sock.recv(4096):
        received += part
    return received


def close(stream):
    """Close the result of ``attach_socket``, and its connection, which the SDK leaves open."""
    stream._sock.close()
    stream.close()
