"""The lab itself: real engines of three releases, their failures, and their complete removal."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swarmcore_lab import EngineSpec, Lab, LabError, available, releases, sweep

pytestmark = pytest.mark.docker

NAMES = {"lab20": "20.10", "lab26": "26.1", "lab28": "28"}
CLIS = ["20.10", "28"]


@pytest.fixture(scope="module")
def lab():
    reason = available()
    if reason is not None:
        if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
            pytest.fail(f"real engines are required here: {reason}")
        pytest.skip(reason)
    with Lab() as lab:
        specs = [EngineSpec(name, release, {"nr": name}) for name, release in NAMES.items()]
        lab.start_engines(specs)
        lab.image()
        yield lab


@pytest.fixture(params=NAMES)
def engine(lab, request):
    return lab.engines[request.param]


def docker(lab, engine, *arguments, cli="28", **options):
    return lab.cli(cli).run(engine.address, *arguments, **options).stdout.strip()


def wait(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def is_reachable(engine, seconds=1.0):
    """Return whether dockerd answers a ping on its TCP address within some seconds."""
    ip, port = engine.address.split(":")
    try:
        with socket.create_connection((ip, int(port)), timeout=seconds) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.0 200")
    except OSError:
        return False


# --- what an engine is -----------------------------------------------------------------------


def test_every_engine_has_its_own_identity(lab):
    infos = [engine.info() for engine in lab.engines.values()]
    assert len({info["ID"] for info in infos}) == len(NAMES)
    assert [info["Name"] for info in infos] == list(NAMES)
    assert [info["Labels"] for info in infos] == [[f"nr={name}"] for name in NAMES]
    for info, release in zip(infos, NAMES.values(), strict=True):
        assert info["ServerVersion"].startswith(f"{release}.")
    assert len({engine.address for engine in lab.engines.values()}) == len(NAMES)


@pytest.mark.parametrize("cli", CLIS)
def test_both_clients_run_a_container(lab, engine, cli):
    out = docker(lab, engine, "run", "--rm", "busybox", "echo", "hello", cli=cli)
    assert out == "hello"


def test_the_image_is_the_same_on_every_engine(lab):
    lab.image(tag="tool:1")
    images = [engine.api.call("GET", "/images/tool:1/json") for engine in lab.engines.values()]
    assert len({image["Id"] for image in images}) == 1
    assert images[0]["Config"]["Cmd"] == ["sh"]


def test_dockerd_sees_its_own_links_only(engine):
    links = engine.run("ls", "/sys/class/net").split()
    assert {"docker0", "eth0", "lo"} <= set(links)
    assert not [link for link in links if link.startswith("swl")]


def test_the_newest_client_has_compose_and_buildx(lab, engine):
    assert "Compose" in docker(lab, engine, "compose", "version")
    assert "buildx" in docker(lab, engine, "buildx", "version")


def test_a_memory_limit_holds(lab, engine):
    script = "head -c 50m /dev/zero | tail -c 50m | wc -c"
    limited = ["run", "--rm", "--memory", "16m", "--memory-swap", "16m", "busybox"]
    done = lab.cli().run(engine.address, *limited, "sh", "-c", script, check=False)
    assert "52428800" not in done.stdout
    roomy = docker(lab, engine, "run", "--rm", "--memory", "256m", "busybox", "sh", "-c", script)
    assert roomy == "52428800"


def test_a_published_port_is_reached_at_the_engines_address(lab, engine):
    id = docker(lab, engine, "run", "-d", "-p", "8088:80", "busybox", "sh", "-c",
                "echo served by $HOSTNAME > /tmp/index.html; httpd -f -h /tmp")  # fmt: skip

    def served():
        try:
            with socket.create_connection((engine.ip, 8088), timeout=2) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                parts = iter(lambda: connection.recv(4096), b"")
                return b"served by" in b"".join(parts)
        except OSError:
            return False

    wait(served, "the published port")
    docker(lab, engine, "rm", "-f", id)


def test_an_engine_that_demands_tls_is_found_ready(lab, tmp_path):
    trustme = pytest.importorskip("trustme")
    from swarmcore_lab import EngineTls

    authority = trustme.CA()
    ca, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(client)

    def make(ip):
        issued = authority.issue_cert(ip)
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        return EngineTls(ca, cert, key)

    engine = lab.start_engine("labtls", tls=make)
    options = ["--tlsverify", f"--tlscacert={ca}", f"--tlscert={client}", f"--tlskey={client}"]
    assert docker(lab, engine, *options, "version", "-f", "{{.Server.Os}}") == "linux"
    with pytest.raises(LabError):
        docker(lab, engine, "version")
    engine.power_off()
    del lab.engines["labtls"]


# --- what can happen to it ---------------------------------------------------------------------


def test_a_cut_cable_loses_packets_until_it_is_mended(lab, engine):
    engine.cut()
    try:
        assert not is_reachable(engine)
        assert engine.info()["Name"] == engine.name
    finally:
        engine.mend()
    wait(lambda: is_reachable(engine), "the mended cable")


def test_a_paused_engine_accepts_and_never_answers(lab, engine):
    engine.pause()
    try:
        socket.create_connection((engine.ip, 2375), timeout=5).close()
        assert not is_reachable(engine)
    finally:
        engine.resume()
    wait(lambda: is_reachable(engine), "the resumed engine")
    assert docker(lab, engine, "run", "--rm", "busybox", "echo", "awake") == "awake"


def test_a_paused_engine_can_be_restarted(lab):
    engine = lab.engines["lab28"]
    engine.pause()
    engine.restart()
    assert is_reachable(engine)


def test_a_killed_engine_knows_its_containers_when_it_is_back(lab, engine):
    identity = engine.info()["ID"]
    id = docker(lab, engine, "run", "-d", "--init", "--name", "kept", "busybox", "sleep", "600")
    old = engine.pid
    engine.kill()
    assert not engine.is_running
    assert not is_reachable(engine)
    assert "sleep" in engine.run("ps", "-eo", "comm")
    engine.restart()
    assert engine.pid != old
    assert engine.info()["ID"] == identity
    assert docker(lab, engine, "ps", "-aq", "--no-trunc") == id
    docker(lab, engine, "start", "kept")
    engine.restart()
    assert docker(lab, engine, "ps", "-aq", "--no-trunc") == id
    docker(lab, engine, "rm", "-f", "kept")


@pytest.mark.parametrize("release", NAMES.values())
def test_with_live_restore_containers_outlive_a_crash(lab, release):
    name = f"live{release}"
    engine = lab.start_engine(name, release, args=["--live-restore"])
    lab.image(engine)
    id = docker(lab, engine, "run", "-d", "busybox", "sleep", "600")
    engine.kill()
    engine.start()
    assert docker(lab, engine, "exec", id, "echo", "alive") == "alive"
    engine.power_off()
    del lab.engines[name]


def test_a_machine_without_power_does_not_answer_and_keeps_its_address(lab, engine):
    address = engine.address
    docker(lab, engine, "run", "-d", "--name", "lost", "busybox", "sleep", "600")
    engine.power_off()
    assert not is_reachable(engine)
    engine.start()
    wait(lambda: is_reachable(engine), "the engine")
    assert engine.address == address
    assert docker(lab, engine, "inspect", "-f", "{{.State.Running}}", "lost") == "false"
    docker(lab, engine, "rm", "lost")


# --- registry ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registry(lab):
    return lab.registry(auth=("alice", "secret"))


def test_an_open_registry_is_pushed_to_and_pulled_from(lab):
    first, *others = lab.engines.values()
    reference = lab.registry().push(first, "busybox:latest", "open/tool:2")
    for engine in others:
        docker(lab, engine, "pull", reference)
        assert docker(lab, engine, "run", "--rm", reference, "echo", "pulled") == "pulled"


@pytest.mark.parametrize("cli", CLIS)
def test_a_private_registry_wants_a_login(lab, registry, engine, cli):
    reference = registry.push(engine, "busybox:latest")
    docker(lab, engine, "rmi", reference)
    docker(lab, engine, "logout", registry.address, cli=cli)
    with pytest.raises(LabError, match=r"no basic auth credentials|authentication required"):
        docker(lab, engine, "pull", reference, cli=cli)
    login = ["login", "-u", "alice", "--password-stdin", registry.address]
    with pytest.raises(LabError, match=r"(?i)unauthorized"):
        docker(lab, engine, *login, cli=cli, stdin="wrong")
    docker(lab, engine, *login, cli=cli, stdin="secret")
    docker(lab, engine, "pull", reference, cli=cli)
    assert docker(lab, engine, "run", "--rm", reference, "echo", "pulled") == "pulled"


# --- what it leaves ----------------------------------------------------------------------------


def traces(id):
    """Return everything on this machine that has the lab's id in its name."""
    found = [str(path) for path in Path("/sys/class/net").iterdir() if path.name.startswith(id)]
    found += [str(path) for path in Path("/tmp").glob(f"{id}-*")]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{id}")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().split("\n") if id in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "mountinfo").read_bytes()
        except OSError:
            continue
        if f"/{id}".encode() in words:
            found.append(str(process))
    return found


