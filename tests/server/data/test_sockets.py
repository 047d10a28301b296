"""The WebSocket mode for clients: coming in, lanes, errors, the end of a connection."""

import asyncio
import json
from dataclasses import replace

import aiohttp
import pytest
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed, InvalidStatus

from longwire.core.nouns.access import Grant, Rates
from longwire.core.rules.lanes import LaneLimits
from longwire.emulator import Fault
from longwire.server.health import Stage
from tests.conftest import serving, settings_for
from tests.doubles.sockets import socket, user
from tests.server.conftest import is_envelope

UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PATHS = ("/v1/responses", "/backend-api/codex/responses")
READS_ON = asyncio.Event()
READS_ON.set()
SLOWLY = {"emulator": json.dumps({"delay_ms": 2_000})}


def scripted(**members):
    """Metadata that directs the pretended model."""
    return {"emulator": json.dumps(members)}


def change_limits(gateway, **changes):
    """Change what holds for connections from now on."""
    sockets = gateway.app.sockets
    sockets._limits = replace(sockets._limits, **changes)


async def become(is_so):
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is awaited tells nobody of itself
            await asyncio.sleep(0.01)


def holds_up(connection):
    """Whether a connection waits until its client reads on."""
    return not getattr(connection, "writable", READS_ON).is_set()


async def refusal(gateway, path="/v1/responses", **headers):
    """Status, headers and body with which an upgrade is refused."""
    async with (
        aiohttp.ClientSession(gateway.url) as session,
        session.get(path, headers={**UPGRADE, **headers}) as response,
    ):
        return response.status, response.headers, await response.read()


class TestTheDoor:
    @pytest.mark.parametrize("path", PATHS)
    async def test_a_client_comes_in(self, gateway, path):
        """With its key, on either path; the 101 carries the request's id."""
        async with socket(gateway.url, path=path, headers={"x-request-id": "mine"}) as client:
            assert "mine" == client.connection.response.headers["x-request-id"]
            assert "completed" == (await client.ask(user("hi")))["status"]

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
    @pytest.mark.parametrize("path", PATHS)
    async def test_no_key_no_upgrade(self, gateway, path, headers):
        """The refusal is the one over HTTP, before the upgrade."""
        status, told, body = await refusal(gateway, path, **headers)
        assert (401, "Bearer", True) == (status, told["www-authenticate"], is_envelope(body))
        assert "application/json" == told["content-type"]

    async def test_switched_off_clients_fall_back(self, emulator):
        """426 tells clients to use HTTP, whatever their key."""
        settings = settings_for(emulator.url, server={"websocket": False})
        async with serving(settings) as gateway:
            status, told, body = await refusal(gateway)
            assert (426, "websocket", True) == (status, told["upgrade"], is_envelope(body))
            with pytest.raises(InvalidStatus):
                async with socket(gateway.url):
                    pass

    async def test_draining_nobody_comes_in(self, gateway):
        """As over HTTP: 503, and when to come again."""
        gateway.app.readiness.stage = Stage.DRAINING
        status, told, body = await refusal(gateway, **gateway.headers)
        assert (503, "5", True) == (status, told["retry-after"], is_envelope(body))

    async def test_a_key_that_is_taken_back_ends_what_it_could(self, gateway):
        """Each turn asks again whose key it is; the connection stays for the answer."""
        async with socket(gateway.url) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            gateway.app.keys.hand_out(())
            told = await client.ask(user("again"))
            assert (401, "invalid_api_key") == (told["status"], told["error"]["code"])

    async def test_connections_are_counted(self, gateway):
        """The gauge follows those who come and go."""
        assert b"longwire_client_connections 0.0" in gateway.app.metrics.render()
        async with socket(gateway.url) as client, socket(gateway.url):
            await client.ask(user("hi"))
            assert b"longwire_client_connections 2.0" in gateway.app.metrics.render()


