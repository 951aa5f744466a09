"""A manager as a service of systemd: sockets, readiness, watchdog, drain, reload."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from swarmcore.http.tls import server_context
from swarmcore.model import TLSFiles
from tests.commands.service import (
    begin,
    finish,
    output,
    require_systemd,
    started_service,
    tls_before,
)

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"

pytestmark = pytest.mark.usefixtures("systemd")


@pytest.fixture(scope="module")
def systemd():
    require_systemd()


def write_config(folder, discovery, *lines, host="fd://"):
    path = folder / "swarmcore.toml"
    path.write_text("\n".join((f'discovery = "{discovery}"', f'host = ["{host}"]', *lines)))
    return path


async def test_a_service_is_ready_alive_and_completes_requests_when_it_stops(
    tmp_path, embedded_engine
):
    async with embedded_engine() as engine:
        engine.add_container("web")
        config = write_config(tmp_path, engine.address, host="fd://api")
        async with started_service(tmp_path, config, name="api") as service:
            assert await service.ask("/_ping") == (200, "OK")  # waited in systemd's socket
            ready = await service.notified.until("READY")
            assert ready == {"READY": "1", "STATUS": "primary; 1 nodes: 1 healthy"}
            for _ in range(3):
                assert await service.notified.until("WATCHDOG") == {"WATCHDOG": "1"}

            slow = engine.hang("/containers/*/top")
            async with await service.connect() as stream:
                unread = await begin(stream, "/containers/web/top")
                await engine.wait_request("/containers/*/top")
                service.signal(signal.SIGTERM)
                stopping = await service.notified.until("STOPPING")
                assert stopping["STATUS"] == "Completing requests within 10 s"
                assert stopping["EXTEND_TIMEOUT_USEC"] == "20000000"
                slow.release()
                status, text = await finish(stream, unread)
            assert (status, "Titles" in text) == (200, True)
            assert await service.process.wait() == 0


BLOCKING = """
from swarmcore import hookimpl

@hookimpl
def swarmcore_background(cluster):
    async def block():
        async with cluster.follow_events() as events:
            async for event in events:
                if event.action == "oom":
                    open("{}").read()
    return [block]
