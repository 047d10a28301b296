"""Limits that nodes share: the laws of one process, over many, on a real Valkey."""

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from copy import copy
from datetime import UTC, datetime
from hashlib import sha1

import pytest
from structlog.testing import capture_logs

from longwire.app import App
from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Budgets, Rates
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.rules.limits import NOTHING, Spent, Subject
from longwire.core.rules.spending import subjects_of
from longwire.fleet import limits as module
from longwire.fleet import valkey as valkey_module
from longwire.fleet.addresses import connect_to
from longwire.fleet.limits import SharedLimits
from longwire.fleet.local import LocalLimits
from longwire.fleet.nodes import Nodes
from longwire.fleet.valkey import Valkey
from tests.conftest import settings_for
from tests.doubles.valkey import is_away, until

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


def key(budgets=None, **rates):
    return Subject("key:1", "ci", Rates(**rates), budgets or Budgets())


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is no failure, where nothing is to fail."""
    monkeypatch.setattr(valkey_module, "TIMEOUT", 2.0)


@pytest.fixture
async def fleet(patience, valkey_server):
    """Make the limits of nodes that know how many they are."""
    async with AsyncExitStack() as stack:

        async def fleet_of(*names, **options):
            found = []
            for name in names:
                valkey = Valkey(connect_to(valkey_server.url))
                await stack.enter_async_context(valkey.running())
                nodes = Nodes(name, valkey)
                nodes.count = len(names)
                found.append(SharedLimits(valkey, nodes, **options))
            return found

        yield fleet_of


@pytest.fixture
async def nodes(fleet):
    return await fleet("a", "b", "c")


@pytest.fixture
async def one(fleet):
    (limits,) = await fleet("a")
    return limits


@pytest.fixture
def clock(monkeypatch):
    """A clock that the scripts read as if it were the server's; see `show`."""
    script = copy(module._LIMITS)
    script.source = script.source.replace(b"'TIME'", b"'LRANGE', 'clock', 0, 1")
    script.sha = sha1(script.source, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(module, "_LIMITS", script)
    return Clock()


async def show(limits, clock, now):
    """Set the server's clock, and the node's."""
    clock.now = now
    second, rest = divmod(round(now * 1000), 1000)
    limits._valkey.post("DEL", "clock")
    await limits._valkey.call("RPUSH", "clock", second, rest * 1000)


async def admitted(limits, subject, expected=NOTHING):
    """Return a permit, None where it is refused."""
    try:
        return await limits.enter(subject, expected)
    except LimitReached:
        return None


async def written(*limits):
    """Wait until what was posted is there."""
    for each in limits:
        await each._valkey.call("PING")


SUBJECTS = [
    key(requests_per_minute=4),
    key(requests_per_minute=9, tokens_per_minute=100, concurrent_turns=3),
    key(Budgets(tokens_per_day=300, cost_per_month=2_000)),
    key(Budgets(cost_per_day=250, tokens_per_month=900), concurrent_turns=2),
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=range(len(SUBJECTS)))
@pytest.mark.parametrize("seed", range(3))
async def test_a_fleet_admits_and_refuses_as_one_process_does(fleet, clock, subject, seed):
    """The same history has the same admissions, refusals to the word, headers and waits."""
    dice, alone, (shared,) = (
        random.Random(seed),
        LocalLimits(clock),
        await fleet("a", clock=clock, lasts=1e6),
    )
    under_way, now = [], NOON
    for _ in range(150):
        now += dice.choice((0, 0.25, 1, 7, 20, 60, 3_000))
        await show(shared, clock, now)
        if under_way and dice.random() < 0.4:
            leave(under_way.pop(dice.randrange(len(under_way))), amount(dice))
        assert await alone.waits([subject]) == await shared.waits([subject])
        expected = amount(dice)
        one, other = [await outcome(each, subject, expected) for each in (alone, shared)]
        assert one[1:] == other[1:]
        if one[0] is not None:
            under_way.append(((alone, one[0]), (shared, other[0])))
        shared._renew()


def leave(both, spent):
    for limits, permit in both:
        limits.leave(permit, spent)
        limits.correct(permit, Spent(7 - spent.tokens, 20 - spent.cost))


def amount(dice):
    return Spent(dice.choice((0, 5, 30)), dice.choice((0, 10, 60)))


async def outcome(limits, subject, expected):
    """Return a permit or none, and all that a caller sees."""
    try:
        permit = await limits.enter(subject, expected)
    except LimitReached as refusal:
        return None, str(refusal), refusal.code, refusal.retry_after, refusal.headers
    return permit, permit.headers


@pytest.mark.parametrize("limit", [{"requests_per_minute": 60}, {"concurrent_turns": 7}])
async def test_nodes_admit_together_what_one_may(nodes, limit):
    """However many hammer at once, exactly the limit gets in."""
    subject, most = key(**limit), *limit.values()
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(admitted(nodes[at % 3], subject)) for at in range(300)]
    assert most == sum(each.result() is not None for each in tries)


