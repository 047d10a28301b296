"""Homes in memory, and as they are written through to a store that comes and goes."""

import asyncio

import pytest

from longwire.core.errors import StoreUnavailable
from longwire.core.rules.homes import held_key, owned_key, session_home_key
from longwire.core.rules.turn import Scope
from longwire.relay import homes as module
from longwire.relay.homes import LocalHomes, home_of_response

ONE, OTHER = Scope("api_key:1"), Scope("api_key:2")


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1_000.0

    def __call__(self):
        return self.now


class Stored:
    """What a database does for homes: it may be away, and it may not answer."""

    def __init__(self):
        self.kept = {}
        self.writes = []
        self.reads = 0
        self.is_away = False
        self.hangs = False
        self.lingers = False
        self.error = None

    async def find(self, key):
        self.reads += 1
        home = self.kept.get(key)
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.lingers:  # as a driver that ends a connection which does not answer
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.5)
        if self.error:
            raise self.error
        if self.is_away:
            raise StoreUnavailable("gone")
        return home

    async def keep(self, changed):
        if self.is_away:
            raise StoreUnavailable("gone")
        if changed:
            self.writes.append(dict(changed))
        self.kept |= changed


@pytest.fixture
def stored():
    return Stored()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    """Write at once, and wait for nobody long."""
    for name, seconds in (("_INTERVAL", 0.0), ("_PATIENCE", 0.05), ("_PAUSE", 0.01)):
        monkeypatch.setattr(module, name, seconds)


async def become(is_so):
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - what is awaited tells nobody of itself
            await asyncio.sleep(0.001)


def session(name, scope=ONE):
    return session_home_key(scope, str(name))


async def test_the_last_home_counts_for_its_caller_alone():
    """What another caller left under the same id is not there."""
    homes = LocalHomes()
    homes.put(session("s"), "a")
    homes.put(session("s"), "b")
    homes.put(held_key(OTHER, "s"), "c")
    assert ["b", None, None] == [
        await homes.get(each) for each in (session("s"), session("s", OTHER), held_key(ONE, "s"))
    ]


async def test_a_bounded_number_is_held(stored):
    """Of too many the one that was used longest ago goes, here and in what waits to be written."""
    homes = LocalHomes(most=3)
    async with homes.kept_in(stored):
        for number in range(3):
            homes.put(session(number), "a")
        homes.put(session(0), "a")
        homes.put(session(3), "a")
        stored.is_away = True
        found = [await homes.get(session(number)) for number in range(4)]
        assert ["a", None, "a", "a"] == found
        stored.is_away = False
    assert 4 == len(stored.kept)
    assert "<LocalHomes held=3 unwritten=0>" == repr(homes)


async def test_a_home_outlives_its_process(stored):
    """It is written soon, and at the end whatever was not; the next process finds it, once."""
    homes = LocalHomes()
    async with homes.kept_in(stored):
        homes.put(session("s"), "a")
        await become(lambda: stored.kept)
        homes.put(session("t"), "b")
    again = LocalHomes()
    async with again.kept_in(stored):
        assert ["a", "b", None] == [await again.get(session(each)) for each in "stu"]
        before = stored.reads
        assert ["a", "b"] == [await again.get(session(each)) for each in "st"]
        assert before == stored.reads
        again.put(session("s"), "a")
        await become(lambda: {session("s"): "a"} == stored.writes[-1])


async def test_only_what_changes_is_written(stored):
    """A session that stays is written once, and again hours later, so that it does not expire."""
    clock = Clock()
    homes = LocalHomes(clock)
    async with homes.kept_in(stored):
        for home, passes in (("a", 0), ("a", 3600), ("b", 0), ("b", 7 * 3600), ("b", 60)):
            clock.now += passes
            homes.put(session("s"), home)
            await become(lambda: "unwritten=0" in repr(homes))
    assert ["a", "b", "b"] == [home for each in stored.writes for home in each.values()]


