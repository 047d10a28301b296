"""An upstream, or a proxy before it, that lets no WebSocket through: HTTP serves meanwhile."""

import asyncio

import openai
import pytest

from longwire.emulator import Fault
from tests.journeys.agent import Agent, scripted, user, ways
from tests.journeys.conftest import on_clock, settings_of, websocket_channel

REFUSALS = {
    **{str(status): {"act": "refuse", "status": status} for status in (404, 405, 426, 501)},
    "hang": {"act": "hang"},
    "reset": {"act": "reset"},
}
PAGES = {
    "403 without a word": {"status": 403, "body": ""},
    "400 without a word": {"status": 400, "body": ""},
    "401 in plain text": {"status": 401, "body": "Unauthorized"},
    "429 of a firewall": {"status": 429, "body": "<html><title>Slow down</title></html>"},
    "502 with a page": {
        "status": 502,
        "body": "<html><title>Forbidden</title></html>",
    },
    "503 with JSON that is no error": {"status": 503, "body": "[]"},
    "403 of a gateway": {"status": 403, "body": {"message": "Forbidden"}},
    "403 of a framework": {"status": 403, "body": {"detail": "Forbidden"}},
    "400 with an error": {"status": 400, "body": {"error": {"message": "No upgrades here"}}},
}
"""What proxies, firewalls and servers without a route say, be it in JSON."""
COOL_DOWN = 61
SESSIONS = {"handshake_timeout": "150ms"}


def refusing(name, **changes):
    """A fault that refuses upgrades, for ever unless said otherwise."""
    return Fault(at="handshake", route="websocket", **{"times": 0, **REFUSALS[name], **changes})


@pytest.fixture
def sessions():
    """The gateway's settings."""
    return SESSIONS


@pytest.fixture
async def gateway(emulator, serve, sessions):
    """A gateway that may use both transports."""
    channel = websocket_channel(emulator.url, transport="auto")
    return await serve(settings_of(emulator.url, channels=(channel,), sessions=sessions))


@pytest.fixture
def clock(gateway):
    """What the gateway's trust goes by."""
    return on_clock(gateway)


def session(name):
    """The headers of a session."""
    return {"session-id": name}


def seen(turns):
    """How turns travelled, transport first."""
    return [f"{turn.transport} {turn.way}" for turn in turns]


OVER_HTTP = "http fresh http_transport"


@pytest.mark.parametrize("refusal", [*REFUSALS.values(), *PAGES.values()], ids=[*REFUSALS, *PAGES])
async def test_http_serves_while_upgrades_are_refused(emulator, hire, clock, refusal):
    """The first turn finds out, for all sessions; after the cool-down the WebSocket is back."""
    agents = [hire(headers=session(f"s-{number}")) for number in range(3)]
    fault = {"act": "refuse", **refusal}
    emulator.faults.add(Fault(at="handshake", route="websocket", times=0, **fault))
    for _ in range(2):
        for agent in agents:
            assert [OVER_HTTP] == seen(await agent.turns(1))
    assert 2 >= emulator.faults.struck
    emulator.faults.clear()
    clock.pass_by(COOL_DOWN)
    for agent in agents:
        turns = await agent.turns(3)
        assert ["websocket fresh new_session", *["websocket continued"] * 2] == seen(turns)
    assert 3 == emulator.counters.sockets_opened


async def test_each_refusal_doubles_the_cool_down(emulator, hire, clock):
    """An upstream without WebSocket is asked ever more rarely."""
    agent = hire(headers=session("s-1"))
    emulator.faults.add(refusing("426"))
    asked = []
    for _ in range(16):
        assert [OVER_HTTP] == seen(await agent.turns(1))
        asked.append(emulator.faults.struck)
        clock.pass_by(COOL_DOWN)
    assert [1, 2, 2, 3, 3, 3, 3, 4] == asked[:8]
    assert 5 == asked[-1]


async def test_one_turn_at_a_time_finds_out(emulator, hire, clock):
    """After the cool-down one turn tries the WebSocket, the others do not wait for it."""
    agents = [hire(headers=session(f"s-{number}")) for number in range(6)]
    emulator.faults.add(refusing("hang"))
    await agents[0].turns(1)
    clock.pass_by(COOL_DOWN)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(agent.step()) for agent in agents]
    assert [OVER_HTTP] * 6 == seen([task.result() for task in running])
    assert 2 == emulator.faults.struck


async def test_open_connections_serve_on(emulator, hire, clock):
    """A refused upgrade says nothing of the connections that are open: their sessions go on."""
    warm, new = hire(headers=session("warm")), hire(headers=session("new"))
    await warm.turns(2)
    emulator.faults.add(refusing("404"))
    assert [OVER_HTTP] == seen(await new.turns(1))
    assert ["websocket continued"] * 3 == seen(await warm.turns(3))
    assert [OVER_HTTP] == seen(await new.turns(1))
    assert (1, 1) == (emulator.faults.struck, emulator.counters.sockets_opened)


async def test_what_an_open_connection_says_is_no_handshake(emulator, hire, clock):
    """A turn that continues does not make the gateway believe in upgrades again."""
    warm, new = hire(headers=session("warm")), hire(headers=session("new"))
    await warm.turns(1)
    emulator.faults.add(refusing("501"))
    for _ in range(3):
        assert [OVER_HTTP] == seen(await new.turns(1))
        assert ["websocket continued"] == seen(await warm.turns(1))
    assert 1 == emulator.faults.struck