async def test_tokens_are_those_of_all_with_what_is_under_way(nodes):
    """Turns at once are those that fit, whichever node they come to; then what they cost counts."""
    subject = key(tokens_per_minute=1_000)
    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(admitted(nodes[at % 3], subject, Spent(300))) for at in range(90)
        ]
    permits = [each.result() for each in tries]
    assert 4 == sum(each is not None for each in permits)
    for limits, permit in zip(nodes * 30, permits, strict=True):
        if permit is not None:
            limits.leave(permit, Spent(200))
    await written(*nodes)
    assert ["800", "800"] == [
        str(1000 - int((await each.enter(subject)).headers["x-ratelimit-remaining-tokens"]))
        for each in nodes[:2]
    ]


async def test_a_turn_that_ends_makes_room_on_every_node(nodes):
    """Who is refused by one node gets in by it once the other's turn has left."""
    a, b, _ = nodes
    subject = key(concurrent_turns=1)
    permit = await a.enter(subject)
    assert {"key:1": 1} == await b.waits([subject, Subject("key:2", "", subject.rates)])
    a.leave(permit, NOTHING)
    await written(a)
    assert await admitted(b, subject)


async def test_who_leaves_twice_is_counted_once(one):
    """What is posted may be written again: leases, tokens and corrections count by their names."""
    subject = key(Budgets(tokens_per_day=100), tokens_per_minute=1_000)
    first, second = await one.enter(subject, Spent(60)), await one.enter(subject, Spent(30))
    for _ in range(3):
        one._count(subject, first.lease, Spent(50))
        one._count(subject, first.lease + ":correction", Spent(-10))
    await written(one)
    assert b"40" == await one._valkey.call("HGET", one._keys(subject)[2], "t")
    window = await one._valkey.call("HMGET", one._keys(subject)[0], "T", "E")
    assert [b"50", b"30"] == window
    one._renew()  # the first one is still among the leases here: it does not come back
    await written(one)
    assert [second.lease.encode()] == await one._valkey.call(
        "ZRANGEBYSCORE", one._keys(subject)[1], 0, "+inf"
    )


async def test_a_cancelled_turn_holds_nothing(one):
    """Who stops waiting for its admission gives back what it may have got."""
    subject = key(concurrent_turns=2, tokens_per_minute=100)
    await admitted(one, key(requests_per_minute=1))  # the connection is there
    for waits in range(20):
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(one.enter(subject, Spent(10)))
            for _ in range(waits % 5):
                await asyncio.sleep(0)
            turn.cancel()
    await written(one)
    keys = one._keys(subject)
    assert 0 == await one._valkey.call("ZCARD", keys[1])
    assert b"0" == await one._valkey.call("HGET", keys[0], "E")


async def test_the_leases_of_a_dead_node_end(fleet):
    """And those of a living one hold on, with what its turns are expected to cost."""
    subject = key(concurrent_turns=3, tokens_per_minute=1_000)
    dead, alive = await fleet("dead", "alive", lasts=0.3)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(alive.keep_leases())
        await dead.enter(subject, Spent(400))
        await dead.enter(subject, Spent(400))
        await alive.enter(subject, Spent(70))
        assert {"key:1": 1} == await alive.waits([subject])
        await asyncio.sleep(0.7)
        for _ in range(2):  # what is left of a thousand tokens, and the last of three turns
            assert {} == await alive.waits([subject])
            assert await admitted(alive, subject, Spent(900))
        assert {"key:1": 1} == await alive.waits([subject])
        keeping.cancel()


