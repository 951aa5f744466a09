"""The commands of docs/deploy.md, run as written behind a socket that systemd's tool passes."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from swarmcore.http.tls import server_context
from swarmcore.model import TLSFiles
from tests.commands.service import require_systemd, started_service, tls_before

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
#: Heading of a section -> its script.
SCRIPTS = re.findall(
    r"^### ([^\n]+)\n(?:(?!#|```)[^\n]*\n)*```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the script under a heading of the page, below a folder."""
    require_systemd()
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    program = Path(sys.executable).with_name("swarmcore")

    async def run(heading, **replaced):
        script = dict(SCRIPTS)[heading]
        places = {"/etc/swarmcore": f"{tmp_path}/etc", "/opt/swarmcore/bin/swarmcore": str(program),
                  "~/.docker": f"{tmp_path}/home/.docker"}  # fmt: skip
        for word, other in {**places, **replaced}.items():
            assert word in script or word in places, word
            script = script.replace(word, other)
        home = {"HOME": f"{tmp_path}/home", "PATH": "/usr/bin:/bin", "COLUMNS": "100"}
        done = await trio.run_process(
            ["bash", "-euc", script], cwd=tmp_path, env=home, check=False,
            capture_stdout=True, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout.decode()
        return done.stdout.decode()

    return run


def test_the_page_has_a_script_for_each_step():
    assert [heading for heading, _ in SCRIPTS] == [
        "Certificates",
        "Configuration",
        "Use",
        "Renewing certificates",
    ]


async def test_the_commands_of_the_page_lead_to_a_manager_with_tls(run, tmp_path, embedded_engine):
    local = "IP:127.0.0.1"
    await run("Certificates", **{"IP:10.0.0.1": local, "DNS:n1.example": local})
    files = {
        name: TLSFiles(*(f"{tmp_path}/etc/tls/{part}.pem" for part in ("ca", name, f"{name}-key")),
                       verify=True)
        for name in ("n1", "jane")
    }  # fmt: skip
    callers = []
    async with (
        embedded_engine() as engine,
        tls_before(engine, server_context(files["n1"]), callers) as address,
    ):
        printed = await run("Configuration", **{"n1.example:2376": address})
        assert re.search(r"^tlsverify = true  # file ", printed, re.MULTILINE)
        config = tmp_path / "etc" / "swarmcore.toml"
        text = config.read_text().replace("/etc/swarmcore", f"{tmp_path}/etc")
        config.write_text(text.replace("/var/lib/swarmcore", str(tmp_path)))
        async with started_service(tmp_path, config, tls=files["jane"]) as service:
            assert (await service.wake())["STATUS"] == "primary; 1 nodes: 1 healthy"
            assert set(callers) == {"manager"}
            here = {"manager.example:3376": f"127.0.0.1:{service.port}"}
            used = await run("Use", **here)
            assert "n1" in used
            assert "is drained: new disks" in service.log.read_text()

            before = await serial_of(service)
            await run("Renewing certificates")
            service.signal(signal.SIGHUP)
            await service.notified.until("RELOADING")
            await service.notified.until("READY")
            assert await serial_of(service) != before
            service.signal(signal.SIGTERM)
            assert await service.process.wait() == 0


async def serial_of(service):
    async with await service.connect() as stream:
        return stream.getpeercert()["serialNumber"]
