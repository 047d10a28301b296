"""Clients of the WebSocket mode name what they go on from, whatever happened upstream meanwhile."""

import json
from dataclasses import replace

import pytest

from longwire.emulator import Emulator, Fault, Options, Script, digest
from tests.doubles.sockets import socket, user
from tests.doubles.talk import STEADY, Talk, talking
from tests.journeys.conftest import (
    OTHER_KEY,
    SCRIPT,
    become,
    leased,
    settings_of,
    websocket_channel,
)

SESSIONS = {"header": {"headers": {"session-id": "s-1"}}, "none": {}}


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("store", [True, False])
async def test_twelve_turns_with_tools_travel_on_one_connection(gateway, emulator, session, store):
    """One handshake, a warm-up and eleven of eleven turns continued by the client's own ids."""
    async with talking(gateway, emulator, **session, store=store) as talk:
        warm = await talk.client.ask(user("be kind"), generate=False)
        talk.history, talk.previous = [user("be kind")], warm["id"]
        await talk.steps(12)
    counters = emulator.counters
    assert (1, 13, 12, 1) == (
        counters.sockets_opened,
        counters.creates,
        counters.creates_continued,
        counters.creates_warm_up,
    )
    assert {"reasoning", "message", "function_call"} <= {i.get("type") for i in talk.history}


async def test_a_warm_up_may_be_empty(gateway, emulator):
    """As Codex begins with some models; also what follows it may be empty."""
    async with talking(gateway, emulator, tools=[]) as talk:
        talk.previous = (await talk.client.ask(generate=False))["id"]
        await talk.step()
        told = await talk.client.ask(previous_response_id=talk.previous)
        assert "completed" == told["status"]
        assert digest(talk.history) == emulator.turns[-1].digest
    assert (1, 2) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


async def test_a_turn_may_change_all_but_its_history(gateway, emulator):
    """The API lets a client that names a response change tools and instructions: so it goes on."""
    async with talking(gateway, emulator) as talk:
        await talk.step()
        await talk.step(tool_choice="none", instructions="be brief")
        await talk.step(text={"verbosity": "low"})
    assert (1, 2) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


async def test_an_older_response_is_a_fork(gateway, emulator):
    """A client may go back; the branch it left goes on, too."""
    async with talking(gateway, emulator) as talk:
        await talk.steps(2)
        back = talk.fork()
        await talk.steps(2)
        await back.steps(3)
        await talk.steps(2)


async def test_lanes_of_one_session_run_at_once(gateway, emulator):
    """Conversations on lanes of their own, and one that forks from another's newest response."""
    emulator.script = Script(tool_rounds=1, delay_ms=5)
    async with socket(gateway.url, headers={"session-id": "s-1"}, **STEADY) as client:
        talks = [Talk(client, emulator, f"lane-{number}") for number in range(4)]
        for talk in talks:
            await talk.client.create(user(talk.lane["stream_id"]), **talk.lane)
        for talk in talks:
            talk.last = await client.answer(talk.lane["stream_id"])
            talk.previous = talk.last["id"]
            talk.history = [user(talk.lane["stream_id"]), *talk.last["output"]]
        assert 4 == emulator.counters.sockets_opened
        for _ in range(3):
            for talk in talks:
                await talk.step()
        await talks[0].fork("fork").steps(2)
        await talks[0].steps(2)


async def test_lanes_of_one_session_that_take_turns_all_continue(gateway, emulator):
    """Equal in all but their histories, they leave each other's connections alone."""
    async with socket(gateway.url, headers={"session-id": "s-1"}, **STEADY) as client:
        talks = [Talk(client, emulator, f"lane-{number}") for number in range(3)]
        for _ in range(2):
            for talk in talks:
                await talk.step()
        before = emulator.counters.creates_continued
        for _ in range(3):
            for talk in talks:
                await talk.step()
    assert before + 9 == emulator.counters.creates_continued
    assert 3 == emulator.counters.sockets_open


