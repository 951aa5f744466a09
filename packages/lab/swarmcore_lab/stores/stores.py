"""How to start each store as a single quick server, and how to ask whether it is ready."""

import json
import socket
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from swarmcore_lab.releases import cache_dir
from swarmcore_lab.stores.asking import ANSWER_SECONDS, READY_SECONDS, ask
from swarmcore_lab.stores.server import Store, StoreMissing, program


class EtcdStore(Store):
    """etcd 3.4 or newer."""

    scheme = "etcd"
    ports_needed = 2

    def command(self, data: Path) -> Sequence[str]:
        """See ``Store``."""
        client, peer = (f"http://127.0.0.1:{port}" for port in self._ports)
        return (
            program("etcd"),
            *("--name", "test", "--data-dir", str(data)),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"test={peer}", "--unsafe-no-fsync"),
            *("--heartbeat-interval=20", "--election-timeout=100"),
            *("--logger=zap", "--log-level=warn"),
        )

    def is_ready(self) -> bool:
        """Ask more than ``/health``, because leases and the JSON gateway are ready later."""
        url = f"http://127.0.0.1:{self.port}"
        if json.loads(ask(f"{url}/health", seconds=READY_SECONDS)) != {"health": "true"}:
            return False
        granted = ask(f"{url}/v3/lease/grant", b'{"TTL": "60"}', seconds=READY_SECONDS)
        lease = json.dumps({"ID": json.loads(granted)["ID"]}).encode()
        ask(f"{url}/v3/lease/revoke", lease, seconds=READY_SECONDS)
        return True

    def put(self, path: str, value: str) -> None:
        """See ``Store``."""
        pair = {"key": b64encode(path.encode()), "value": b64encode(value.encode())}
        body = json.dumps({key: text.decode() for key, text in pair.items()}).encode()
        ask(f"http://127.0.0.1:{self.port}/v3/kv/put", body)


class ConsulStore(Store):
    """Consul as one server; it accepts sessions of any length from one second on."""

    scheme = "consul"
    ports_needed = 5

    def command(self, data: Path) -> Sequence[str]:
        """See ``Store``."""
        http, dns, lan, wan, server = self._ports
        return (
            program("consul", str(cache_dir() / "stores/bin/consul")),
            *("agent", "-server", "-bootstrap-expect=1", "-node=test", f"-data-dir={data}"),
            *("-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=warn"),
            *(f"-http-port={http}", f"-dns-port={dns}", f"-serf-lan-port={lan}"),
            *(f"-serf-wan-port={wan}", f"-server-port={server}"),
            "-hcl",
            "disable_update_check=true performance{raft_multiplier=1} connect{enabled=false} "
            'session_ttl_min="1s"',
        )

    def is_ready(self) -> bool:
        """Make a session: a leader and writes are ready before sessions, which need the catalog.

        After a restart, consistent reads are the last to work.
        """
        url = f"http://127.0.0.1:{self.port}/v1/session"
        session = json.loads(ask(f"{url}/create", b"{}", method="PUT", seconds=READY_SECONDS))["ID"]
        ask(f"{url}/destroy/{session}", b"", method="PUT", seconds=READY_SECONDS)
        ask(f"{url}/list?consistent", seconds=READY_SECONDS)
        return True

    def put(self, path: str, value: str) -> None:
        """See ``Store``."""
        ask(f"http://127.0.0.1:{self.port}/v1/kv/{path}", value.encode(), method="PUT")


class ZooKeeperStore(Store):
    """ZooKeeper of Debian's package, with sessions of four to ten seconds."""

    scheme = "zk"
    ports_needed = 1
    _JAR = Path("/usr/share/java/zookeeper.jar")

    def command(self, data: Path) -> Sequence[str]:
        """See ``Store``."""
        if not self._JAR.exists():
            raise StoreMissing(f"no {self._JAR} here: run scripts/lab-install as root")
        config = data.parent / "zoo.cfg"
        config.write_text(
            f"tickTime=500\ndataDir={data}\nclientPort={self.port}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
            "4lw.commands.whitelist=srvr\nminSessionTimeout=4000\nforceSync=no\n"
            "maxClientCnxns=0\n"
        )
        return (
            program("java"),
            *("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-Dzookeeper.jmx.log4j.disable=true", "-cp", f"/etc/zookeeper/conf:{self._JAR}"),
            *("org.apache.zookeeper.server.ZooKeeperServerMain", str(config)),
        )

    def is_ready(self) -> bool:
        """See ``Store``."""
        with socket.create_connection(("127.0.0.1", self.port), READY_SECONDS) as connection:
            connection.sendall(b"srvr")
            return b"Mode:" in connection.recv(4096)

    def put(self, path: str, value: str) -> None:
        """See ``Store``."""
        from kazoo.client import KazooClient

        client = KazooClient(f"127.0.0.1:{self.port}")
        client.start(ANSWER_SECONDS)
        try:
            client.create(f"/{path}", value.encode(), makepath=True)
        finally:
            client.stop()
            client.close()
