"""A manager that listens with TLS; its engines have unix sockets.

With TLS for clients, a manager also uses TLS for engines on TCP, but not on unix sockets.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from benchmarks.fake_engines import Farm
from benchmarks.load.messages import TLS
from benchmarks.settings import Settings, Size
from benchmarks.sides import Manager


@contextmanager
def start_secured(settings: Settings, size: Size) -> Iterator[Manager]:
    """Run the manager and its engines during the block.

    Args:
        settings: have the manager's command line; options are added before ``{nodes}``.
        size: the size of the cluster.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines, certificate, key = folder / "engines", folder / "certificate", folder / "key"
        engines.mkdir()
        _make_certificate(certificate, key)
        options = f"--tls --tlscert {certificate} --tlskey {key}"
        command = settings.manager.replace("{nodes}", f"{options} {{nodes}}")
        with Farm(size.engines, size.containers, engines) as farm:
            log, socket = folder / "log", folder / "socket"
            manager = Manager("manager", farm, command=command, log=log, socket=socket, scheme=TLS)
            try:
                manager.start(settings.settle_seconds)
                yield manager
            finally:
                manager.stop()


def _make_certificate(certificate: Path, key: Path) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(key)
    for number, pem in enumerate(issued.cert_chain_pems):
        pem.write_to_path(certificate, append=number > 0)
