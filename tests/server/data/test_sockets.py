"""A WebSocket client's session: its messages, errors, and how it ends."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from longwire.emulator import Fault
from tests.conftest import serving, settings_for
from tests.doubles.sockets import socket, user
from tests.server.data.scripts import SLOWLY, become, change_limits, scripted


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
    async def test_what_cannot_be_read_is_an_error(self, gateway, message, param):
        """One error frame with its status each time, and the connection serves on."""
        async with socket(gateway.url) as client:
            await client.send(message)
            answer = await client.receive()
            assert {"type", "status", "error"} == set(answer)
            assert ("error", 400) == (answer["type"], answer["status"])
            assert {"message", "type", "param", "code"} == set(answer["error"])
            assert param in (None, answer["error"]["param"])
            assert "completed" == (await client.ask(user("hi")))["status"]

    async def test_binary_messages_are_an_error_and_the_end(self, gateway):
        """A client that speaks another protocol hears so in both ways."""
        async with socket(gateway.url) as client:
            await client.send(b'{"type":"response.create"}')
            answer = await client.receive()
            assert (400, "error") == (answer["status"], answer["type"])
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

    async def test_limits_and_models_are_errors_with_their_status(self, gateway):
        """The table of errors is the one over HTTP."""
        async with socket(gateway.url) as client:
            gateway.app.routing.snapshot = type(gateway.app.routing.snapshot)({})
            answer = await client.ask(user("hi"), stream_id="a")
            assert (404, "model_not_found", "a") == (
                answer["status"],
                answer["error"]["code"],
                answer["stream_id"],
            )

    async def test_an_upstream_that_asks_to_wait_is_quoted(self, gateway, emulator):
        """Its status, its words, and when to try again."""
        fault = {"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "7"}}
        emulator.faults.add(Fault(at="handshake", act="error", **fault))
        async with socket(gateway.url) as client:
            answer = await client.ask(user("hi"))
        assert (429, "rate_limit_exceeded", "7") == (
            answer["status"],
            answer["error"]["code"],
            answer["headers"]["retry-after"],
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


class TestTheEnd:
    async def test_a_connection_at_rest_is_closed_in_time(self, gateway):
        """Not while a turn runs, however long it takes; afterwards, with its reason."""
        change_limits(gateway, idle=0.2)
        async with socket(gateway.url, metadata=scripted(first_event_ms=500)) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            assert (1001, "idle for too long") == await client.closed()

    async def test_a_client_that_leaves_ends_its_turns(self, gateway, emulator):
        """Whatever was under way on whatever lane is abandoned; nothing is left behind."""
        async with socket(gateway.url, metadata=SLOWLY) as client:
            for lane in (None, "a", "a", "b"):
                await client.create(user("hi"), stream_id=lane)
            await client.receive()
            client.connection.transport.abort()
        await become(lambda: gateway.app.readiness.guests == gateway.app.readiness._turns == 0)

    async def test_at_rest_it_is_closed_at_once(self, gateway):
        """Draining, who has no turn under way is sent away."""
        emptied = asyncio.Event()
        async with socket(gateway.url) as client, socket(gateway.url) as other:
            await client.ask(user("hi"))
            gateway.app.readiness.drain(emptied.set)
            for each in (client, other):
                assert (1001, "the gateway is shutting down") == await each.closed()
            async with asyncio.timeout(5):
                await emptied.wait()

    async def test_a_turn_under_way_is_answered_first(self, gateway):
        """What comes meanwhile, or waits, is refused with when to come again."""
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
