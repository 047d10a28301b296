"""Turns on the lanes of a WebSocket: their order, cancelling, silence, what is booked."""

import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import Grant, Rates
from longwire.core.rules.lanes import LaneLimits
from tests.conftest import serving, settings_for
from tests.doubles.sockets import socket, user
from tests.server.data.scripts import SLOWLY, become, change_limits, holds_up, scripted


class TestAccounting:
    async def test_a_turn_is_booked_as_over_http(self, emulator):
        """One line a turn, with what the client sent, not what went upstream."""
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
        """A key at its limit is refused as over HTTP, with when to come again."""
        keys = gateway.app.keys
        (digest, (principal, key)), *_ = keys._known.items()
        limited = replace(principal, grant=Grant(key_id="k", rates=Rates(requests_per_minute=1)))
        keys._known[digest] = (limited, key)
        async with socket(gateway.url) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            answer = await client.ask(user("hi"))
        assert (429, "rate_limit_exceeded") == (answer["status"], answer["error"]["code"])
        assert 0 < int(answer["headers"]["retry-after"])


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
        """A request while its lane is busy waits, and is answered in turn."""
        async with socket(gateway.url) as client:
            for number in range(5):
                await client.create(user(f"{number}"), stream_id="a", metadata={"n": str(number)})
            numbers = [(await client.answer("a"))["metadata"]["n"] for _ in range(5)]
        assert ["0", "1", "2", "3", "4"] == numbers

    async def test_names_are_checked(self, gateway):
        """The documented errors; what is no name does not come back as one."""
        async with socket(gateway.url) as client:
            await client.create(user("hi"), stream_id="no name")
            answer = await client.receive()
            assert ("invalid_stream_id", False) == (answer["error"]["code"], "stream_id" in answer)
            for number in range(32):
                await client.ask(user("hi"), stream_id=f"lane-{number}")
            answer = await client.ask(user("hi"), stream_id="lane-32")
            assert "websocket_stream_limit_reached" == answer["error"]["code"]
            assert "completed" == (await client.ask(user("hi"), stream_id="lane-0"))["status"]

    async def test_what_waits_is_bounded(self, gateway):
        """A full queue is refused at once, with when to come again; what was taken is answered."""
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
            answer = await client.receive()
            assert (400, "response_cancelled") == (answer["status"], answer["error"]["code"])

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
        """An id that is not under way here is an error."""
        async with socket(gateway.url) as client:
            answered = await client.ask(user("hi"))
            for named in ({"response_id": answered["id"]}, {"response_id": "resp_x"}, {}):
                await client.send({"type": "response.cancel", **named})
                answer = await client.receive()
                assert "response_not_found" == answer["error"]["code"]


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
