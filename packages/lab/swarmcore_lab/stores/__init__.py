"""Real stores as processes of a test: etcd, Consul and ZooKeeper, each alone on loopback."""

from swarmcore_lab.stores.server import Store, StoreMissing, running
from swarmcore_lab.stores.stores import ConsulStore, EtcdStore, ZooKeeperStore

__all__ = ["ConsulStore", "EtcdStore", "Store", "StoreMissing", "ZooKeeperStore", "running"]
