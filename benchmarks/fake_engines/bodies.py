"""The streams of a fake engine: one block of bytes, repeated.

Blocks are long, so that an engine spends its time in the kernel and not in Python.
"""

import struct

from benchmarks.fake_engines.documents import dump

#: The bytes of a process's output that an engine reads at once, and sends as one frame or chunk.
PIECE_BYTES = 32 * 1024
_BLOCK_BYTES = 256 * 1024
_STDOUT = 1

END_OF_CHUNKS = b"0\r\n\r\n"


class Pour:
    """A body that is being sent: *block* repeated, then *end*.

    Args:
        block: the bytes to repeat.
        wanted_bytes: the minimal number of bytes; whole blocks are sent.
        end: the bytes after the last block.
        closes: whether the connection ends with the body.
    """

    def __init__(
        self, block: bytes, wanted_bytes: int, end: bytes = b"", *, closes: bool = False
    ) -> None:
        self._block = memoryview(block)
        self._end = end
        self._left = -(-wanted_bytes // len(block))
        self._offset = 0
        self.closes = closes

    def next(self) -> memoryview:
        """Return the bytes to send now; empty at the end."""
        if self._left:
            return self._block[self._offset :]
        return memoryview(self._end)[self._offset :]

    def sent(self, count: int) -> None:
        """Record that *count* bytes of the result of ``next`` were sent."""
        self._offset += count
        if self._left and self._offset == len(self._block):
            self._left -= 1
            self._offset = 0


def frame(payload: bytes) -> bytes:
    """Return one frame of Docker's multiplexed streams."""
    return struct.pack(">BxxxI", _STDOUT, len(payload)) + payload


def chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def frames(payload_bytes: int, *, flushed: bool) -> bytes:
    """Return a block of a chunked body that consists of frames.

    Args:
        payload_bytes: the size of each frame's payload.
        flushed: whether each frame is a separate chunk; otherwise chunks are filled up to 32 KiB,
            but have at least one frame.
    """
    line = frame(b"x" * (payload_bytes - 1) + b"\n")
    count = 1 if flushed else max(1, PIECE_BYTES // len(line))
    return _repeat(chunk(line * count))


def raw_frames() -> bytes:
    """Return a block of frames like the output of an exec that writes much."""
    return _repeat(frame(bytes(PIECE_BYTES)))


def zeros() -> bytes:
    """Return a block of a chunked body of zeros, in chunks of 32 KiB."""
    return _repeat(chunk(bytes(PIECE_BYTES)))


def stats() -> bytes:
    """Return a block of a chunked body of samples, each in a separate chunk."""
    counters = {"total_usage": 123456789, "usage_in_kernelmode": 2345678, "usage_in_usermode": 99}
    cpu = {"cpu_usage": counters, "system_cpu_usage": 987654321000, "online_cpus": 64}
    blocks = [{"major": 8, "minor": 0, "op": op, "value": 4096} for op in ("read", "write")]
    interface = {f"{way}_{what}": 1234 for way in ("rx", "tx") for what in ("bytes", "packets")}
    pages = {f"counter_{number}": 4096 * number for number in range(40)}
    sample = {
        "name": "/web",
        "id": "0" * 64,
        "read": "2026-01-01T00:00:01.000000001Z",
        "preread": "2026-01-01T00:00:00.000000001Z",
        "pids_stats": {"current": 12, "limit": 154000},
        "blkio_stats": {"io_service_bytes_recursive": blocks},
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": cpu,
        "precpu_stats": cpu,
        "memory_stats": {"usage": 1 << 20, "stats": pages, "limit": 1 << 40},
        "networks": {"eth0": interface},
    }
    return _repeat(chunk(dump(sample) + b"\n"))


def _repeat(data: bytes) -> bytes:
    return data * max(1, _BLOCK_BYTES // len(data))
