"""What one node asks, all others answer, and who does not is named in time."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from longwire.fleet.asking import Answers, LatestAnswers
from longwire.fleet.fleet import alone
from longwire.fleet.joined import joined
from tests.doubles.valkey import until


@pytest.fixture
async def three(valkey_server):
    """Three nodes that hear each other."""
    fleets = [joined(valkey_server.url, name) for name in "abc"]
    for each in fleets:
        each.asking.answer("name", lambda facts, name=each.asking.node: [name, facts])
    a, b, c = fleets

    async def answer():
        found = [await each.asking.ask("name", {}) for each in fleets]
        return all(2 == len(each.by_node) and not each.missing for each in found)

    async with a.running(), b.running(), c.running():
        await until(answer)
        yield a, b, c


async def test_all_others_answer(three):
    """Each that is there, with the facts of the question, and soon."""
    a, *_ = three
    begun = time.monotonic()
    answers = await a.asking.ask("name", {"x": 1})
    assert Answers({"b": ["b", {"x": 1}], "c": ["c", {"x": 1}]}, []) == answers
    assert time.monotonic() - begun < 0.5


async def test_one_can_be_asked_alone(three):
    """The others are not asked, and one that does not exist is missing at once."""
    a, _, c = three
    c.asking.answer("name", lambda _: pytest.fail("it was not asked"))
    assert Answers({"b": ["b", {}]}, []) == await a.asking.ask("name", {}, "b")
    assert Answers({}, ["nobody"]) == await a.asking.ask("name", {}, "nobody")


async def test_who_asks_at_once_gets_answers_to_their_own_questions(three):
    """Questions do not mix."""
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(each.asking.ask("name", {"n": [each.asking.node, number]}))
            for number in range(10)
            for each in three
        ]
    for number in range(10):
        for each in three:
            facts = {"n": [each.asking.node, number]}
            answers = asked.pop(0).result()
            assert {node: [node, facts] for node in {*"abc"} - {each.asking.node}} == (
                answers.by_node
            )


async def test_who_cannot_answer_is_missing_and_not_waited_for(three):
    """A node of another version, one whose answer fails, and one whose answer is too large."""
    a, b, c = three
    a.asking.answer("mine", lambda _: 1)
    b.asking.answer("bad", lambda facts: facts["absent"])
    b.asking.answer("long", lambda _: [time.perf_counter() * each for each in range(300_000)])
    c.asking.answer("bad", lambda _: "well")
    c.asking.answer("long", lambda _: "short")
    begun = time.monotonic()
    assert Answers({}, ["b", "c"]) == await a.asking.ask("mine", {})
    with capture_logs() as lines:
        assert Answers({"c": "well"}, ["b"]) == await a.asking.ask("bad", {})
        assert Answers({"c": "short"}, ["b"]) == await a.asking.ask("long", {})
    assert time.monotonic() - begun < 2
    assert ["question_not_answered"] * 2 == [line["event"] for line in lines]
    assert "absent" in lines[0]["error"]


async def test_what_cannot_be_read_is_missing(three, monkeypatch):
    """An answer of another make spoils none of the others."""
    a, b, _ = three
    monkeypatch.setattr(b.asking, "_answer_to", lambda _: b"no answer")
    assert Answers({"c": ["c", {}]}, ["b"]) == await a.asking.ask("name", {})


async def test_a_silent_node_is_waited_for_once(three, monkeypatch):
    """It is named each time; nobody waits again until it is heard again."""
    a, b, _ = three
    monkeypatch.setattr("longwire.fleet.asking._IN_TIME", 0.3)
    b.tidings._hearers.clear()
    waits = []
    for _ in range(2):
        begun = time.monotonic()
        assert ["b"] == (await a.asking.ask("name", {})).missing
        waits.append(time.monotonic() - begun)
    assert waits[0] >= 0.3 > waits[1]


async def test_without_valkey_all_others_are_missing_at_once(three, valkey_server):
    """A page comes without them rather than late."""
    a, *_ = three
    valkey_server.freeze()
    for _ in range(4):
        answers = await a.asking.ask("name", {})
    begun = time.monotonic()
    answers = await a.asking.ask("name", {})
    assert Answers({}, ["b", "c"]) == answers
    assert time.monotonic() - begun < 1.5
    valkey_server.thaw()


async def test_answers_leave_nothing_behind(three):
    """What was answered goes by itself, with the command that wrote it."""
    a, *_ = three
    await a.valkey.call("CONFIG", "RESETSTAT")
    await a.asking.ask("name", {})
    assert b"cmdstat_expire:" not in await a.valkey.call("INFO", "commandstats")
    keys = [key for key in await a.valkey.call("KEYS", "*") if b"answer" in key]
    assert keys
    assert all([0 < await a.valkey.call("TTL", key) <= 10 for key in keys])


async def test_who_is_alone_asks_nobody():
    """There are no others, and nobody is missing."""
    asking = alone("a").asking
    assert Answers() == await asking.ask("name", {})
    assert Answers({}, ("b",)) == await asking.ask("name", {}, "b")


async def test_several_who_ask_the_same_share_the_answers(three):
    """One question serves all who look within a second; who gives up leaves the others theirs."""
    a, b, _ = three
    count = 0

    def counted(_):
        nonlocal count
        count += 1
        return count

    b.asking.answer("count", counted)
    latest = LatestAnswers(a.asking, "count")
    async with asyncio.TaskGroup() as group:
        gone, *tasks = [group.create_task(latest.get()) for _ in range(5)]
        await asyncio.sleep(0)
        gone.cancel()
    assert [{"b": count}] * 4 == [each.result().by_node for each in tasks]
    before = count
    assert {"b": before} == (await latest.get()).by_node
    assert before <= 2
