"""Encrypted reasoning goes to the account that can read it; where none is left, it is left out."""

from collections import Counter
from contextlib import asynccontextmanager

import pytest

from longwire.emulator import Emulator, Fault, IssuerOptions, Options, Script, digest
from longwire.emulator.issuer import account_of
from tests.journeys.accounts import (
    ACTOR,
    ADA,
    BOB,
    CYN,
    add_account,
    opened,
    settings_of,
    signed_in,
)
from tests.journeys.two_upstreams import Stage, staged

SEALING = Script(tool_rounds=0)
STEADY = {"store": False, "include": ["reasoning.encrypted_content"], "tools": []}


class Session:
    """A client that resends its whole history, encrypted reasoning included."""

    def __init__(self, stage, name):
        self.stage = stage
        self.name = name
        self.history = []

    async def say(self, text, **members):
        """Take a turn; a turn that fails changes nothing."""
        asked = [*self.history, {"role": "user", "content": text}]
        reply = await self.stage.ask(asked, session=self.name, **{**STEADY, **members})
        if reply.status == 200:
            self.history = asked + reply.response["output"]
        return reply


def sealed(items):
    """The items of a history that one account alone can read."""
    return [item for item in items if item.get("encrypted_content")]


def readable(items):
    """The others."""
    return [item for item in items if not item.get("encrypted_content")]


def way(reply):
    """How a turn travelled, and why."""
    names = ("x-longwire-continuity", "x-longwire-reason")
    return " ".join(filter(None, (reply.headers.get(name) for name in names)))


async def all_say(sessions, text):
    """A turn of each, some streamed; none is refused."""
    replies = [await each.say(text, stream=n % 2 == 0) for n, each in enumerate(sessions)]
    assert [] == [each.json for each in replies if each.status != 200]
    return replies


TRANSPORTS = pytest.mark.parametrize("transport", ["http", "websocket", "auto"])


@TRANSPORTS
async def test_sessions_go_home_after_a_restart(tmp_path, transport):
    """Twenty sessions of two upstreams: nothing encrypted ever reaches the wrong one."""
    async with staged(tmp_path, SEALING, channel={"transport": transport}) as stage:
        sessions = [Session(stage, f"s{number}") for number in range(20)]
        firsts = await all_say(sessions, "first")
        assert {"a", "b"} == {each.channel for each in firsts}
        await stage.restart()
        seconds = await all_say(sessions, "second")
        requests = sum(each.counters.creates_full for each in stage.upstreams.values())
    assert [each.channel for each in firsts] == [each.channel for each in seconds]
    assert 40 == requests


@TRANSPORTS
async def test_sessions_that_were_moved_find_their_way(tmp_path, transport):
    """Twenty sessions whose homes nobody remembers: each finds its reader, then stays there.

    Who cannot read it has done no work, so that it is tried elsewhere, once each.
    """
    async with staged(tmp_path, SEALING, channel={"transport": transport}) as stage:
        sessions = [Session(stage, f"s{number}") for number in range(20)]
        firsts = await all_say(sessions, "first")
        for number, each in enumerate(sessions):
            each.name = f"moved {number}"
        seconds = await all_say(sessions, "second")
        await stage.restart()
        thirds = await all_say(sessions, "third")
    assert [each.channel for each in firsts] == [each.channel for each in seconds]
    assert [each.channel for each in firsts] == [each.channel for each in thirds]


@TRANSPORTS
async def test_what_nobody_can_read_is_left_out(tmp_path, transport):
    """The model sees all but that; the session goes on at its new home, and what is new is kept."""
    async with staged(tmp_path, SEALING, channel={"transport": transport}) as stage:
        session = Session(stage, "s")
        first = await session.say("first")
        lost = sealed(session.history)
        assert lost
        left = stage.other(first.channel)
        await remove(stage, first.channel)
        second = await session.say("second")
        assert (200, left, "fresh sealed_elsewhere") == (second.status, second.channel, way(second))
        shown = stage.upstreams[left].turns
        expected = readable(session.history[: -len(second.response["output"])])
        assert digest(expected) == shown[-1].digest
        third = await session.say("third", stream=True)
        kept = [item for item in session.history if item not in lost]
        assert digest(kept[: -len(third.response["output"])]) == shown[-1].digest
        usual = "fresh http_transport" if transport == "http" else "continued"
        assert (200, usual) == (third.status, way(third))
        assert 2 == len([turn for turn in shown if turn.status == "completed"])
        await stage.restart()
        fourth = await session.say("fourth")
        assert (200, left) == (fourth.status, fourth.channel)
        fifth = await session.say("fifth")
        assert (200, usual) == (fifth.status, way(fifth))


async def remove(stage: Stage, channel: str) -> None:
    """Start anew without a channel."""
    await stage.stop()
    channels = [each for each in stage.settings.channels if each.name != channel]
    stage.settings = stage.settings.model_copy(update={"channels": tuple(channels)})
    await stage.start()


async def test_two_conversations_of_a_session_lose_their_own_alone(tmp_path):
    """A main loop and a sub-agent share a session's name: each is sent without what it lost."""
    async with staged(tmp_path, SEALING) as stage:
        main, agent = Session(stage, "s"), Session(stage, "s")
        first = await main.say("first")
        await agent.say("another")
        await remove(stage, first.channel)
        replies = [await each.say(text) for text in ("second", "third") for each in (main, agent)]
        (left,) = {each.channel for each in replies}
        refused = [t for t in stage.upstreams[left].turns if "encrypted" in t.status]
    assert ["fresh sealed_elsewhere"] * 2 + ["fresh http_transport"] * 2 == [*map(way, replies)]
    assert 2 == len(refused)