async def test_what_cannot_be_written_waits(stored):
    """A database that is away for a while loses no home, and the newer one of two counts."""
    homes = LocalHomes()
    async with homes.kept_in(stored):
        stored.is_away = True
        homes.put(session("s"), "a")
        homes.put(session("t"), "a")
        await asyncio.sleep(0.02)
        homes.put(session("s"), "b")
        stored.is_away = False
        await become(lambda: len(stored.kept) == 2)
        await become(lambda: stored.kept[session("s")] == "b")


@pytest.mark.parametrize("way", ["is_away", "hangs"])
async def test_no_turn_waits_for_a_database(stored, way):
    """One that does not answer costs one turn a moment; then it is left alone for a while."""
    clock = Clock()
    homes = LocalHomes(clock)
    async with homes.kept_in(stored):
        setattr(stored, way, True)
        async with asyncio.timeout(1):
            assert [None] * 5 == [await homes.get(session(number)) for number in range(5)]
        assert 1 == stored.reads
        setattr(stored, way, False)
        stored.kept[session("s")] = "a"
        clock.now += 1
        assert "a" == await homes.get(session("s"))


async def test_no_turn_waits_for_a_driver_that_gives_up(stored):
    """A read that was given up may take seconds to end; who asked has gone on long before."""
    homes, now = LocalHomes(), asyncio.get_running_loop().time
    async with homes.kept_in(stored):
        stored.lingers = True
        began = now()
        async with asyncio.TaskGroup() as group:
            found = [group.create_task(homes.get(session(each))) for each in "abc"]
        assert ([None] * 3, 3) == ([each.result() for each in found], stored.reads)
        assert now() - began < 0.4


async def test_a_turn_that_is_cancelled_reads_no_more(stored):
    """Who goes away leaves no read behind, and the store is asked on."""
    homes = LocalHomes()
    async with homes.kept_in(stored):
        stored.hangs = True
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(homes.get(session("s")))
            await become(lambda: stored.reads)
            reading.cancel()
        assert reading.cancelled()
        stored.hangs = False
        stored.kept[session("s")] = "a"
        assert "a" == await homes.get(session("s"))


async def test_what_cannot_be_read_is_no_home(stored):
    """Whatever a driver makes of it: a turn goes on without, and others find theirs afterwards."""
    clock = Clock()
    homes = LocalHomes(clock)
    async with homes.kept_in(stored):
        stored.error = ValueError("no text")
        assert await homes.get(session("s")) is None
        stored.error, stored.kept[session("s")] = None, "a"
        clock.now += 1
        assert "a" == await homes.get(session("s"))


async def test_a_turn_that_ends_meanwhile_knows_better(stored):
    """What a database says late does not replace what has been seen since."""
    homes = LocalHomes()
    async with homes.kept_in(stored):
        stored.kept[session("s")] = "old"
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(homes.get(session("s")))
            await asyncio.sleep(0)
            homes.put(session("s"), "new")
        assert "new" == reading.result()


class _Noted:
    """Homes that another node notes behind the first look."""

    def __init__(self, *keys):
        self._noted = dict.fromkeys(keys, "main/")
        self._looks = 0

    async def get(self, key):
        self._looks += 1
        return self._noted.get(key) if self._looks > 1 else None

    def put(self, key, home):
        raise AssertionError("nothing is to be put")


OURS, THEIRS = Scope("key:ours"), Scope("key:theirs")


async def test_a_response_that_is_noted_while_we_look_is_nobody_elses():
    """Its caller's note comes between the look for it and the one for anybody's."""
    homes = _Noted(held_key(OURS, "resp_1"), owned_key("resp_1"))
    assert ("main/", False) == await home_of_response(homes, OURS, "resp_1")


async def test_a_response_of_another_caller_is_known_as_such():
    """Somebody's and not ours; one that nobody has is not known at all."""
    homes = _Noted(held_key(THEIRS, "resp_1"), owned_key("resp_1"))
    assert (None, True) == await home_of_response(homes, OURS, "resp_1")
    assert (None, False) == await home_of_response(homes, OURS, "resp_2")
