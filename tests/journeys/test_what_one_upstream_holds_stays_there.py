"""What one upstream holds is asked of that one, whatever process asks, and of no other one."""

import asyncio

import pytest

from longwire.emulator import Fault
from tests.doubles.canned import canned
from tests.journeys.two_upstreams import OTHER_KEY, spread, staged, staged_before

LIMITED = Fault(
    at="handshake",
    act="refuse",
    status=429,
    code="rate_limit_exceeded",
    message="Slow down, says this one.",
    headers={"retry-after": "7"},
    times=0,
)
TOOLS = [{"type": "function", "name": "f", "parameters": {}}]


async def first_turns(stage, count=20, **members):
    """Turns of which each has nothing in common with another one."""
    return [
        await stage.ask(f"first {number}", stream=number % 2 == 0, **members)
        for number in range(count)
    ]


async def follow_ups(stage, replies, **members):
    """Turns that name these responses, and bring their new item alone."""
    return [
        await stage.ask(
            f"second {number}",
            stream=number % 3 == 0,
            previous_response_id=reply.response["id"],
            **members,
        )
        for number, reply in enumerate(replies)
    ]


def ways(replies):
    """How turns ended, and with whom."""
    return [(reply.status, reply.channel) for reply in replies]


async def test_a_previous_response_is_asked_of_who_made_it(tmp_path):
    """Twenty follow-ups, without a word of their sessions, go where their first turns went."""
    async with staged(tmp_path) as stage:
        firsts = await first_turns(stage)
        spread(firsts)
        assert ways(firsts) == ways(await follow_ups(stage, firsts))


async def test_an_item_is_asked_of_who_made_it(tmp_path):
    """Who refers to an item of an answer, without a word of its session, finds it; later, too."""
    async with staged(tmp_path) as stage:
        firsts = await first_turns(stage, store=True)
        spread(firsts)

        async def referring(reply):
            item = {"type": "item_reference", "id": reply.response["output"][-1]["id"]}
            return await stage.ask([item, {"role": "user", "content": "second"}], store=True)

        assert ways(firsts) == ways([await referring(each) for each in firsts])
        await stage.restart()
        assert ways(firsts) == ways([await referring(each) for each in firsts])


async def test_a_previous_response_is_found_after_a_restart(tmp_path):
    """What made a response is known to the next process; so are two turns further on."""
    async with staged(tmp_path) as stage:
        firsts = await first_turns(stage)
        spread(firsts)
        await stage.restart()
        seconds = await follow_ups(stage, firsts)
        await stage.restart()
        thirds = await follow_ups(stage, seconds)
    assert ways(firsts) == ways(seconds) == ways(thirds)


async def test_a_previous_response_is_found_after_a_rest(tmp_path):
    """Its connection has been closed meanwhile; the channel still has the response."""
    changes = {"channel": {"transport": "websocket"}, "sessions": {"idle_ttl": "100ms"}}
    async with staged(tmp_path, **changes) as stage:
        firsts = await first_turns(stage, 8, tools=TOOLS)
        spread(firsts)
        await asyncio.sleep(0.3)
        assert ways(firsts) == ways(await follow_ups(stage, firsts, tools=TOOLS))


@pytest.mark.parametrize("transport", ["http", "websocket"])
async def test_a_new_socket_finds_what_another_one_left(tmp_path, transport):
    """A client over WebSocket comes back after a restart, and names its last response."""
    async with staged(tmp_path, channel={"transport": transport}) as stage:
        firsts = [await stage.say(f"first {number}", tools=TOOLS) for number in range(10)]
        held = {name: len(each.turns) for name, each in stage.upstreams.items()}
        assert 0 not in held.values()
        await stage.restart()
        for first in firsts:
            named = first["response"]["id"]
            second = await stage.say("second", tools=TOOLS, previous_response_id=named)
            assert "response.completed" == second["type"], second
        after = {name: len(each.turns) for name, each in stage.upstreams.items()}
    assert {name: 2 * count for name, count in held.items()} == after


async def test_a_conversation_stays_with_who_answered_it(tmp_path):
    """A conversation that the caller names is a thing of one upstream, too."""
    async with canned() as a, canned() as b, staged_before(tmp_path, {"a": a, "b": b}) as stage:
        replies = [await stage.ask("hi", conversation=f"conv_{n}", key=OTHER_KEY) for n in range(9)]
        spread(replies)
        await stage.restart()
        later = [
            await stage.ask("and", conversation={"id": f"conv_{n}"}, session=f"s{n}", key=OTHER_KEY)
            for n in range(9)
        ]
    assert ways(replies) == ways(later)


