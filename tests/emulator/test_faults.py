"""Faults on demand: every act does what its name says, where it was asked to."""

import asyncio

import aiohttp
import pytest

from longwire.emulator import Fault, Script

BODY = {"type": "response.create", "model": "m", "store": False}


async def test_refused_handshake_has_status_headers_and_body(upstream, user):
    """A handshake can be refused with anything, also HTML; the next one is let in."""
    async with upstream() as it:
        refusal = {"retry-after": "7", "content-type": "text/html"}
        it.emulator.faults.add(
            Fault(at="handshake", act="refuse", status=403, headers=refusal, body="<html>")
        )
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with it.dial():
                pass
        assert (403, "7") == (refused.value.status, refused.value.headers["retry-after"])
        async with it.dial() as socket:
            await socket.respond(user)
        assert (1, 1) == (it.emulator.faults.struck, it.emulator.counters.handshakes_refused)


async def test_handshake_error_has_the_envelope(upstream):
    """act=error at the handshake is an OpenAI error body."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at="handshake", act="error", status=429, code="slow_down"))
        async with it.post({}) as answer:
            body = await answer.json()
            assert (429, "slow_down") == (answer.status, body["error"]["code"])


async def test_handshake_can_hang_and_be_reset(upstream):
    """A handshake can stay unanswered or end the connection."""
    async with upstream() as it:
        it.emulator.faults.add(
            Fault(at="handshake", act="hang"),
            Fault(at="handshake", act="reset", times=2),  # aiohttp tries twice
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), it.dial():
                pass
        with pytest.raises(aiohttp.ClientConnectionError):
            async with it.dial():
                pass


POINTS = {
    "before_create": 0,
    "after_create": 0,
    "after_created": 1,
    "mid_delta": 5,
    "after_item": 11,
    "before_terminal": 20,
    "after_terminal": 21,
    "idle": 21,
}


@pytest.mark.parametrize(("point", "seen"), POINTS.items())
@pytest.mark.parametrize("code", [None, 1000, 1001, 1008, 1011, 1012, 1013])
async def test_close_at_every_point(upstream, user, point, seen, code):
    """A close comes at its point with its code, or with none."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at=point, act="close", code=code))
        await socket.send(**BODY, input=[user])
        events = 0
        while (message := await socket.socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
            events += 1
        assert (aiohttp.WSMsgType.CLOSE, seen) == (message.type, events)
        assert (code or 0) == message.data  # aiohttp says 0 where there is no code


@pytest.mark.parametrize("point", POINTS)
async def test_reset_at_every_point(upstream, user, point):
    """A reset ends the connection without a close frame."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at=point, act="reset"))
        await socket.send(**BODY, input=[user])
        assert 1006 == await socket.closed()
        await it.emptied()


SHAPES = {
    "a": lambda e: (e["status"], e["error"]["code"]),
    "b": lambda e: (e["status_code"], e["error"]["code"]),
    "c": lambda e: (e["status"] if e["headers"] else None, e["error"]["code"]),
    "d": lambda e: (429 if "status" not in e else None, e["error"]["code"]),
    "e": lambda e: (429 if e["message"] == "no" else None, e["code"]),
    "f": lambda e: (e["status_code"], e["code"]),
    "g": lambda e: (429, e["response"]["error"]["code"]),
    "h": lambda e: (e["status"], "slow_down" if e["error"] == {"detail": "no"} else None),
    "i": lambda e: (e["status"], "slow_down" if "code" not in e["error"] else None),
    "j": lambda e: (e["status"], e["error"]["type"]),
    "k": lambda e: (429 if e["type"] == "response.error" else None, e["error"]["code"]),
}


@pytest.mark.parametrize(("shape", "read"), SHAPES.items())
async def test_error_in_every_shape(upstream, user, shape, read):
    """An error comes in the shape asked for, ends the turn and evicts the parent."""
    async with upstream() as it, it.dial() as socket:
        parent = (await socket.respond(user))["id"]
        asked = {"previous_response_id": parent}
        it.emulator.faults.add(
            Fault(
                at="after_create",
                act="error",
                shape=shape,
                code="slow_down",
                status=429,
                message="no",
            )
        )
        (error,) = await socket.create(user, **asked)
        assert (429, "slow_down") == read(error)
        await socket.refuse(user, **asked)
        await socket.respond(user)


async def test_error_can_strike_for_ever_and_later(upstream, user):
    """times=0 strikes always, skip lets chances pass, clear ends it."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_create", act="error", times=0, skip=1))
        kinds = [(await socket.create(user))[-1]["type"] for _ in range(4)]
        it.emulator.faults.clear()
        kinds.append((await socket.create(user))[-1]["type"])
        done = "response.completed"
        assert [done, "error", "error", "error", done] == kinds


async def test_hang_sends_nothing_more(upstream, user):
    """A hanging turn stays silent until the client gives up; pings are still answered."""
    async with upstream() as it, it.dial(autoping=False) as socket:
        it.emulator.faults.add(Fault(at="after_created", act="hang"))
        await socket.send(**BODY, input=[user])
        assert "response.created" == (await socket.event())["type"]
        await socket.socket.ping()
        message = await socket.socket.receive(timeout=5)
        assert aiohttp.WSMsgType.PONG == message.type