def routes():
    return subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout


def test_nothing_is_left_after_a_lab(lab):
    with Lab() as second:
        engine = second.start_engine("left", "28")
        second.image()
        second.registry()
        id = docker(second, engine, "run", "-d", "busybox", "sleep", "600")
        docker(second, engine, "pause", id)
        assert second.id != lab.id
        assert traces(second.id)
        assert f"dev {second.id} " in routes()
    assert traces(second.id) == []
    assert f"dev {second.id} " not in routes()
    second.close()


def test_nothing_is_left_of_a_failed_start(lab):
    with Lab() as second:
        with pytest.raises(LabError, match="unknown flag"):
            second.start_engine("broken", args=["--no-such-option"])
        assert traces(second.id)
    assert traces(second.id) == []


INTERRUPTED = """
from swarmcore_lab import EngineSpec, Lab
with Lab() as lab:
    print(lab.id, flush=True)
    lab.start_engines([EngineSpec("one"), EngineSpec("two")])
    lab.image()
    lab.cli().run(lab.engines["one"].address, "run", "-d", "busybox", "sleep", "600")
    print("up", flush=True)
    input()
"""

SWEEPING = "from swarmcore_lab import sweep; sweep()"


def start_program(*, wait_for_engines):
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    id = program.stdout.readline().strip()
    if wait_for_engines:
        assert program.stdout.readline() == "up\n"
    return program, id


@pytest.mark.parametrize("wait_for_engines", [True, False], ids=["running", "starting"])
def test_nothing_is_left_after_ctrl_c(lab, wait_for_engines):
    program, id = start_program(wait_for_engines=wait_for_engines)
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=30)
    assert traces(id) == []


def test_leftovers_of_a_killed_program_are_removed(lab):
    program, id = start_program(wait_for_engines=True)
    program.kill()
    program.communicate(timeout=30)
    wait(lambda: not any(trace.startswith("/proc") for trace in traces(id)), "its processes to end")
    assert traces(id)
    sweeping = [subprocess.Popen([sys.executable, "-c", SWEEPING]) for _ in range(3)]
    sweep()
    assert [each.wait(60) for each in sweeping] == [0, 0, 0]
    assert traces(id) == []


# --- what it says ------------------------------------------------------------------------------


def test_a_release_that_is_not_here_is_named_with_those_that_are(lab):
    with pytest.raises(LabError, match=f"release 1.2 .*{'.*'.join(releases())}.*lab-install"):
        lab.start_engine("older", "1.2")


def test_a_name_is_used_once(lab):
    with pytest.raises(LabError, match="lab20"):
        lab.start_engine("lab20")