async def test_names_are_remembered_for_two_minutes(clock, fleet):
    """So long a turn that left is known; then the leases of a busy subject are no more."""
    (limits,), subject = (
        await fleet("a", clock=clock),
        key(concurrent_turns=1, tokens_per_minute=99),
    )
    for now, known in ((NOON, 1), (NOON + 120, 2), (NOON + 130, 2), (NOON + 300, 1)):
        await show(limits, clock, now)
        limits.leave(await limits.enter(subject), Spent(1))
        await written(limits)
        assert known == await limits._valkey.call("ZCARD", limits._keys(subject)[1])


async def test_what_comes_late_counts_at_its_second(clock, fleet):
    """And what is no longer of this minute does not count; the day is the database's by then."""
    (limits,), subject = await fleet("a", clock=clock), key(Budgets(tokens_per_day=999))
    await show(limits, clock, NOON)
    old, late = await limits.enter(subject), await limits.enter(subject)
    await show(limits, clock, NOON + 70)
    for clock.now, permit, spent in ((NOON, old, Spent(1)), (NOON + 40, late, Spent(20))):
        limits.leave(permit, spent)
    await written(limits)
    window, _, day, _ = limits._keys(subject)
    sums = await limits._valkey.call("HMGET", window, "T", f"t{NOON + 40:.0f}")
    assert [b"20", b"20"] == sums
    assert b"0" == await limits._valkey.call("HGET", day, "t")


async def test_a_server_whose_clock_was_put_back_refuses_nobody_for_long(clock, fleet):
    """A minute begins anew there, and turns under way are renewed."""
    (limits,), subject = (
        await fleet("a", clock=clock),
        key(requests_per_minute=2, concurrent_turns=2),
    )
    await show(limits, clock, NOON)
    await limits.enter(subject)
    await limits.enter(subject)
    await show(limits, clock, NOON - 30)
    assert await admitted(limits, subject) is None
    await show(limits, clock, NOON - 3_600)
    assert await admitted(limits, subject)
    limits._renew()
    assert {"key:1": 1} == await limits.waits([subject])


async def test_keys_end_by_themselves(one):
    """Nothing stays of a subject that rests, but what days and months cost."""
    subject = key(Budgets(tokens_per_day=1_000), requests_per_minute=10)
    one.leave(await one.enter(subject, Spent(1)), Spent(5, 7))
    await written(one)
    lives = [await one._valkey.call("TTL", each) for each in one._keys(subject)]
    assert [125, 125, 172_800, 3_456_000] == [round(each / 5) * 5 for each in lives]


async def test_keys_of_one_subject_are_in_one_place(one):
    """A cluster can run each script: one hash tag, the subject's, for all its keys."""
    subject = key(Budgets(tokens_per_day=1_000))
    tags = {each.split("{")[1].split("}")[0] for each in one._keys(subject)}
    assert {"key:1"} == tags


async def test_the_log_and_metrics_say_where_limits_are_counted(valkey_server):
    """At the start, and whenever somebody looks: nobody believes that all nodes count together."""
    for url, where in (("", "process"), (valkey_server.url, "valkey")):
        app = App(settings_for("http://127.0.0.1:9/v1", fleet={"url": url, "node": "a"}))
        with capture_logs() as lines:
            async with app.running():
                shown = app.metrics.render().decode()
        assert [where] == [each["where"] for each in lines if each["event"] == "limits_counted"]
        assert f'longwire_limits_counted{{where="{where}"}} 1.0' in shown


# Valkey away


@pytest.fixture
def hurry(patience, monkeypatch):
    """Time-outs as they are for turns."""
    monkeypatch.setattr(valkey_module, "TIMEOUT", 0.05)


async def test_alone_each_node_has_its_share(hurry, nodes, valkey_server):
    """A frozen server refuses nobody who may go, keeps nobody waiting, and doubles no limit."""
    subject = key(requests_per_minute=9)
    assert 4 == sum([await admitted(nodes[0], subject) is not None for _ in range(4)])
    valkey_server.freeze()
    longest, number = 0.0, 0
    for at in range(60):
        begun = time.monotonic()
        number += await admitted(nodes[at % 3], subject) is not None
        longest = max(longest, time.monotonic() - begun)
    valkey_server.thaw()
    assert 6 == number  # none at the node that had four already, three at each of the others
    assert longest < 0.5