async def limited(stage, first, body, **members):
    """What a turn gets whose channel is at its limit, and whether the other one was asked."""
    other = stage.upstreams[stage.other(first.channel)]
    stage.upstreams[first.channel].faults.add(LIMITED)
    asked = other.counters.http_requests
    reply = await stage.ask(body, session="x", **members)
    assert asked == other.counters.http_requests
    return reply.status, reply.headers.get("retry-after"), reply.json["error"]["message"]


NAMES = {
    "response": lambda first: {
        "previous_response_id": first.response["id"],
        "body": "second",
    },
    "item": lambda first: {
        "body": [
            {"type": "item_reference", "id": first.response["output"][-1]["id"]},
            {"role": "user", "content": "second"},
        ]
    },
    "item without a type": lambda first: {
        "body": [
            {"id": first.response["output"][-1]["id"]},
            {"role": "user", "content": "second"},
        ]
    },
    "file": lambda _: {
        "body": [
            {"role": "user", "content": [{"type": "input_file", "file_id": "file-of-a"}]},
        ]
    },
    "image": lambda _: {
        "body": [
            {"role": "user", "content": "look"},
            {"role": "user", "content": [{"type": "input_image", "file_id": "file-of-a"}]},
        ]
    },
    "file of a tool": lambda _: {
        "body": [
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_file", "file_id": "file-of-a"}],
            },
        ]
    },
}


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarted"])
@pytest.mark.parametrize("named", NAMES)
async def test_who_is_at_its_limit_says_so_itself(tmp_path, named, restarts):
    """No other channel is tried with what it cannot know: the caller is told when to come back."""
    async with staged(tmp_path) as stage:
        first = await stage.ask("first", session="x", store=True)
        if restarts:
            await stage.restart()
        turn = NAMES[named](first)
        expected = (429, "7", "Slow down, says this one.")
        assert expected == await limited(stage, first, turn.pop("body"), store=True, **turn)


async def test_a_quotation_names_nothing(tmp_path):
    """A text about a file or an item is a text: such a turn goes to the next channel as ever."""
    quoted = '{"type": "input_file", "file_id": "file-of-a"}, {"id": "msg_1"}'
    async with staged(tmp_path) as stage:
        first = await stage.ask("first", session="x")
        stage.upstreams[first.channel].faults.add(LIMITED)
        reply = await stage.ask(quoted, session="x")
        assert (200, stage.other(first.channel)) == (reply.status, reply.channel)


async def test_a_file_is_known_to_be_where_it_was_understood(tmp_path):
    """Another session with the same file goes where that file was understood, wherever it was."""
    content = [{"type": "input_image", "file_id": "file-1", "detail": "auto"}]
    async with staged(tmp_path) as stage:
        first = await stage.ask([{"role": "user", "content": content}], session="x")
        assert 200 == first.status, first.json
        await stage.restart()
        later = [
            await stage.ask([{"role": "user", "content": content}], session=f"y{number}")
            for number in range(8)
        ]
    assert {(200, first.channel)} == set(ways(later))


async def test_one_caller_learns_nothing_of_another_ones_responses(tmp_path):
    """Homes are walled: somebody else's response is refused as one that is unknown."""
    async with staged(tmp_path) as stage:
        firsts = await first_turns(stage, 12)
        own = await follow_ups(stage, firsts, key=OTHER_KEY)
        assert {(400, "previous_response_not_found")} == {(each.status, each.code) for each in own}


async def test_a_response_of_nobody_is_refused_in_the_upstreams_words(tmp_path):
    """An id that was never known travels as ever, and changes nothing of where its session is."""
    async with staged(tmp_path) as stage:
        first = await stage.ask("first", session="x")
        reply = await stage.ask("second", session="x", previous_response_id="resp_unknown")
        assert (400, "previous_response_not_found") == (reply.status, reply.code)
        assert first.channel == (await stage.ask("first", session="x")).channel


async def test_where_one_channel_serves_nothing_is_looked_up(tmp_path, monkeypatch):
    """A caller whose model one channel has waits for no home, unless it names a response."""
    async with staged(tmp_path) as stage:
        only = {"channels": stage.settings.channels[:1]}
        await stage.stop()
        stage.settings = stage.settings.model_copy(update=only)
        await stage.start()

        async def never(_key):
            raise AssertionError

        monkeypatch.setattr(stage.gateway.app.homes.__class__, "get", never)
        assert 200 == (await stage.ask("first", session="x")).status