async def test_a_limit_at_home_is_waited_for(tmp_path):
    """Who could read it is only busy: nothing is left out, and the caller hears until when."""
    limit = Fault(
        at="handshake",
        act="refuse",
        status=429,
        code="rate_limit_exceeded",
        headers={"retry-after": "7"},
    )
    async with staged(tmp_path, SEALING) as stage:
        session = Session(stage, "s")
        first = await session.say("first")
        stage.upstreams[first.channel].faults.add(limit)
        refused = await session.say("second")
        assert (429, "7") == (refused.status, refused.headers.get("retry-after"))
        assert (200, first.channel) == (
            (again := await session.say("second")).status,
            again.channel,
        )


CODE, WORDS = "invalid_encrypted_content", "The encrypted content gAAA… could not be verified."


@pytest.mark.parametrize(
    ("shape", "code", "message"),
    [
        *((shape, CODE, "No.") for shape in "abcdefgjk"),
        *((shape, "invalid_request_error", WORDS) for shape in "abcdefhi"),
    ],
)
async def test_whatever_words_it_is_said_in(tmp_path, shape, code, message):
    """With its code or in words alone, as an error or a failed response before any output."""
    fault = Fault(
        at="before_create", act="error", status=400, shape=shape, code=code, message=message
    )
    blind = Options(check_encrypted=False)
    async with staged(tmp_path, SEALING, blind, channel={"transport": "websocket"}) as stage:
        session = Session(stage, "s")
        first = await session.say("first")
        stage.upstreams[first.channel].faults.add(fault)
        second = await session.say("second", stream=True)
    assert (200, stage.other(first.channel)) == (second.status, second.channel)


@pytest.fixture
async def emulator():
    """An upstream of accounts."""
    issuer = IssuerOptions(people=(ADA, BOB, CYN))
    async with Emulator(Options(issuer=issuer), SEALING) as running:
        yield running


@asynccontextmanager
async def accounts_of(emulator, folder, *people):
    """A stage before one channel with accounts, over HTTP; gives its store and accounts, too."""
    settings = settings_of(emulator, folder)
    async with opened(settings) as store:
        spec, accounts = await signed_in(store, emulator, *people, transport="http")
        stage = Stage(settings, {"codex": emulator})
        await stage.start()
        try:
            yield stage, store, spec, accounts
        finally:
            await stage.stop()


async def test_accounts_read_their_own_after_a_restart(emulator, tmp_path):
    """Whatever is left elsewhere by now, the account that sealed a session's reasoning gets it."""
    async with accounts_of(emulator, tmp_path, ADA, BOB) as (stage, _store, _spec, _accounts):
        sessions = [Session(stage, f"s{number}") for number in range(8)]
        await all_say(sessions, "first")
        firsts = [turn.fingerprint for turn in emulator.turns]
        assert 2 == len(set(firsts))
        most = Counter(firsts).most_common(1)[0][0]
        for person in (ADA, BOB):
            own = account_of(person)
            emulator.world.used[own] = 90.0 if own.endswith(most) else 5.0
        await all_say([Session(stage, f"t{number}") for number in range(6)], "hi")
        await stage.restart()
        before = len(emulator.turns)
        await all_say(sessions, "second")
        assert firsts == [turn.fingerprint for turn in [*emulator.turns][before:]]


@pytest.mark.parametrize("others", [(BOB,), (BOB, CYN)], ids=["one left", "two left"])
async def test_an_account_that_is_removed_leaves_its_sessions_going(emulator, tmp_path, others):
    """The others are asked, once each; then it goes on without what they cannot read."""
    async with accounts_of(emulator, tmp_path, ADA, *others) as (stage, store, _, accounts):
        session = Session(stage, "s")
        await session.say("first")
        lost = sealed(session.history)
        (home,) = [each for each in accounts if each.owner.account_id[-4:] == served(emulator)]
        await store.accounts.remove(home.id, home.revision, ACTOR)
        await stage.gateway.app.reconciler.refresh()
        before = len(emulator.turns)
        second = await session.say("second")
        assert (200, "fresh sealed_elsewhere") == (second.status, way(second))
        assert len(others) + 1 == len(emulator.turns) - before
        third = await session.say("third")
        kept = [item for item in session.history if item not in lost]
        assert 200 == third.status
        assert digest(kept[: -len(third.response["output"])]) == emulator.turns[-1].digest
        assert len(others) + 2 == len(emulator.turns) - before


async def test_a_session_goes_where_somebody_can_read_it(emulator, tmp_path):
    """A home that lost its account and got it back by another sign-in is found by trying."""
    async with accounts_of(emulator, tmp_path, ADA, BOB) as (stage, store, spec, accounts):
        session = Session(stage, "s")
        await session.say("first")
        owner = served(emulator)
        (home,) = [each for each in accounts if each.owner.account_id[-4:] == owner]
        await store.accounts.remove(home.id, home.revision, ACTOR)
        await add_account(store, emulator, spec, home.label)
        await stage.gateway.app.reconciler.refresh()
        second = await session.say("second")
        assert (200, owner) == (second.status, served(emulator))
        assert "sealed_elsewhere" not in way(second)


def served(emulator):
    """Who the last turn came by."""
    return emulator.turns[-1].fingerprint