async def test_silence_answers_no_pings(upstream, user):
    """A silent server does not even answer pings."""
    async with upstream() as it, it.dial(autoping=False) as socket:
        it.emulator.faults.add(Fault(at="after_created", act="silence"))
        await socket.send(**BODY, input=[user])
        await socket.event()
        await socket.socket.ping()
        with pytest.raises(TimeoutError):
            await socket.socket.receive(timeout=0.05)


async def test_binary_frame(upstream, user):
    """A binary frame arrives between text frames."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_created", act="binary"))
        await socket.send(**BODY, input=[user])
        kinds = [(await socket.socket.receive(timeout=5)).type for _ in range(3)]
        text, binary = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY
        assert [text, binary, text] == kinds


async def test_half_frame_then_reset(upstream, user):
    """Half a frame never becomes an event."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_created", act="half"))
        await socket.send(**BODY, input=[user])
        assert "response.created" == (await socket.event())["type"]
        assert 1006 == await socket.closed()


@pytest.mark.parametrize("event", [None, {"type": "response.completed", "response": {}}])
async def test_frame_after_the_terminal(upstream, user, event):
    """A late frame comes right behind the terminal."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_terminal", act="extra_event", event=event))
        assert "response.completed" == (await socket.create(user))[-1]["type"]
        assert (event or {"type": "codex.emulator.extra"}) == await socket.event()
        await socket.respond(user)


async def test_terminal_alias(upstream, user):
    """response.done takes the place of response.completed."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="before_terminal", act="done_alias"))
        terminal = (await socket.create(user))[-1]
        assert ("response.done", "completed") == (terminal["type"], terminal["response"]["status"])


async def test_slow_drip_arrives_whole(upstream, user):
    """Frames that drip byte by byte are still frames."""
    async with upstream(Script(reasoning=False)) as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_created", act="slow_drip"))
        assert "response.completed" == (await socket.create(user))[-1]["type"]


async def test_huge_event(upstream, user):
    """An event may be larger than any client's default limit."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="mid_delta", act="huge_event"))
        events = await socket.create(user)
        assert 20 * 1024 * 1024 == max(len(event.get("padding", "")) for event in events)


async def test_fault_can_wait(upstream, user):
    """after_ms delays the act."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="idle", act="close", code=1001, after_ms=5))
        await socket.respond(user)
        assert 1001 == await socket.closed()


async def test_fault_strikes_its_transport_only(upstream, user):
    """Route limits a fault to one transport."""
    async with upstream() as it, it.dial() as socket:
        it.emulator.faults.add(Fault(at="after_create", act="error", route="http", status=503))
        await socket.respond(user)
        async with it.post({}) as answer:
            assert 503 == answer.status


@pytest.mark.parametrize("act", ["reset", "half", "close", "hang", "error"])
async def test_sse_stream_can_be_spoiled(upstream, act):
    """An SSE stream can be cut, end early, hang, or carry a flat error event."""
    async with upstream() as it:
        it.emulator.faults.add(
            Fault(at="mid_delta", act=act, code=1000 if act == "close" else None)
        )
        content = b""
        ended = "in order"
        try:
            seconds = 0.5 if act == "hang" else 20
            async with asyncio.timeout(seconds), it.post({"stream": True}) as answer:
                async for chunk in answer.content.iter_any():
                    content += chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            ended = type(error).__name__
        assert b"response.completed" not in content
        cut = {"reset": "ClientOSError", "half": "ClientOSError", "hang": "TimeoutError"}
        payload = "ClientPayloadError"
        assert ended in (cut.get(act, "in order"), payload if act in ("reset", "half") else ended)
        errors = content.endswith(b"\n\n") and b"event: error" in content
        assert (act == "error") == errors


@pytest.mark.parametrize("stream", [True, False])
async def test_http_error_before_the_first_event_is_a_status(upstream, stream):
    """Before the first event an injected error is an HTTP answer with its headers."""
    async with upstream() as it:
        headers = {"retry-after": "2"}
        it.emulator.faults.add(
            Fault(at="before_create", act="error", status=429, headers=headers, code="slow_down")
        )
        async with it.post({"stream": stream}) as answer:
            assert (429, "2") == (answer.status, answer.headers["retry-after"])
            assert "slow_down" == (await answer.json())["error"]["code"]


async def test_json_answer_can_be_reset(upstream):
    """A plain JSON answer that is cut is no answer."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at="before_terminal", act="reset"))
        with pytest.raises(aiohttp.ClientConnectionError):
            async with it.post({}):
                pass


async def test_stream_without_terminal_ends_in_order(upstream):
    """The script can leave the terminal out."""
    async with upstream(Script(end_without_terminal=True)) as it:
        async with it.post({"stream": True}) as answer:
            content = await answer.read()
        assert (True, False) == (b"output_item.done" in content, b"response.completed" in content)
        assert "unfinished" == it.emulator.turns[-1].status


@pytest.mark.parametrize(
    "members",
    [
        {"at": "handshake", "act": "close"},
        {"at": "idle", "act": "refuse"},
        {"at": "mid_delta", "act": "done_alias"},
        {"at": "idle", "act": "close", "code": "x"},
    ],
)
def test_senseless_faults_are_refused(members):
    """An act that cannot happen at its point is refused when it is armed."""
    with pytest.raises(ValueError, match=r"act|code"):
        Fault(**members)
