"""The settings of operators, in one key of etcd."""

from swarmcore_discovery_etcd.client import Gateway, decode, encode


class EtcdText:
    """Implements ``SharedText``.

    Args:
        gateway: the store.
        key: the key of the text.
    """

    def __init__(self, gateway: Gateway, key: str) -> None:
        self._gateway = gateway
        self._key = encode(key)

    async def read(self) -> str:
        """See ``SharedText``."""
        found = await self._gateway.call("kv/range", key=self._key)
        return "".join(decode(pair.get("value", "")) for pair in found.get("kvs", []))

    async def write(self, text: str, *, replacing: str) -> bool:
        """See ``SharedText``."""
        same = {"key": self._key, "result": "EQUAL"}
        if replacing:
            same |= {"target": "VALUE", "value": encode(replacing)}
        else:
            same |= {"target": "CREATE", "create_revision": "0"}
        put = {"key": self._key, "value": encode(text)}
        answer = await self._gateway.call("kv/txn", compare=[same], success=[{"request_put": put}])
        return bool(answer.get("succeeded"))