class TestMessages:
    @pytest.mark.parametrize(
        ("message", "param"),
        [
            ("", None),
            ("{", None),
            ("[]", None),
            ('"a"', None),
            ("{}", "type"),
            ({"type": None}, "type"),
            ({"type": 5}, "type"),
            ({"type": "session.update"}, "type"),
            ({"type": "response.create"}, "model"),
            ({"type": "response.create", "model": "m", "input": 4}, "input"),
            ({"type": "response.create", "model": "m", "background": True}, "background"),
            ({"type": "response.create", "model": "no", "previous_response_id": 4}, None),
            ('{"type":"response.create","model":"m","model":"n"}', "model"),
            ("[" * 100_000, None),
        ],
    )
    async def test_what_cannot_be_read_is_told(self, gateway, message, param):
        """One error frame with its status each time, and the connection serves on."""
        async with socket(gateway.url) as client:
            await client.send(message)
            told = await client.receive()
            assert {"type", "status", "error"} == set(told)
            assert ("error", 400) == (told["type"], told["status"])
            assert {"message", "type", "param", "code"} == set(told["error"])
            assert param in (None, told["error"]["param"])
            assert "completed" == (await client.ask(user("hi")))["status"]

    async def test_binary_messages_are_told_and_closed(self, gateway):
        """A client that speaks another protocol hears so in both ways."""
        async with socket(gateway.url) as client:
            await client.send(b'{"type":"response.create"}')
            told = await client.receive()
            assert (400, "error") == (told["status"], told["type"])
            assert (1003, "text messages only") == await client.closed()

    async def test_a_message_too_large_is_closed_with_1009(self, emulator):
        """The limit is that of a body over HTTP, whole or in fragments; the reason says so."""
        settings = settings_for(emulator.url, server={"max_body": "4KiB"})
        async with serving(settings) as gateway:
            for message in ("x" * 5_000, ["x" * 1_000] * 5):
                async with socket(gateway.url) as client:
                    await client.connection.send(message)
                    code, reason = await client.closed()
                    assert (1009, True) == (code, "4096" in reason)

    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            ("steer", "response.steer.failed"),
            ("inject", "response.inject.failed"),
            ("interrupt", "response.interrupt.rejected"),
        ],
    )
    async def test_what_is_not_spoken_is_answered_as_the_api_does(self, gateway, kind, answer):
        """A client learns that it has to do without."""
        async with socket(gateway.url) as client:
            await client.send({"type": f"response.{kind}", "response_id": "resp_1", "input": "x"})
            assert answer == (await client.receive())["type"]

    async def test_an_acknowledgement_is_not_answered(self, gateway):
        """Older versions of Codex say what they have read."""
        async with socket(gateway.url) as client:
            await client.send({"type": "response.processed", "response_id": "resp_1"})
            assert "completed" == (await client.ask(user("hi")))["status"]

    async def test_limits_and_models_are_told_with_their_status(self, gateway):
        """The table of errors is the one over HTTP."""
        async with socket(gateway.url) as client:
            gateway.app.routing.snapshot = type(gateway.app.routing.snapshot)({})
            told = await client.ask(user("hi"), stream_id="a")
            assert (404, "model_not_found", "a") == (
                told["status"],
                told["error"]["code"],
                told["stream_id"],
            )

    async def test_an_upstream_that_asks_to_wait_is_quoted(self, gateway, emulator):
        """Its status, its words, and when to try again."""
        fault = {"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "7"}}
        emulator.faults.add(Fault(at="handshake", act="error", **fault))
        async with socket(gateway.url) as client:
            told = await client.ask(user("hi"))
        assert (429, "rate_limit_exceeded", "7") == (
            told["status"],
            told["error"]["code"],
            told["headers"]["retry-after"],
        )

    async def test_what_breaks_off_ends_as_failed(self, gateway, emulator):
        """After the first event a failure is the end of the response, with the next number."""
        emulator.faults.add(Fault(at="mid_delta", act="reset"))
        async with socket(gateway.url) as client:
            await client.create(user("hi"), stream_id="a")
            failed = await client.answer("a")
            assert ("failed", "upstream_disconnected") == (
                failed["status"],
                failed["error"]["code"],
            )
            assert "completed" == (await client.ask(user("hi"), stream_id="a"))["status"]


class TestAccounting:
    async def test_a_turn_is_booked_as_over_http(self, emulator):
        """One line a turn, with what the client sent, not what was made of it."""
        settings = settings_for(emulator.url, channel={"transport": "websocket"})
        sent, last = [], None
        with capture_logs() as logged:
            async with serving(settings) as gateway, socket(gateway.url) as client:
                for _ in range(2):
                    named = {"previous_response_id": last}
                    raw = {"type": "response.create", "model": "gpt-5.5", "input": "hi", **named}
                    sent.append(json.dumps({**raw, "tool_choice": "none"}))
                    await client.send(sent[-1])
                    last = (await client.answer(None, last))["id"]
        turns = [line for line in logged if line["event"] == "turn"]
        assert [len(each) for each in sent] == [line["received"] for line in turns]
        assert ["completed"] * 2 == [line["outcome"] for line in turns]
        assert ["dev"] * 2 == [line["caller"] for line in turns]

    async def test_the_limits_of_a_key_hold(self, gateway):
        """A key at its limit is told as over HTTP, with when to come again."""
        keys = gateway.app.keys
        (digest, (principal, key)), *_ = keys._known.items()
        limited = replace(principal, grant=Grant(key_id="k", rates=Rates(requests_per_minute=1)))
        keys._known[digest] = (limited, key)
        async with socket(gateway.url) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            told = await client.ask(user("hi"))
        assert (429, "rate_limit_exceeded") == (told["status"], told["error"]["code"])
        assert 0 < int(told["headers"]["retry-after"])


class TestLanes:
    async def test_lanes_run_at_once_and_say_their_names(self, gateway, emulator):
        """Three lanes, one of them without a name, are answered side by side."""
        async with socket(gateway.url, metadata=scripted(delay_ms=50)) as client:
            for lane in (None, "a", "b"):
                await client.create(user(f"hi {lane}"), stream_id=lane)
            for lane in ("b", None, "a"):
                assert "completed" == (await client.answer(lane))["status"]
        assert 3 == len(emulator.turns)

    async def test_one_lane_has_its_order(self, gateway, emulator):
        """What is asked while a lane is busy waits, and is answered in turn."""
        async with socket(gateway.url) as client:
            for number in range(5):
                await client.create(user(f"{number}"), stream_id="a", metadata={"n": str(number)})
            told = [(await client.answer("a"))["metadata"]["n"] for _ in range(5)]
        assert ["0", "1", "2", "3", "4"] == told

    async def test_names_are_checked(self, gateway):
        """The documented errors; what is no name is not given back as one."""
        async with socket(gateway.url) as client:
            await client.create(user("hi"), stream_id="no name")
            told = await client.receive()
            assert ("invalid_stream_id", False) == (told["error"]["code"], "stream_id" in told)
            for number in range(32):
                await client.ask(user("hi"), stream_id=f"lane-{number}")
            told = await client.ask(user("hi"), stream_id="lane-32")
            assert "websocket_stream_limit_reached" == told["error"]["code"]
            assert "completed" == (await client.ask(user("hi"), stream_id="lane-0"))["status"]

    async def test_what_waits_is_bounded(self, gateway):
        """A full queue is told at once, with when to come again; what was taken is answered."""
        change_limits(gateway, lanes=LaneLimits(waiting=2))
        async with socket(gateway.url, metadata=scripted(delay_ms=20)) as client:
            for _ in range(4):
                await client.create(user("hi"))
            events = await client.events()
            assert (429, "websocket_queue_full") == (
                events[-1]["status"],
                events[-1]["error"]["code"],
            )
            assert "1" == events[-1]["headers"]["retry-after"]
            for _ in range(3):
                assert "response.completed" == (await client.events())[-1]["type"]


class TestCancelling:
    @pytest.mark.parametrize("by_id", [True, False])
    async def test_a_response_under_way_ends_as_failed(self, gateway, emulator, by_id):
        """Its lane serves on, and what it has said upstream is abandoned."""
        async with socket(gateway.url) as client:
            await client.create(user("hi"), stream_id="a", metadata=SLOWLY)
            first = await client.receive()
            named = {"response_id": first["response"]["id"]} if by_id else {"stream_id": "a"}
            await client.send({"type": "response.cancel", **named})
            ended = (await client.events("a"))[-1]
            assert ("response.failed", "response_cancelled") == (
                ended["type"],
                ended["response"]["error"]["code"],
            )
            assert "completed" == (await client.ask(user("hi"), stream_id="a"))["status"]

    async def test_before_its_first_event_it_ends_with_an_error(self, gateway, emulator):
        """There is no response to end yet."""
        async with socket(gateway.url, metadata=scripted(first_event_ms=60_000)) as client:
            await client.create(user("hi"))
            await become(lambda: emulator.counters.creates > 0)
            await client.send({"type": "response.cancel"})
            told = await client.receive()
            assert (400, "response_cancelled") == (told["status"], told["error"]["code"])

    async def test_who_reads_nothing_can_cancel_too(self, gateway, emulator):
        """What did not fit in the socket is left out, and the events are numbered to the end."""
        many = scripted(deltas=40_000, delta_bytes=512)
        async with socket(gateway.url, metadata=many, tools=[]) as client:
            await client.create(user("hi"))
            await client.receive()
            transport = client.connection.transport
            transport.pause_reading()
            await become(lambda: any(holds_up(each) for each in gateway.connections))
            await client.send({"type": "response.cancel"})
            await become(lambda: emulator.counters.cancelled == 1)
            transport.resume_reading()
            events = await client.events()
            assert "response.failed" == events[-1]["type"]
            assert [*range(1, len(events) + 1)] == [each["sequence_number"] for each in events]

    async def test_nothing_else_can_be_cancelled(self, gateway):
        """An id that is not under way here is told so."""
        async with socket(gateway.url) as client:
            answered = await client.ask(user("hi"))
            for named in ({"response_id": answered["id"]}, {"response_id": "resp_x"}, {}):
                await client.send({"type": "response.cancel", **named})
                told = await client.receive()
                assert "response_not_found" == told["error"]["code"]


class TestSilence:
    async def test_codex_gets_events(self, gateway):
        """Its timer counts events alone, also before the first one; they take no number."""
        change_limits(gateway, silence=0.05)
        slowly = scripted(first_event_ms=400)
        codex = {"originator": "codex_exec"}
        async with socket(gateway.url, headers=codex, metadata=slowly) as client:
            await client.create(user("hi"), stream_id="a")
            events = await client.events("a")
        alive = [event for event in events if event["type"] == "keepalive"]
        assert {0} == {event["sequence_number"] for event in alive}
        numbers = [e["sequence_number"] for e in events if e["type"] != "keepalive"]
        assert list(range(len(numbers))) == numbers

    async def test_others_get_none(self, gateway):
        """A client of the public API sees the API's events alone."""
        change_limits(gateway, silence=0.05)
        async with socket(gateway.url, metadata=scripted(first_event_ms=400)) as client:
            await client.create(user("hi"))
            assert "keepalive" not in {event["type"] for event in await client.events()}

    async def test_a_connection_at_rest_is_closed_in_time(self, gateway):
        """Not while a turn runs, however long it takes; afterwards, with its reason."""
        change_limits(gateway, idle=0.2)
        async with socket(gateway.url, metadata=scripted(first_event_ms=500)) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            assert (1001, "idle for too long") == await client.closed()


class TestTheEnd:
    async def test_a_client_that_leaves_ends_its_turns(self, gateway, emulator):
        """Whatever was under way on whatever lane is abandoned; nothing is left behind."""
        async with socket(gateway.url, metadata=SLOWLY) as client:
            for lane in (None, "a", "a", "b"):
                await client.create(user("hi"), stream_id=lane)
            await client.receive()
            client.connection.transport.abort()
        await become(lambda: gateway.app.readiness.guests == gateway.app.readiness._turns == 0)

    async def test_at_rest_it_is_closed_at_once(self, gateway):
        """Draining, who has no turn under way is told to go."""
        emptied = asyncio.Event()
        async with socket(gateway.url) as client, socket(gateway.url) as other:
            await client.ask(user("hi"))
            gateway.app.readiness.drain(emptied.set)
            for each in (client, other):
                assert (1001, "the gateway is shutting down") == await each.closed()
            async with asyncio.timeout(5):
                await emptied.wait()

    async def test_a_turn_under_way_is_answered_first(self, gateway):
        """What is asked meanwhile, or waits, is refused with when to come again."""
        emptied = asyncio.Event()
        async with socket(gateway.url, metadata=scripted(delay_ms=50)) as client:
            await client.create(user("hi"), stream_id="a")
            await client.receive()
            await client.create(user("waits"), stream_id="a")
            await client.send("{}")
            assert "error" == (await client.events())[-1]["type"]
            gateway.app.readiness.drain(emptied.set)
            assert not emptied.is_set()
            await client.create(user("late"), stream_id="b")
            assert "response.completed" == (await client.events("a"))[-1]["type"]
            (late,) = await client.events("b")
            assert (503, "5") == (late["status"], late["headers"]["retry-after"])
            (waited,) = await client.events("a")
            assert 503 == waited["status"]
            assert 1001 == (await client.closed())[0]
            async with asyncio.timeout(5):
                await emptied.wait()

    async def test_nothing_can_be_said_after_the_end(self, gateway):
        """A connection that is gone stays gone."""
        async with socket(gateway.url) as client:
            gateway.app.readiness.drain(lambda: None)
            await client.closed()
            with pytest.raises(ConnectionClosed):
                await client.create(user("hi"))
