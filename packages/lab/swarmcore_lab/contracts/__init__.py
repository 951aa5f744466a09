"""Contracts of discoveries and elections that use a key-value store, tested on the real store.

    from swarmcore_lab.contracts import StoreContract
    from swarmcore_lab.stores import EtcdStore

    class TestEtcd(StoreContract):
        name = "etcd"
        bad_uris = ("etcd://", "etcd://host:port")
        store_class = EtcdStore

Needs pytest.
"""

from swarmcore_lab.contracts.elections import ElectionContract
from swarmcore_lab.contracts.stores import StoreContract

__all__ = ["ElectionContract", "StoreContract"]
