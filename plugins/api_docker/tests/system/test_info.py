"""``docker info`` and ``docker version``."""

from dataclasses import replace

import pytest
from swarmcore_api_docker.system.info import describe_info
from swarmcore_api_docker.system.status_rows import system_status
from swarmcore_api_docker.system.version import ManagerFacts, describe_version

from swarmcore.model import NANO, Claim, Drain, NodeSettings, State
from swarmcore.protocols import DiscoveryState, MoveRecord, WaitingCreate
from swarmcore.versions import ApiVersion

MANAGER = ManagerFacts("0.1.0", "3.11.2", "6.1", "linux", "amd64", "x86_64")
INFO = {
    "OSType": "linux", "Architecture": "x86_64", "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]], "CgroupDriver": "cgroupfs",
    "MemoryLimit": True, "SwapLimit": True, "NFd": 10, "NGoroutines": 20,
    "Plugins": {"Volume": ["local", "nfs"], "Network": ["bridge"], "Authorization": None},
    "Runtimes": {"runc": {"path": "runc"}}, "Unknown": 1,
}  # fmt: skip


@pytest.fixture
def nodes(docker):
    web = docker.container("web", claim=Claim(nano_cpus=NANO // 2, memory=100 * 2**20))
    n1 = docker.node("n1", "10.0.0.1", web, docker.container("old", state="exited"))
    n1.overcommit, n1.info = 0.0, INFO
    n1.labels = {"zone": "eu", "storagedriver": "overlay2"}
    return [n1]


@pytest.fixture
def rows(docker):
    """Return every row of a cluster of these nodes."""
    return lambda *nodes: system_status(docker.Cluster(*map(docker.Engine, nodes)))


def test_the_table_is_classics(rows, nodes):
    assert rows(*nodes) == [
        ("Role", "primary"),
        ("Strategy", "spread"),
        ("Filters", "health, port"),
        ("Nodes", "1"),
        (" n1", "10.0.0.1:2375"),
        ("  └ ID", "ENGINE-n1|10.0.0.1:2375"),
        ("  └ Status", "Healthy"),
        ("  └ Containers", "2 (1 Running, 0 Paused, 1 Stopped)"),
        ("  └ Reserved CPUs", "0.5 / 4"),
        ("  └ Reserved Memory", "100 MiB / 2 GiB"),
        ("  └ Labels", "storagedriver=overlay2, zone=eu"),
        ("  └ UpdatedAt", "2024-05-01T12:00:00Z"),
        ("  └ ServerVersion", "20.10.24"),
    ]


def test_a_replica_names_the_primary_if_it_knows_it(docker):
    cluster = docker.Cluster()
    cluster.is_primary, cluster.primary = False, "10.0.0.9:3376"
    assert system_status(cluster)[:2] == [("Role", "replica"), ("Primary", "10.0.0.9:3376")]


def test_a_discovery_error_is_shown_before_the_nodes(docker):
    cluster = docker.Cluster()
    cluster.discovery = DiscoveryState("etcd: no answer; the last good list stays in force", 9.0)
    assert system_status(cluster)[-2:] == [("Discovery", cluster.discovery.error), ("Nodes", "0")]


def test_skipped_entries_are_shown_if_there_is_no_discovery_error(docker):
    bad = ["entry 'x': missing port", "entry 'y': missing port"]
    assert _discovery_row(docker, DiscoveryState(listed_at=9.0, problems=bad[:1])) == (
        "entry 'x': missing port; it is skipped"
    )
    assert _discovery_row(docker, DiscoveryState(listed_at=9.0, problems=bad)) == (
        "entry 'x': missing port; it is skipped (and 1 more)"
    )
    assert _discovery_row(docker, DiscoveryState("no answer", 9.0, bad)) == "no answer"


def _discovery_row(docker, state):
    cluster = docker.Cluster()
    cluster.discovery = state
    return dict(system_status(cluster))["Discovery"]


def test_creates_that_wait_are_counted_before_the_nodes(docker):
    cluster = docker.Cluster()
    cluster.queue = [WaitingCreate("web", "nginx", 0, waited, 60.0, 0) for waited in (3.0, 71.8)]
    rows = system_status(cluster)
    assert rows[-2:] == [("Waiting", "2 for room, the longest for 72 s"), ("Nodes", "0")]


def test_unfinished_moves_are_counted_with_the_reason_of_the_latest_failure(docker):
    cluster = docker.Cluster()
    cluster.moves.records = [
        MoveRecord("1" * 64, "web", "n1"),
        MoveRecord("2" * 64, "db", "n1", state="failed", error="no node fits"),
        MoveRecord("3" * 64, "old", "n1", state="moved"),
    ]
    rows = dict(system_status(cluster))
    assert rows["Moves"] == "1 under way, 1 failed: db: no node fits"
    cluster.moves.records = cluster.moves.records[2:]
    assert "Moves" not in dict(system_status(cluster))


def test_an_unhealthy_node_shows_its_error(rows, nodes):
    nodes[0].state, nodes[0].error = State.UNHEALTHY, "no route"
    nodes[0].apply(NodeSettings(Drain("disk change", "anna")))
    table = dict(rows(*nodes))
    assert table["  └ Status"] == "Unhealthy"
    assert table["  └ Containers"] == "2"
    assert table["  └ Error"] == "no route"
    assert table["  └ Drained"] == "disk change, by anna"


def test_a_pending_node_has_no_name_and_no_id(docker, rows):
    node = docker.node("", state=State.PENDING, error="refused", updated_at=0.0)
    table = dict(rows(node))
    assert table[" (unknown)"] == "10.0.0.1:2375"
    assert table["  └ ID"] == ""
    assert table["  └ UpdatedAt"] == "0001-01-01T00:00:00Z"


def info(docker, *nodes, version=(1, 41)):
    cluster = docker.Cluster(*[docker.Engine(node) for node in nodes])
    return describe_info(cluster, MANAGER, "2024-05-01T12:00:00Z", ApiVersion(*version))


def test_numbers_are_summed(docker, nodes):
    other = docker.node("n2", "10.0.0.2", docker.container("db", state="paused"), overcommit=0.5)
    other.info = INFO
    document = info(docker, *nodes, other)
    expected = {
        "Containers": 3, "ContainersRunning": 1, "ContainersPaused": 1, "ContainersStopped": 1,
        "NCPU": 8, "MemTotal": 2**32, "NFd": 20,
    }  # fmt: skip
    assert {key: document[key] for key in expected} == expected


def test_the_root_folder_is_the_engines_and_old_clients_are_told_bare_security_options(
    docker, nodes
):
    root, options = "/srv/docker", ["name=seccomp,profile=default", "name=cgroupns"]
    nodes[0].info = {**INFO, "DockerRootDir": root, "SecurityOptions": options}
    document = info(docker, *nodes)
    assert (document["DockerRootDir"], document["SecurityOptions"]) == (root, options)
    assert info(docker, *nodes, version=(1, 24))["SecurityOptions"] == ["seccomp", "cgroupns"]
    assert info(docker)["DockerRootDir"] == "/var/lib/docker"


def test_a_capability_needs_every_engine_and_a_storage_driver_needs_agreement(docker, nodes):
    other = docker.node("n2", "10.0.0.2")
    other.info = {
        **INFO, "SwapLimit": False, "Driver": "overlayfs", "Architecture": "aarch64",
        "Plugins": {"Volume": ["local"], "Network": ["bridge", "overlay"]},
        "Runtimes": {"runc": {"path": "runc"}, "nvidia": {"path": "n"}}, "Warnings": ["no TLS"],
    }  # fmt: skip
    document = info(docker, *nodes, nodes[0], other)
    assert (document["MemoryLimit"], document["SwapLimit"]) == (True, False)
    assert (document["Driver"], document["DriverStatus"]) == ("", [])
    assert document["Architecture"] == "x86_64"
    assert document["Plugins"] == {
        "Volume": ["local"], "Network": ["bridge"], "Authorization": [], "Log": [],
    }  # fmt: skip
    assert document["Runtimes"] == {"runc": {"path": "runc"}}
    assert document["Warnings"] == ["n2: no TLS"]
    assert "Unknown" not in document


def test_what_engines_agree_on_is_the_clusters(docker, nodes):
    document = info(docker, *nodes)
    assert (document["Driver"], document["DriverStatus"]) == ("overlay2", INFO["DriverStatus"])


NEW = {
    **INFO, "CDISpecDirs": ["/etc/cdi", "/run/cdi"], "FirewallBackend": {"Driver": "iptables"},
    "Containerd": {"Address": "/run/containerd.sock"}, "KernelMemory": True,
    "BridgeNfIptables": True, "DiscoveredDevices": [{"Source": "cdi", "ID": "acme.com/gpu=0"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ((1, 41), "CDISpecDirs KernelMemory BridgeNfIptables"),
        ((1, 46), "CDISpecDirs Containerd BridgeNfIptables"),
        ((1, 49), "CDISpecDirs Containerd BridgeNfIptables FirewallBackend"),
        ((1, 51), "CDISpecDirs Containerd FirewallBackend DiscoveredDevices"),
    ],
    ids=str,
)
def test_a_field_is_shown_to_clients_whose_version_has_it(docker, version, told):
    node = docker.node("n1", "10.0.0.1")
    node.info = NEW
    found = (NEW.keys() - INFO.keys()) & info(docker, node, version=version).keys()
    assert found == set(told.split())


def test_differing_fields_are_left_out_and_lists_have_common_items(docker):
    nodes = [docker.node("n1", "10.0.0.1"), docker.node("n2", "10.0.0.2")]
    nodes[0].info = NEW
    nodes[1].info = {**NEW, "FirewallBackend": {"Driver": "nftables"}, "CDISpecDirs": ["/run/cdi"]}
    document = info(docker, *nodes, version=(1, 51))
    assert "FirewallBackend" not in document
    assert document["Containerd"] == NEW["Containerd"]
    assert document["CDISpecDirs"] == ["/run/cdi"]


def test_an_empty_cluster_has_a_whole_document(docker):
    document = info(docker)
    assert document["Containers"] == 0
    assert document["OSType"] == "linux"
    assert document["MemoryLimit"] is True
    assert document["Swarm"]["LocalNodeState"] == "inactive"
    assert document["IndexServerAddress"].startswith("https://index.docker.io")
    assert [key for key, value in document.items() if value is None] == ["GenericResources"]


def test_the_version_is_the_oldest_engines_with_the_suffix_swarmcore(docker, nodes):
    nodes[0].version = "20.10.24+dfsg1"
    newer = docker.node("n2", "10.0.0.2", version="28.5.2")
    cluster = docker.Cluster(*[docker.Engine(node) for node in (newer, *nodes)])
    document = describe_version(cluster, MANAGER)
    assert document["Version"] == "20.10.24+swarmcore"
    assert document["ApiVersion"] == "1.41"
    assert document["MinAPIVersion"] == "1.24"
    engine = document["Components"][0]
    assert engine["Name"] == "Engine"
    assert all(isinstance(value, str) for value in engine["Details"].values())
    assert (
        describe_info(cluster, MANAGER, "", ApiVersion(1, 41))["ServerVersion"]
        == document["Version"]
    )


def test_without_engines_the_version_is_the_managers(docker):
    assert describe_version(docker.Cluster(), replace(MANAGER, release="3.2"))["Version"] == (
        "3.2+swarmcore"
    )


def test_classic_told_its_own_release_and_sums_with_overcommit(docker, nodes):
    nodes[0].overcommit = 0.5
    cluster = docker.Cluster(*[docker.Engine(node) for node in nodes])
    document = describe_info(
        cluster, MANAGER, "2024-05-01T12:00:00Z", ApiVersion(1, 41), classic=True
    )
    assert document["NCPU"] == nodes[0].cpus * 3 // 2
    assert document["MemTotal"] == nodes[0].memory * 3 // 2
    assert document["ServerVersion"] == f"swarm/{MANAGER.release}"
    version = describe_version(cluster, MANAGER, classic=True)
    assert version["Version"] == version["Components"][0]["Version"] == f"swarm/{MANAGER.release}"
