"""DNS queries, and the engines in their answers (RFC 2782 for SRV)."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver

from swarmcore.addresses import Address
from swarmcore.protocols import Entry

#: Performs one query; returns the sorted entries and the seconds for which they are valid.
Lookup = Callable[[], Awaitable[tuple[Sequence[Entry], float]]]

_ANSWER_SECONDS = 5.0
_IPV4, _IPV6, _SERVICE = dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.SRV


@dataclass(frozen=True, slots=True)
class AddressLookup:
    """Every address of a name is an engine; IPv6 addresses are used if there are no others."""

    resolver: dns.asyncresolver.Resolver
    name: dns.name.Name
    port: int

    async def __call__(self) -> tuple[Sequence[Entry], float]:
        """Query the addresses.

        Raises:
            DNSException: there is no answer, or no such name.
        """
        try:
            answer = await self._ask(_IPV4)
        except dns.resolver.NoAnswer:
            answer = await self._ask(_IPV6)
        addresses = (Address("tcp", host=str(record), port=self.port) for record in answer)
        return _entries(addresses), _ttl_seconds(answer)

    async def _ask(self, kind: dns.rdatatype.RdataType) -> dns.resolver.Answer:
        return await self.resolver.resolve(self.name, kind, lifetime=_ANSWER_SECONDS)


@dataclass(frozen=True, slots=True)
class ServiceLookup:
    """Every SRV record is an engine."""

    resolver: dns.asyncresolver.Resolver
    name: dns.name.Name

    async def __call__(self) -> tuple[Sequence[Entry], float]:
        """Query the SRV records; a target ``.`` means that there is no such service.

        Raises:
            DNSException: there is no answer, or no such name.
        """
        answer = await self.resolver.resolve(self.name, _SERVICE, lifetime=_ANSWER_SECONDS)
        addresses = (
            Address("tcp", host=_host(answer.response, record.target), port=record.port)
            for record in answer
            if record.target != dns.name.root
        )
        return _entries(addresses), _ttl_seconds(answer)


def _host(response: dns.message.Message, target: dns.name.Name) -> str:
    """The address in the answer, otherwise the name; such names often resolve nowhere else."""
    for kind in (_IPV4, _IPV6):
        found = sorted(
            str(record)
            for rrset in response.additional
            if rrset.name == target and rrset.rdtype == kind
            for record in rrset
        )
        if found:
            return found[0]
    return target.to_text(omit_final_dot=True)


def _entries(addresses: Iterable[Address]) -> list[Entry]:
    return [Entry(address) for address in sorted(set(addresses), key=str)]


def _ttl_seconds(answer: dns.resolver.Answer) -> float:
    return float(answer.rrset.ttl) if answer.rrset is not None else 0.0
