"""What an upstream may do in the middle of a turn, what its client hears, and the turn after."""

import openai
import pytest

from longwire.emulator import Fault
from tests.journeys.agent import scripted, streamed, user, ways, whole
from tests.journeys.conftest import become

SESSION = {"session-id": "s-1"}
CUTS = {
    "reset": {"act": "reset"},
    "half a frame": {"act": "half"},
    "1000": {"act": "close", "code": 1000},
    "1011": {"act": "close", "code": 1011},
    "no code": {"act": "close"},
    "binary": {"act": "binary"},
}
EVERYWHERE = [
    *(("mid_delta", name) for name in CUTS),
    *((point, "reset") for point in ("after_created", "after_item", "before_terminal")),
    ("before_terminal", "1000"),
]
STATUSES = {
    400: openai.BadRequestError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


async def after_a_failure(agent, before, reason):
    """The next turns of a client that keeps nothing of a failed one."""
    agent.history = [*before]
    turns = [await agent.say(user("once more")), *await agent.turns(2)]
    assert [f"fresh {reason}", "continued", "continued"] == ways(turns)


async def failed(agent, *items, **members):
    """The error of a turn over JSON."""
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.say(*items, **members)
    return caught.value


@pytest.mark.parametrize(("point", "cut"), EVERYWHERE)
async def test_a_cut_stream_ends_with_a_failure(emulator, hire, point, cut):
    """`response.failed` is the last event, and the turn after it begins anew and goes on."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    emulator.faults.add(Fault(at=point, **CUTS[cut]))
    told = await agent.say(user("hi"))
    assert ("failed", "upstream_disconnected", "continued") == (
        told.response.status,
        told.response.error.code,
        told.way,
    )
    assert 1 == emulator.faults.struck
    await after_a_failure(agent, before, "connection_lost")
    assert 2 == emulator.counters.sockets_opened


@pytest.mark.parametrize(("point", "cut"), EVERYWHERE[-4:])
async def test_a_cut_answer_is_no_answer(emulator, hire, point, cut):
    """Over JSON it is a 502 with the envelope, never a 200 as if it were complete."""
    agent = hire(headers=SESSION, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    emulator.faults.add(Fault(at=point, **CUTS[cut]))
    error = await failed(agent, user("hi"))
    assert (502, "upstream_disconnected", "server_error") == (
        error.status_code,
        error.code,
        error.type,
    )
    assert "application/json" == error.response.headers["content-type"]
    await after_a_failure(agent, before, "connection_lost")
    assert 2 == emulator.counters.sockets_opened


async def test_what_was_heard_of_a_cut_answer_is_kept(emulator, hire):
    """The failure carries the items that were finished, for clients who go on from them."""
    agent = hire(headers=SESSION, ask=streamed)
    emulator.faults.add(Fault(at="after_item", act="reset", skip=1))
    told = await agent.say(user("hi"))
    assert ["reasoning", "message"] == [item.type for item in told.response.output]
    turns = [await agent.say(user("go on")), await agent.step()]
    assert ["fresh connection_lost", "continued"] == ways(turns)


@pytest.mark.parametrize("ask", [streamed, whole])
@pytest.mark.parametrize(
    "tables", [{"sessions": {"idle_event_timeout": "100ms", "first_event_timeout": "100ms"}}]
)
async def test_a_stream_without_its_terminal_is_a_failure(emulator, hire, ask):
    """An upstream that falls silent has not answered; the connection is given up."""
    agent = hire(headers=SESSION, ask=ask, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    endless = scripted(end_without_terminal=True)
    if ask is streamed:
        told = await agent.say(user("hi"), metadata=endless)
        assert ("failed", "upstream_timeout") == (told.response.status, told.response.error.code)
    else:
        error = await failed(agent, user("hi"), metadata=endless)
        assert (504, "upstream_timeout") == (error.status_code, error.code)
    await after_a_failure(agent, before, "connection_lost")
    await become(lambda: emulator.counters.sockets_open == 1)


@pytest.mark.parametrize(
    ("status", "ask"), [*((status, streamed) for status in STATUSES), (429, whole)]
)
async def test_an_error_before_any_output_keeps_its_status_and_words(emulator, hire, status, ask):
    """The client sees the upstream's own error, as if nothing stood between them."""
    agent = hire(headers=SESSION, ask=ask, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    fault = Fault(
        at="after_create",
        act="error",
        status=status,
        code="the_code",
        message="In its own words.",
        headers={"retry-after": "7", "set-cookie": "no"},
    )
    emulator.faults.add(fault)
    with pytest.raises(STATUSES[status]) as caught:
        await agent.say(user("hi"))
    error = caught.value
    assert (status, "the_code", "In its own words.", "server_error") == (
        error.status_code,
        error.code,
        error.body["message"],
        error.type,
    )
    assert ("7", None) == tuple(
        error.response.headers.get(n) for n in ("retry-after", "set-cookie")
    )
    await after_a_failure(agent, before, "turn_failed")


async def test_an_error_of_any_shape_is_an_error(emulator, hire):
    """However an upstream spells an error, the client gets a status and the envelope."""
    agent = hire(headers=SESSION, tools=[])
    await agent.turns(1)
    before = [*agent.history]
    fault = {"at": "after_create", "act": "error", "status": 429, "code": "rate_limit_exceeded"}
    for shape in "abcdefghijk":
        emulator.faults.add(Fault(shape=shape, **fault))
        agent.history = [*before]
        error = await failed(agent, user("hi"))
        assert 429 == error.status_code or shape in "fi"
        assert {"message", "type", "param", "code"} <= set(error.body)
    agent.history = [*before]
    await after_a_failure(agent, before, "turn_failed")


async def test_an_error_before_output_is_a_status(emulator, hire):
    """A response that has opened and made nothing is as if it had not begun."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    fault = {"at": "after_created", "act": "error", "status": 500, "code": "the_code"}
    emulator.faults.add(Fault(**fault))
    error = await failed(agent, user("hi"))
    assert (500, "the_code") == (error.status_code, error.code)
    await after_a_failure(agent, before, "turn_failed")


@pytest.mark.parametrize("point", ["mid_delta", "after_item"])
async def test_an_error_after_output_is_a_failed_response(emulator, hire, point):
    """Once a stream has begun an error is its end: `response.failed`, with the error's code."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    before = [*agent.history]
    emulator.faults.add(Fault(at=point, act="error", status=500, code="the_code"))
    told = await agent.say(user("hi"))
    assert ("failed", "the_code") == (told.response.status, told.response.error.code)
    await after_a_failure(agent, before, "turn_failed")


LATE = {
    "a delta": {"type": "response.output_text.delta", "delta": "late!", "item_id": "msg_late"},
    "an item": {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {"type": "message", "role": "assistant", "content": [], "id": "msg_late"},
    },
    "an error": {"type": "error", "status": 500, "error": {"code": "late", "message": "late!"}},
}


def ended(response_id):
    """A second terminal of a response."""
    output = [{"type": "message", "role": "assistant", "id": "msg_late", "content": []}]
    response = {"id": response_id, "object": "response", "status": "completed", "output": output}
    return {"type": "response.completed", "response": response}


@pytest.mark.parametrize(
    ("late", "after_ms"), [*((late, 0) for late in [*LATE, "a terminal"]), ("an error", 10)]
)
async def test_late_frames_reach_nobody(emulator, hire, late, after_ms):
    """What follows a terminal closes the connection; no client ever hears of it."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    event = LATE.get(late) or ended(f"resp_{emulator.world.run}{3:032x}")
    emulator.faults.add(
        Fault(at="after_terminal", act="extra_event", event=event, after_ms=after_ms)
    )
    turns = await agent.turns(1)
    await become(lambda: emulator.counters.sockets_open == 0)
    turns += await agent.turns(2)
    assert ["continued", "fresh connection_lost", "continued"] == ways(turns)
    assert ["completed"] * 3 == [told.response.status for told in turns]
    assert {"late!", "msg_late"}.isdisjoint(str(turn.response) for turn in turns)


@pytest.mark.parametrize("late", ["a delta", "an item", "a terminal", "an error"])
async def test_late_frames_never_reach_the_turn_that_follows_at_once(emulator, hire, late):
    """A frame that comes when the next turn waits already is not taken for its answer."""
    agent = hire(headers=SESSION, tools=[])
    await agent.turns(3)
    event = LATE.get(late) or ended(f"resp_{emulator.world.run}{3:032x}")
    emulator.faults.add(Fault(at="after_create", act="extra_event", event=event))
    if late == "an error":
        # It names no response: whose it is cannot be told, and the turn that waits ends with it.
        error = await failed(agent, user("at once"))
        assert (500, "late") == (error.status_code, error.code)
        return
    told = await agent.say(user("at once"))
    assert "late" not in str(told.response)
    assert ["fresh replayed", "continued", "continued"] == ways([told, *await agent.turns(2)])
    assert 2 == emulator.counters.sockets_opened


@pytest.mark.parametrize("act", ["refuse", "reset"])
async def test_a_refused_handshake_is_told(emulator, hire, act):
    """No connection, no answer: an error with the envelope, and the next turn is right."""
    agent = hire(headers=SESSION, tools=[])
    emulator.faults.add(Fault(at="handshake", act=act, status=503))
    error = await failed(agent, user("hi"))
    assert error.status_code in (502, 503)
    assert {"message", "type", "param", "code"} <= set(error.body)
    agent.history = []
    assert ["fresh new_session", "continued"] == ways(await agent.turns(2))


async def test_a_connection_lost_while_idle_is_never_lent(emulator, gateway, hire):
    """The upstream restarts between two turns: the client notices nothing but a fresh turn."""
    agent = hire(headers=SESSION)
    await agent.turns(3)
    await emulator.stop()
    await emulator.start()
    await become(lambda: gateway.app.pool.ledger.live == 0)
    turns = await agent.turns(3)
    assert ["fresh connection_lost", "continued", "continued"] == ways(turns)
    assert 2 == emulator.counters.sockets_opened
