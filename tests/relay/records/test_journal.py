"""Turns are told live to whoever watches, and none waits for a slow one."""

import asyncio

from longwire.core.nouns.turn_row import ID_BITS
from longwire.relay.records.journal import Feed, TurnIds
from tests.store.turn_rows import NOON, bodies, row


async def test_who_watches_gets_what_ends_meanwhile():
    """From the beginning to the end of watching, each turn once, in order, to all."""
    feed = Feed()
    feed.write(row(0))
    with feed.subscribe() as one, feed.subscribe() as other:
        feed.write(row(1), bodies(row(1)))
        feed.write(row(2))
        assert [row(1), row(2)] == [await anext(one), await anext(one)]
        assert row(1) == await anext(other)
    feed.write(row(3))
    assert row(2) == await anext(other)
    assert 0 == len(other._rows) == one.missed == other.missed


async def test_a_watcher_waits_for_the_next_turn():
    """An idle gateway costs a watcher nothing, and its next turn wakes them."""
    feed = Feed()
    with feed.subscribe() as watching:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(anext(aiter(watching)))
            await asyncio.sleep(0)
            assert not waiting.done()
            feed.write(row(1))
        assert row(1) == waiting.result()


async def test_who_is_too_slow_is_told_how_much_was_missed():
    """The newest turns are held, no more than there is room for, and the others are counted."""
    feed = Feed()
    with feed.subscribe(most=3) as slow:
        for number in range(10):
            feed.write(row(number))
        assert 7 == slow.missed
        assert [row(7), row(8), row(9)] == [await anext(slow) for _ in range(3)]


def test_ids_grow_with_time_and_never_stand_still():
    """Many in one millisecond, a clock that is set back, a burst past a millisecond's ids."""
    now = NOON
    ids = TurnIds(lambda: now)
    found = [ids.next() for _ in range(1_000)]
    now -= 5_000
    found.append(ids.next())
    now += 10_000
    found.append(ids.next())
    assert sorted(set(found)) == found
    assert [NOON, NOON, NOON + 5_000] == [found[n] >> ID_BITS for n in (0, 1_000, 1_001)]


def test_processes_rarely_share_an_id():
    """Processes that count in the same millisecond begin at numbers of their own, of a million.

    Chance has no say here: of 100 draws, one bit is the same in all once in 2**94, and five pairs
    of equal numbers come once in 10**13.
    """
    starts = [TurnIds(lambda: NOON).next() for _ in range(100)]
    varying = [bit for bit in range(ID_BITS) if len({start >> bit & 1 for start in starts}) == 2]
    assert list(range(20)) == varying
    assert len(set(starts)) > 95
