"""Memory that is free is given back to the system."""

from pathlib import Path

from swarmcore.process_settings import UnusedMemory


def resident_kb():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def test_freed_memory_is_given_back_and_only_if_there_is_much_of_it():
    memory = UnusedMemory()
    memory.give_back()
    before = resident_kb()
    texts = [bytes(1000) for _ in range(100_000)]
    kept = texts[::1000]  # keep the heap from shrinking by itself
    del texts
    memory.give_back()
    assert resident_kb() - before < 20_000
    assert len(kept) == 100
    trims = []
    memory._trim = trims.append
    memory.give_back()
    assert trims == []