FAULTS = {
    "too old": Fault(
        at="before_create",
        act="error",
        status=400,
        code="websocket_connection_limit_reached",
    ),
    "forgotten": Fault(
        at="before_create", act="error", status=400, code="previous_response_not_found"
    ),
    "forgotten, as failed": Fault(
        at="after_create", act="error", shape="g", code="previous_response_not_found"
    ),
    **{f"closed {code}": Fault(at="after_create", act="close", code=code) for code in (1000, 1011)},
    "reset": Fault(at="before_create", act="reset"),
    "closed at rest": Fault(at="idle", act="close", code=1001),
    "reset at rest": Fault(at="idle", act="reset"),
}


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_what_befalls_a_connection_upstream_is_not_seen(gateway, emulator, session, fault):
    """Before the first event all is made good, and the turn after it goes on as if nothing was."""
    async with talking(gateway, emulator, **session) as talk:
        await talk.steps(3)
        emulator.faults.add(fault)
        await talk.steps(4)
    assert 1 == emulator.faults.struck
    assert 1 <= emulator.counters.creates_full <= 3
    assert 4 <= emulator.counters.creates_continued


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
async def test_an_upstream_that_starts_anew_is_not_seen(serve, session):
    """It has forgotten every response; the whole conversation is told to it again."""
    async with Emulator(Options(), SCRIPT) as first:
        port = int(first.url.rpartition(":")[2])
        gateway = await serve(settings_of(first.url))
        async with talking(gateway, first, **session) as talk:
            await talk.steps(3)
            await first.__aexit__(None, None, None)
            async with Emulator(Options(port=port), SCRIPT) as second:
                talk.emulator = second
                await talk.steps(3)
                assert 1 == second.counters.creates_full
                assert [] == second.violations


@pytest.mark.parametrize("way", ["auto", "http"])
async def test_http_serves_where_it_must(serve, emulator, way):
    """Without a WebSocket upstream a warm-up is answered here, and every turn goes in full."""
    emulator.faults.add(Fault(at="handshake", act="refuse", status=426, times=0, route="websocket"))
    gateway = await serve(
        settings_of(emulator.url, channels=(websocket_channel(emulator.url, transport=way),))
    )
    async with talking(gateway, emulator, headers={"session-id": "s-1"}) as talk:
        warm = await talk.client.ask(user("be kind"), generate=False)
        assert ([], 0) == (warm["output"], warm["usage"]["total_tokens"])
        talk.history, talk.previous = [user("be kind")], warm["id"]
        await talk.steps(4)
    assert {"http"} == {turn.transport for turn in emulator.turns}
    assert 4 == len(emulator.turns)


async def test_a_socket_that_fails_gives_way_to_http(serve, emulator):
    """In the middle of a session the upstream takes no upgrade any more; over HTTP it goes on."""
    gateway = await serve(
        settings_of(emulator.url, channels=(websocket_channel(emulator.url, transport="auto"),))
    )
    async with talking(gateway, emulator) as talk:
        await talk.steps(2)
        emulator.faults.add(
            Fault(at="handshake", act="refuse", status=426, times=0, route="websocket")
        )
        emulator.faults.add(Fault(at="before_create", act="reset"))
        await talk.steps(3)
    assert ["websocket", "websocket"] == [turn.transport for turn in list(emulator.turns)[:2]]
    assert {"http"} == {turn.transport for turn in list(emulator.turns)[-3:]}


async def test_a_failed_response_is_not_gone_on_from_but_its_parent_is(gateway, emulator):
    """The upstream forgets both; the gateway tells it the parent again."""
    async with talking(gateway, emulator) as talk:
        await talk.steps(2)
        failing = {"emulator": json.dumps({"finish": "failed:server_error"})}
        named = {"previous_response_id": talk.previous}
        failed = await talk.client.ask(*talk.following(), metadata=failing, **named)
        assert "failed" == failed["status"]
        lost = await talk.client.ask(user("hi"), previous_response_id=failed["id"])
        assert (400, "previous_response_not_found") == (lost["status"], lost["error"]["code"])
        await talk.steps(2)
    assert all("not found" in violation for violation in emulator.violations)
    emulator.violations.clear()


