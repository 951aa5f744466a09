"""Every discovery and every election in a store keeps the kit's contract, on the real store."""

import pytest
from swarmcore_lab.contracts.elections import ElectionContract
from swarmcore_lab.contracts.stores import StoreContract
from swarmcore_lab.stores import ConsulStore, EtcdStore, ZooKeeperStore

pytestmark = pytest.mark.docker


class TestEtcd(StoreContract):
    name = "etcd"
    bad_uris = ("etcd://", "etcd:///lab", "etcd://host:port")
    store_class = EtcdStore


class TestConsul(StoreContract):
    name = "consul"
    bad_uris = ("consul://", "consul://a,b", "consul://host:port/lab")
    store_class = ConsulStore


class TestZooKeeper(StoreContract):
    name = "zk"
    bad_uris = ("zk://", "zk:///lab", "zk://host:port")
    store_class = ZooKeeperStore


class TestEtcdElection(ElectionContract):
    name = "etcd"
    store_class = EtcdStore


class TestConsulElection(ElectionContract):
    name = "consul"
    store_class = ConsulStore


class TestZooKeeperElection(ElectionContract):
    name = "zk"
    store_class = ZooKeeperStore
