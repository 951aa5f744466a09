"""An engine that is missing from an incomplete list is kept for a while."""

from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from swarmcore.addresses import parse_address
from swarmcore.protocols import Entry
from swarmcore.stores import Patience

HOLD = 30
NAMES = ("a:1", "b:1", "c:1")
LISTS = st.lists(
    st.tuples(st.integers(1, 40), st.sets(st.sampled_from(NAMES)), st.booleans()), max_size=10
)


def entries(names):
    return [Entry(parse_address(name)) for name in sorted(names)]


class Sink:
    def __init__(self):
        self.told, self.doubts = [], []

    def entries(self, entries, problems):
        self.told.append((trio.current_time(), {str(entry.address) for entry in entries}))

    def failed(self, reason):
        self.doubts.append((trio.current_time(), reason))


@given(lists=LISTS)
def test_an_engine_is_removed_at_once_only_by_a_whole_list(lists):
    """Each list follows after some seconds; a part of a list and an empty list are doubted."""
    sink, listed = Sink(), []

    async def main():
        async with trio.open_nursery() as nursery:
            patience = Patience(sink, nursery, HOLD)
            for seconds, names, whole in lists:
                await trio.sleep(seconds)
                now, reports = trio.current_time(), len(sink.told)
                listed.append((now, reports, names, whole and bool(names)))
                patience.report(entries(names), (), whole=whole)
                assert names <= sink.told[-1][1], "what is new is told at once"
                if whole and names:
                    assert names == sink.told[-1][1]
            await trio.sleep(HOLD + 1)
            if listed:
                assert sink.told[-1][1] == listed[-1][2], "in the end everything is believed"

    trio.run(main, clock=MockClock(autojump_threshold=0))
    for number, ((_, before), (now, after)) in enumerate(pairwise(sink.told), 1):
        # A list can come at the very moment at which the doubt ends; the order decides.
        earlier = [each for each in listed if each[1] <= number]
        for name in before - after:
            last = max(at for at, _, names, _ in earlier if name in names)
            whole = any(at == now and is_whole for at, _, _, is_whole in earlier)
            assert whole or now - last >= HOLD


@pytest.mark.parametrize("problems", [("line 2: odd",), ()])
async def test_an_engine_whose_line_became_unreadable_stays(nursery, autojump_clock, problems):
    sink = Sink()
    patience = Patience(sink, nursery, HOLD)
    patience.report(entries({"a:1", "b:1"}), ())
    patience.report(entries({"a:1"}), problems)
    assert sink.told[-1][1] == ({"a:1", "b:1"} if problems else {"a:1"})
    await trio.sleep(HOLD + 1)
    assert sink.told[-1][1] == {"a:1"}


async def test_a_line_that_was_never_readable_causes_no_doubt(nursery, autojump_clock):
    sink = Sink()
    patience = Patience(sink, nursery, HOLD)
    patience.report(entries({"a:1", "b:1"}), ("line 2: odd",))
    patience.report(entries({"a:1"}), ("line 2: odd",))
    assert sink.told[-1][1] == {"a:1"}


async def test_a_lasting_doubt_is_reported(nursery, autojump_clock):
    sink = Sink()
    patience = Patience(sink, nursery, HOLD, tell_seconds=5, source="/cluster")
    patience.report(entries(NAMES), ())
    patience.report(entries({"a:1"}), (), whole=False)
    await trio.sleep(4)
    patience.report(entries(NAMES), (), whole=False)
    await trio.sleep(6)
    patience.report(entries({"a:1"}), (), whole=False)
    await trio.sleep(HOLD + 1)
    assert sink.doubts == [
        (15, "/cluster suddenly lacks 2 of 3 engines; the missing ones are removed after 30 s")
    ]
    assert sink.told[-1] == (40, {"a:1"})