async def test_an_id_that_nobody_knows_is_refused_in_the_upstreams_words(gateway, emulator):
    """Clients know this code, and send everything anew."""
    async with talking(gateway, emulator) as talk:
        await talk.steps(2)
        told = await talk.client.ask(user("hi"), previous_response_id="resp_x", stream_id="a")
        assert (400, "previous_response_not_found", "a") == (
            told["status"],
            told["error"]["code"],
            told["stream_id"],
        )
        await talk.steps(2)
    assert 1 == len(emulator.violations)
    emulator.violations.clear()


@pytest.mark.parametrize(
    "changes", [{"include": []}, {}], ids=["reasoning that cannot be sent", "too much to keep"]
)
async def test_what_cannot_be_told_again_travels_as_given(emulator, serve, changes):
    """The client's own id does, on the connection that holds it; its loss is told as it is."""
    history = "32MiB" if changes else "600B"
    gateway = await serve(settings_of(emulator.url, server={"websocket_history": history}))
    async with talking(gateway, emulator, **changes) as talk:
        await talk.steps(4)
        assert (1, 3) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)
        emulator.faults.add(Fault(at="idle", act="close", code=1001))
        await talk.step()
        await become(lambda: gateway.app.pool.ledger.live == 0)
        told = await talk.client.ask(user("hi"), previous_response_id=talk.previous)
        assert (400, "previous_response_not_found") == (told["status"], told["error"]["code"])


async def test_two_keys_never_meet(gateway, emulator):
    """The same session, the same id: another key finds nothing of it."""
    headers = {"session-id": "s-1"}
    async with (
        talking(gateway, emulator, headers=headers) as mine,
        talking(gateway, emulator, headers=headers, key=OTHER_KEY) as theirs,
    ):
        await mine.steps(2)
        await theirs.steps(1)
        told = await theirs.client.ask(user("hi"), previous_response_id=mine.previous)
        assert (400, "previous_response_not_found") == (told["status"], told["error"]["code"])
        await mine.steps(2)
    assert 3 == emulator.counters.sockets_opened


async def test_another_connection_of_the_same_key_finds_what_is_warm(gateway, emulator):
    """A client that connects anew goes on by its id where the upstream still holds it."""
    async with talking(gateway, emulator) as talk:
        await talk.steps(2)
        async with talking(gateway, emulator) as again:
            again.history, again.last, again.previous = talk.history, talk.last, talk.previous
            await again.steps(2)
    assert 1 == emulator.counters.sockets_opened


async def test_a_history_sent_whole_continues_as_over_http(gateway, emulator):
    """A client may send everything without an id: the warm connection is found all the same."""
    async with talking(gateway, emulator) as talk:
        for _ in range(4):
            talk.history += talk.following()
            response = await talk.client.ask(*talk.history)
            assert digest(talk.history) == emulator.turns[-1].digest
            talk.history += response["output"]
            talk.last = response
    assert (1, 3) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


async def test_a_reader_that_reads_nothing_is_left_in_the_end(gateway, emulator):
    """It slows its own turn, costs no memory, and after a while its connections are free again."""
    sockets = gateway.app.sockets
    sockets.limits = replace(sockets.limits, stall=0.5)
    endless = {"emulator": json.dumps({"deltas": 2_000, "delta_bytes": 65_536})}
    async with talking(gateway, emulator) as talk:
        talk.client.connection.transport.pause_reading()
        await talk.client.create(user("hi"), metadata=endless, tools=[])
        await become(lambda: leased(gateway) == 1)
        await become(lambda: gateway.app.readiness.guests == 0, 20)
        assert 0 == leased(gateway)
