"""A name server of one small zone, on loopback, over UDP."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest


class NameServer:
    """A name server.

    Attributes:
        answers: (name, type) -> records.  A name without any record does not exist.
        additional: records that are sent along with SRV records.
        rcode: if it is not NOERROR, it is the answer to every question.
    """

    def __init__(self):
        self.answers, self.additional, self.rcode = {}, [], dns.rcode.NOERROR
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def serve(self):
        while True:
            data, peer = self._socket.recvfrom(4096)
            if data == b"stop":
                return
            self._socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), peer)

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"stop", ("127.0.0.1", self.port))

    def close(self):
        self._socket.close()

    def _answer(self, query):
        question = query.question[0]
        name, kind = question.name.to_text(), question.rdtype.name
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        rcode = self.rcode  # one answer has one, whatever a test does meanwhile
        answer.set_rcode(rcode)
        if rcode != dns.rcode.NOERROR:
            return answer
        if records := self.answers.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", kind, *records))
        elif name not in {known for known, _ in self.answers}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if kind == "SRV":
            for target, target_kind, *records in self.additional:
                answer.additional.append(
                    dns.rrset.from_text(target, 5, "IN", target_kind, *records)
                )
        return answer


@pytest.fixture
def name_server():
    server = NameServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.stop()
    thread.join()
    server.close()