@pytest.mark.parametrize("limit", [{"requests_per_minute": 10}, {"concurrent_turns": 10}])
async def test_a_long_outage_admits_a_limit_and_no_more_than_is_rounded_up(
    hurry, fleet, valkey_server, limit
):
    """Twice the limit at most in the first minute, then one more for each other node at most."""
    clock, subject, admissions = Clock(), key(**limit), []
    nodes = await fleet("a", "b", "c", clock=clock)
    await valkey_server.kill()
    for _ in range(3):
        permits = [(each, await admitted(each, subject)) for each in nodes * 10]
        inside = [(each, permit) for each, permit in permits if permit is not None]
        admissions.append(len(inside))
        for each, permit in inside:
            each.leave(permit, NOTHING)
        clock.now += 61
    assert [12, 12, 12] == admissions


async def test_what_was_admitted_alone_counts_afterwards(hurry, nodes, valkey_server):
    """Requests, tokens, days and turns under way are in Valkey once it is back."""
    subject = key(
        Budgets(tokens_per_day=10_000),
        requests_per_minute=30,
        tokens_per_minute=5_000,
        concurrent_turns=9,
    )
    a, b, _ = nodes
    before = await a.enter(subject, Spent(100))
    valkey_server.freeze()
    a.leave(before, Spent(10))
    for _ in range(2):
        a.leave(await a.enter(subject), Spent(400))
    running = await a.enter(subject, Spent(70))
    valkey_server.thaw()
    await until(lambda: not a._valkey.is_away)
    last = await a.enter(subject)
    await written(a, b)
    window, leases, day, _ = a._keys(subject)
    sums = await b._valkey.call("HMGET", window, "T", "E")
    assert [b"810", b"70"] == sums
    assert b"810" == await b._valkey.call("HGET", day, "t")
    held = await b._valkey.call("ZRANGEBYSCORE", leases, 0, "+inf")
    assert sorted((running.lease.encode(), last.lease.encode())) == sorted(held)
    requests = int(await b._valkey.call("HGET", window, "R"))
    assert 5 <= requests <= 8  # those that timed out may have been counted as they waited


async def test_a_server_that_starts_empty_is_taken_up(nodes, valkey_server):
    """Scripts load, windows begin anew, turns under way are there, and budgets are known."""
    a, _, _ = nodes
    subject = key(Budgets(tokens_per_day=100), concurrent_turns=2, requests_per_minute=99)
    a.set_spent(subject, time.time(), Spent(40), Spent(40))
    a.leave(await a.enter(subject, Spent(5)), Spent(10))
    running = await a.enter(subject, Spent(5))
    await written(a)
    await valkey_server.kill()
    assert await admitted(a, subject) is None  # its share of two is one, which runs
    await valkey_server.start()
    await until(lambda: not a._valkey.is_away)
    permit = await a.enter(subject, Spent(5))
    await written(a)
    assert await admitted(a, subject) is None
    _, leases, day, _ = a._keys(subject)
    assert b"50" == await a._valkey.call("HGET", day, "t")
    assert 2 == await a._valkey.call("ZCARD", leases)
    for each in (running, permit):
        a.leave(each, NOTHING)


async def test_fields_of_another_version_are_passed_over(one):
    """A refusal is told, whatever else stands in the window."""
    subject = key(requests_per_minute=1)
    await one.enter(subject)
    fields = ("rxx", "1", "total", "9", "r5", "1.5")
    await one._valkey.call("HSET", one._keys(subject)[0], *fields)
    assert await admitted(one, subject) is None


# Budgets


async def test_what_was_spent_while_valkey_was_away_counts_once(hurry, nodes, valkey_server):
    """By the database's sum, which has it of all nodes; none of them adds its own again."""
    subject = key(Budgets(tokens_per_day=1_000))
    valkey_server.freeze()
    for each in nodes:
        await until(lambda each=each: is_away(each._valkey))
        each.leave(await each.enter(subject), Spent(10))
    for each in nodes:
        each.set_spent(subject, time.time(), Spent(30), Spent(50))
    await asyncio.sleep(3)
    valkey_server.thaw()
    for each in nodes:
        await until(lambda each=each: not each._valkey.is_away)
        each.leave(await each.enter(subject), Spent(1))
    await written(*nodes)
    _, leases, day, month = nodes[0]._keys(subject)
    sums = [await nodes[0]._valkey.call("HGET", each, "t") for each in (day, month)]
    assert [b"33", b"53"] == sums
    assert 0 == await nodes[0]._valkey.call("ZCOUNT", leases, 0, "+inf")