@pytest.mark.parametrize("name", REFUSALS)
async def test_where_only_websocket_is_allowed_the_reason_is_told(emulator, serve, client_of, name):
    """502 or 504 with a sentence that names the host and what happened."""
    gateway = await serve(settings_of(emulator.url, sessions=SESSIONS))
    agent = Agent(client_of(gateway, headers=session("s-1")), emulator)
    emulator.faults.add(refusing(name, times=1))
    with pytest.raises(openai.InternalServerError) as caught:
        await agent.say(user("hi"))
    error = caught.value
    if name == "hang":
        assert (504, "upstream_timeout") == (error.status_code, error.code)
        assert "0.15 s (handshake)" in error.message
    else:
        assert (502, "upstream_unavailable") == (error.status_code, error.code)
        assert emulator.url.removeprefix("http://") in error.message
    assert (f"status {name}" in error.message) == name.isdigit()
    agent.history = []
    assert ["fresh new_session", "continued"] == ways(await agent.turns(2))


@pytest.mark.parametrize(("name", "status"), [("429 of a firewall", 429), ("502 with a page", 502)])
async def test_where_only_websocket_is_allowed_a_proxy_is_heard(
    emulator, serve, client_of, name, status
):
    """Its status tells when to come again."""
    gateway = await serve(settings_of(emulator.url, sessions=SESSIONS))
    agent = Agent(client_of(gateway, headers=session("s-1")), emulator)
    refusal = {**PAGES[name], "headers": {"retry-after": "7"}}
    emulator.faults.add(Fault(at="handshake", act="refuse", **refusal))
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.say(user("hi"))
    answer = caught.value.response
    assert (status, "7") == (answer.status_code, answer.headers.get("retry-after"))


@pytest.mark.parametrize("sessions", [{"first_event_timeout": "300ms"}])
async def test_a_websocket_that_lets_nothing_through_is_given_up(emulator, hire, clock):
    """The upgrade succeeds and no frame comes: HTTP answers after one wait, then at once."""
    emulator.faults.add(Fault(at="after_create", act="silence", route="websocket", times=0))
    agents = [hire(headers=session(f"s-{number}")) for number in range(3)]
    for _ in range(2):
        assert [OVER_HTTP] * 3 == [seen(await agent.turns(1))[0] for agent in agents]
    assert 1 == emulator.faults.struck


async def test_a_message_too_large_for_the_upstream_goes_over_http(emulator, hire, clock):
    """It closes with 1009: the turn is answered over HTTP, and its session stays there."""
    emulator.faults.add(
        Fault(at="after_create", act="close", code=1009, route="websocket", times=0)
    )
    large, small = hire(headers=session("large"), tools=[]), hire(headers=session("small"))
    assert [OVER_HTTP] * 3 == seen(await large.turns(3))
    assert 1 == emulator.faults.struck
    emulator.faults.clear()
    assert ["websocket fresh new_session"] == seen(await small.turns(1))
    assert [OVER_HTTP] == seen(await large.turns(1))


async def test_a_message_too_large_where_only_websocket_is_allowed(emulator, serve, client_of):
    """413, with the mend."""
    gateway = await serve(settings_of(emulator.url, sessions=SESSIONS))
    agent = Agent(client_of(gateway, headers=session("s-1")), emulator)
    emulator.faults.add(Fault(at="after_create", act="close", code=1009))
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.say(user("hi"))
    assert (413, "request_too_large") == (caught.value.status_code, caught.value.code)
    assert 'transport = "http"' in caught.value.message


@pytest.mark.parametrize("transport", ["websocket", "auto"])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_refusal_of_the_caller_keeps_its_words(
    emulator, serve, client_of, status, transport
):
    """It is no question of the transport, so HTTP is not tried: the caller hears it as it was."""
    channel = websocket_channel(emulator.url, transport=transport)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    agent = Agent(client_of(gateway, headers=session("s-1")), emulator)
    told = {"status": status, "code": "the_code", "message": "In its own words."}
    emulator.faults.add(Fault(at="handshake", act="refuse", headers={"retry-after": "7"}, **told))
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.say(user("hi"))
    error = caught.value
    assert (status, "the_code", "In its own words.", "7") == (
        error.status_code,
        error.code,
        error.body["message"],
        error.response.headers.get("retry-after"),
    )
    assert 0 == emulator.counters.http_requests


async def test_a_single_question_opens_no_websocket(emulator, gateway, client_of):
    """Without tools, history and session it would gain nothing; what goes on then may."""
    agent = Agent(client_of(gateway), emulator, tools=openai.NOT_GIVEN)
    turns = await agent.turns(3)
    assert ["http fresh one_shot", "websocket fresh new_session", "websocket continued"] == seen(
        turns
    )
    assert (1, 1) == (emulator.counters.http_requests, emulator.counters.sockets_opened)


async def test_what_outgrows_a_frame_goes_over_http_from_then_on(emulator, gateway, hire):
    """Above 16 MiB no WebSocket takes it, and an append-only history never shrinks."""
    agent = hire(headers=session("s-1"), tools=[])
    await agent.turns(2)
    turns = [await agent.say(user("x" * (16 * 1024 * 1024))), *await agent.turns(2)]
    assert [OVER_HTTP] * 3 == seen(turns)
    other = hire(headers=session("s-2"))
    slow = scripted(first_event_ms=1)
    assert "websocket fresh new_session" == seen([await other.step(metadata=slow)])[0]
