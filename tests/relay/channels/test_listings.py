"""Lists of models: fetched once for all callers, behind whose backs who hangs is waited for."""

import asyncio
from types import SimpleNamespace

import pytest

from longwire.core.errors import UpstreamUnavailable
from longwire.relay.channels.listings import Listings
from longwire.upstream.http.address import Listed

LISTED = Listed({"m": b'{"id":"m"}'})
OTHER = Listed({"n": b'{"id":"n"}'})


class Upstream:
    """Lists what it is to list next: a list, an error, or an event to wait for first."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.queries = []

    async def listed(self, query):
        self.queries.append(query)
        answer = self.answers.pop(0)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def channel(name, *answers, lists_for_codex=False):
    """A channel, as far as lists go."""
    vendor = SimpleNamespace(lists_for_codex=lists_for_codex)
    return SimpleNamespace(name=name, endpoint=name, listing=Upstream(*answers), vendor=vendor)


class Clock:
    """Seconds of the loop, and those that a test adds."""

    def __init__(self):
        self.added = 0.0

    def __call__(self):
        return asyncio.get_running_loop().time() + self.added


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def listings(clock):
    listings = Listings(clock)
    async with listings.running():
        yield listings


@pytest.mark.looptime
async def test_who_hangs_is_waited_for_once_and_not_for_long(listings):
    """What the other lists is there within a second; then nobody waits, and the list comes."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    hangs, lists = channel("a", end, OTHER), channel("b", LISTED)
    began = loop.time()
    await listings.look([hangs, lists], "1")
    assert 0.5 < loop.time() - began < 1
    assert (Listed({}), LISTED) == (listings.of(hangs), listings.of(lists))
    began = loop.time()
    await listings.look([hangs, lists], "1")
    assert began == loop.time()
    end.set()
    await asyncio.sleep(0.01)
    await listings.look([hangs, lists], "1")
    assert OTHER == listings.of(hangs)
    assert (1, 1) == (len(hangs.listing.queries), len(lists.listing.queries))


@pytest.mark.looptime
async def test_all_callers_share_a_request(listings):
    """Ten at once are one question."""
    end = asyncio.Event()
    busy = channel("a", end, LISTED)
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(listings.look([busy], "1"))
        await asyncio.sleep(0.1)
        end.set()
    assert LISTED == listings.of(busy)
    assert 1 == len(busy.listing.queries)


@pytest.mark.looptime
async def test_an_old_list_holds_while_a_new_one_is_asked_for(listings, clock):
    """Nobody waits for it; the next caller has it. One that fails leaves the old one."""
    end = asyncio.Event()
    grows = channel("a", LISTED, end, OTHER, UpstreamUnavailable("gone"))
    await listings.look([grows], "1")
    clock.added += 299
    await listings.look([grows], "1")
    assert 1 == len(grows.listing.queries)
    clock.added += 2
    await listings.look([grows], "1")
    assert LISTED == listings.of(grows)
    end.set()
    await asyncio.sleep(0.01)
    assert OTHER == listings.of(grows)
    clock.added += 301
    await listings.look([grows], "1")
    await asyncio.sleep(0.01)
    assert OTHER == listings.of(grows)
    assert 3 == len(grows.listing.queries)


@pytest.mark.looptime
async def test_who_cannot_list_is_left_alone_for_half_a_minute(listings, clock):
    """Then it is asked again, and nobody waits for that."""
    fails = channel("a", UpstreamUnavailable("gone"), LISTED)
    await listings.look([fails], "1")
    clock.added += 29
    await listings.look([fails], "1")
    assert 1 == len(fails.listing.queries)
    clock.added += 2
    await listings.look([fails], "1")
    await asyncio.sleep(0.01)
    assert LISTED == listings.of(fails)


@pytest.mark.looptime
async def test_a_list_for_codex_is_asked_for_by_its_version(listings):
    """Other upstreams are asked without."""
    codex, plain = channel("a", LISTED, lists_for_codex=True), channel("b", LISTED)
    await listings.look([codex, plain], "0.169.0")
    assert [{"client_version": "0.169.0"}] == codex.listing.queries
    assert [{}] == plain.listing.queries


@pytest.mark.looptime
async def test_what_no_channel_needs_is_forgotten(listings):
    """Its list, and the request for it."""
    gone, stays = channel("a", asyncio.Event()), channel("b", LISTED)
    async with asyncio.TaskGroup() as group:
        group.create_task(listings.look([gone, stays], "1"))
        await asyncio.sleep(0.1)
        listings.forget_others({"b"})
    assert (Listed({}), LISTED) == (listings.of(gone), listings.of(stays))