async def test_sums_of_the_database_are_taken_over_by_all_at_once(nodes):
    """A lost counter is the sum again, not three times; what is not written yet stays."""
    a, b, c = nodes
    subject = key(Budgets(tokens_per_day=100))
    a.leave(await a.enter(subject), Spent(30))
    await written(a)
    for each in nodes:
        each.set_spent(subject, time.time(), Spent(20), Spent(60))
    await written(*nodes)
    _, _, day, month = a._keys(subject)
    sums = [await b._valkey.call("HGET", each, "t") for each in (day, month)]
    assert [b"30", b"60"] == sums
    now = time.time()
    for each in nodes:
        each.set_spent(subject, now, Spent(100), Spent(100))
    await written(*nodes)
    await a._valkey.call("DEL", day)
    a.set_spent(subject, now, Spent(100), Spent(100))  # nothing new: whoever enters mends it
    assert 0 == await a._valkey.call("EXISTS", day)
    assert await admitted(c, subject)
    await written(c)
    with pytest.raises(LimitReached, match="tokens of the day of 'ci' are used up") as caught:
        await b.enter(subject)
    assert "insufficient_quota" == caught.value.code
    other = Subject("key:2", "other", Rates(), subject.budgets)
    a.set_spent(other, now, Spent(100), Spent(100))
    await written(a)
    assert {"key:2": caught.value.retry_after} == await b.waits([other])


async def test_what_is_shared_can_become_less(nodes):
    """Of whose key is somebody else's now: whichever node admits it, turns go on."""
    subject = key(Budgets(tokens_per_day=100))
    a, b, _ = nodes
    b.leave(await b.enter(subject), Spent(199))
    await written(b)
    with pytest.raises(LimitReached):
        await a.enter(subject)
    now = time.time()
    a.set_spent(subject, now, Spent(), Spent())
    await written(a)
    with pytest.raises(LimitReached):
        await a.enter(subject)
    a.set_spent(subject, now, Spent(7), Spent(7), before=a.spent(subject))
    await written(a)
    assert await admitted(a, subject)
    assert await admitted(b, subject)
    assert b"7" == await b._valkey.call("HGET", b._keys(subject)[2], "t")


def weekly(tokens):
    """What a user may spend in a week of a zone."""
    budget = Budget("b", SubjectKind.USER, "usr_1", Period.WEEK, Unit.TOKENS, tokens)
    return subjects_of((budget,), {}, "Asia/Kathmandu")["user:usr_1"]


async def test_a_budget_of_a_zone_admits_exactly_what_fits_over_all_nodes(nodes):
    """Of many turns at once, wherever they come in; what they really cost counts once."""
    subject = weekly(100)
    permits = []

    async def enter(node):
        with suppress(LimitReached):
            permits.append(await node.enter(subject, Spent(10)))

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(enter(nodes[number % 3]))
    assert 10 == len(permits)
    for number, permit in enumerate(permits):
        nodes[number % len(nodes)].leave(permit, Spent(9, 1))
    await written(*nodes)
    week = subject.calendar.names(time.time())[1]
    key = f"lw:{{{subject.id}}}:{week}"
    assert [b"90", b"10"] == await nodes[0]._valkey.call("HMGET", key, "t", "c")
    assert 604_800 < await nodes[0]._valkey.call("TTL", key) <= 777_600
    await nodes[0].enter(subject, Spent(10))
    with pytest.raises(LimitReached, match="tokens of the week"):
        await nodes[1].enter(subject)


async def test_sums_of_a_zone_are_taken_over_by_all(nodes):
    """Of each of its periods; the refusal says when the spent one begins anew."""
    subject = weekly(100)
    nodes[0].set_spent(subject, time.time(), Spent(5), Spent(100), Spent(200))
    await written(nodes[0])
    with pytest.raises(LimitReached, match="100 tokens a week, is used up until") as caught:
        await nodes[2].enter(subject)
    assert "(Asia/Kathmandu)" in str(caught.value)
    assert {subject.id: caught.value.retry_after} == await nodes[1].waits([subject])