"""


async def test_a_blocked_manager_gives_no_sign_of_life(tmp_path, embedded_engine):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    plugin = tmp_path / "blocking.py"
    plugin.write_text(BLOCKING.format(pipe))
    async with embedded_engine() as engine:
        web = engine.add_container("web")
        config = write_config(tmp_path, engine.address, f'plugin = ["{plugin}"]')
        async with started_service(tmp_path, config) as service:
            await service.wake()
            engine.emit("container", "oom", web.id)
            writer = await trio.to_thread.run_sync(pipe.open, "w")  # returns when it is blocked
            await trio.testing.wait_all_tasks_blocked()
            count = len(service.notified.messages)
            await trio.sleep(0.5)  # signs of life are due every 0.1 s
            assert len(service.notified.messages) == count
            writer.close()
            assert await service.notified.until("WATCHDOG") == {"WATCHDOG": "1"}


class Certificates:
    """Files of one CA, which are replaced by *renew*."""

    def __init__(self, folder):
        self._folder, self._ca = folder, trustme.CA()
        self._ca.cert_pem.write_to_path(folder / "ca.pem")

    def files(self, name):
        ca, cert, key = (str(self._folder / f"{part}.pem") for part in
                         ("ca", name, f"{name}-key"))  # fmt: skip
        return TLSFiles(ca, cert, key, verify=True)

    def damage(self, name):
        Path(self.files(name).cert).write_text("no certificate")

    def renew(self, name, common_name):
        issued = self._ca.issue_cert("127.0.0.1", common_name=common_name)
        files = self.files(name)
        issued.cert_chain_pems[0].write_to_path(files.cert)
        issued.private_key_pem.write_to_path(files.key)
        return files


async def until(condition):
    while not condition():  # noqa: ASYNC110  (another process's doing)
        await trio.sleep(0.02)


def common_name(stream):
    return dict(pair for part in stream.getpeercert()["subject"] for pair in part)["commonName"]


async def served_name(service):
    async with await service.connect() as stream:
        return common_name(stream)


async def test_sighup_reads_certificates_settings_of_nodes_and_the_log_level_again(
    tmp_path, embedded_engine
):
    certificates = Certificates(tmp_path)
    files = certificates.renew("manager", "first")
    context = server_context(certificates.renew("engine", "engine"))
    client = certificates.renew("client", "client")
    settings, callers = tmp_path / "nodes.json", []
    async with embedded_engine() as engine, tls_before(engine, context, callers) as address:
        lines = ("tlsverify = true", f'tlscacert = "{files.ca}"', f'tlscert = "{files.cert}"',
                 f'tlskey = "{files.key}"', f'node-settings = "{settings}"')  # fmt: skip
        config = write_config(tmp_path, address, *lines)
        async with started_service(tmp_path, config, tls=client) as service:
            assert (await service.wake())["STATUS"].endswith("1 healthy")
            assert await served_name(service) == "first"

            certificates.renew("manager", "second")
            drained = {"reason": "new disks", "author": "jane"}
            settings.write_text(json.dumps({"nodes": {address: {"drained": drained}}}))
            config.write_text(f'{config.read_text()}\nlog-level = "debug"\nstrategy = "binpack"')
            await reload(service)
            assert await served_name(service) == "second"
            _, info = await service.ask("/info")
            assert "new disks" in info
            log = service.log.read_text()
            assert " DEBUG " in log
            assert "--strategy has changed" in log
            assert set(callers) == {"first"}
            engine.drop_connections()
            await until(lambda: "second" in callers)

            certificates.damage("manager")
            settings.write_text("{")
            config.write_text("log-level = 'loud'\ndiscovery = 'h:1'")
            await reload(service)
            errors = [line for line in service.log.read_text().splitlines() if " ERROR " in line]
            assert len(errors) == 3
            for line, what, where in zip(
                errors, ("certificates", "settings of nodes", "the log level"),
                (files.cert, str(settings), "'loud'"), strict=True,
            ):  # fmt: skip
                assert f"SIGHUP: {what} could not be read again and did not change: " in line
                assert where in line
                assert line.endswith("; correct this and send SIGHUP again")
            assert await served_name(service) == "second"
            assert "new disks" in (await service.ask("/info"))[1]

            settings.unlink()
            await reload(service)
            assert "the file is gone" in service.log.read_text()
            assert "new disks" in (await service.ask("/info"))[1]


async def reload(service):
    service.signal(signal.SIGHUP)
    begun = await service.notified.until("RELOADING")
    assert begun["MONOTONIC_USEC"].isdigit()
    assert await service.notified.until("READY") == {"READY": "1"}


def test_the_units_are_valid_and_hardened(tmp_path):
    for path in UNITS.iterdir():
        shutil.copy(path, tmp_path)
    unit = tmp_path / "swarmcore.service"
    program = Path(sys.executable).with_name("swarmcore")
    unit.write_text(unit.read_text().replace("/opt/swarmcore/bin/swarmcore", str(program)))
    status, said = output("systemd-analyze", "verify", unit, tmp_path / "swarmcore.socket")
    assert (status, "swarmcore" in said) == (0, False), said
    status, said = output("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert status == 0, said


def test_the_user_of_the_units_is_made_by_its_file(tmp_path):
    folder = tmp_path / "usr" / "lib" / "sysusers.d"
    folder.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    shutil.copy(UNITS / "swarmcore.sysusers.conf", folder / "swarmcore.conf")
    status, said = output("systemd-sysusers", f"--root={tmp_path}")
    assert status == 0, said
    assert "swarmcore:" in (tmp_path / "etc" / "passwd").read_text()
