"""How one connection ends, whoever ends it, and what it takes while idle."""

import asyncio
import json

import pytest

from longwire.core.errors import UpstreamDisconnected
from longwire.core.rules.continuity import Reason
from tests.doubles.peer import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close_frame,
    frame,
)
from tests.doubles.responses import error, failed
from tests.upstream.websocket.connection_steps import (
    event,
    queued,
    reason_of,
    receive,
    refused,
)


class TestClosing:
    @pytest.mark.parametrize(
        ("code", "reason", "words"),
        [
            (1000, b"", "with code 1000."),
            (1001, b"going", "with code 1001 (going)."),
            (None, b"", "with code 1005."),
            (4000, "später".encode(), "with code 4000 (später)."),
        ],
    )
    @pytest.mark.parametrize("leased", [True, False])
    async def test_upstream_closes(self, linked, code, reason, words, leased):
        """The upstream's close is answered, the socket closed, and its code told."""
        async with linked() as ends:
            if leased:
                ends.connection.begin()
            ends.link.write(close_frame(code, reason))
            assert await ends.link.close_code() == 1000
            assert await ends.link.ended()
            assert ends.closed == [ends.connection]
            assert words in await reason_of(ends.connection)

    @pytest.mark.parametrize("ending", ["hang_up", "reset"])
    async def test_upstream_breaks_off(self, linked, until, ending):
        """A socket that ends without a close frame (1006) ends the connection at once."""
        async with linked() as ends:
            getattr(ends.link, ending)()
            await until(lambda: ends.connection.is_closed)
            assert ends.closed == [ends.connection]

    async def test_messages_before_the_close_are_delivered(self, linked, until):
        """What arrived before the close is received, then the close is told."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, event(1)), close_frame(1000), frame(TEXT, event(2)))
            await until(lambda: ends.connection.is_closed)
            assert [event(1)] == await receive(ends.connection, 1)
            assert "1000" in await reason_of(ends.connection)

    @pytest.mark.parametrize("code", [1000, 1001])
    async def test_we_close(self, linked, code):
        """Our close is a handshake, told once, and can be asked for twice."""
        async with linked() as ends:
            ends.connection.close(code)
            ends.connection.close(1002)
            assert ends.connection.is_closed
            assert ends.closed == [ends.connection]
            assert await ends.link.frame() == (CLOSE, code.to_bytes(2, "big"))
            ends.link.write(close_frame(code))
            assert await ends.link.ended()
            assert ends.closed == [ends.connection]

    @pytest.mark.looptime
    async def test_ignored_close(self, linked):
        """An upstream that does not answer our close is disconnected after two seconds."""
        async with linked() as ends:
            ends.connection.close()
            start = asyncio.get_running_loop().time()
            assert await ends.link.close_code() == 1000
            assert await ends.link.ended()
            assert asyncio.get_running_loop().time() - start == pytest.approx(2, abs=0.5)

    @pytest.mark.looptime
    async def test_upstream_closes_but_never_reads(self, linked):
        """An upstream that says goodbye and reads nothing more cannot keep our socket open."""
        async with linked() as ends:
            ends.link.pause()
            ends.connection.begin()
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(ends.connection))
                await asyncio.sleep(0)
                ends.link.write(close_frame(1001))
            await asyncio.sleep(2.5)
            assert "lingering" not in repr(ends.connection)

    async def test_nothing_after_close(self, linked):
        """What arrives after our close is read and dropped, in whatever frames."""
        async with linked() as ends:
            ends.connection.begin()
            ends.connection.close()
            ends.link.write(frame(TEXT, event(1)), frame(TEXT, b"{", final=False))
            ends.link.write(frame(CONTINUATION, b"}"), frame(BINARY, b"x"), close_frame(1000))
            assert await ends.link.ended()
            assert "closed by the gateway" in await reason_of(ends.connection)
            assert queued(ends.connection) == 0

    @pytest.mark.looptime
    @pytest.mark.parametrize("broken", [frame(0x3), frame(BINARY, b"x"), frame(TEXT, b"\xff")])
    async def test_after_a_violation(self, linked, broken):
        """Who broke the protocol may go on talking: nothing is taken, and two seconds end it."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(broken, frame(TEXT, event(1)), frame(PING, b"?"))
            start = asyncio.get_running_loop().time()
            assert await ends.link.close_code() in (1002, 1003, 1007)
            ends.link.write(frame(TEXT, event(2)))
            assert await ends.link.ended()
            assert asyncio.get_running_loop().time() - start == pytest.approx(2, abs=0.5)
            assert (queued(ends.connection), ends.closed) == (0, [ends.connection])

    async def test_violation_in_answer_to_our_close(self, linked):
        """A close that is answered by what is no frame ends at once."""
        async with linked() as ends:
            ends.connection.close()
            assert await ends.link.close_code() == 1000
            ends.link.write(frame(0x3))
            async with asyncio.timeout(1.5):
                assert await ends.link.ended()

    async def test_abort(self, linked):
        """Aborting ends the socket without a handshake, and what waits for it."""
        async with linked() as ends:
            ends.connection.begin()
            async with asyncio.TaskGroup() as group:
                receiving = group.create_task(reason_of(ends.connection))
                await asyncio.sleep(0)
                ends.connection.abort("no patience")
            assert "no patience" in receiving.result()
            assert await ends.link.ended()

    async def test_send_after_close(self, linked):
        """A closed connection refuses to send and says why it is closed."""
        async with linked() as ends:
            ends.connection.close()
            with pytest.raises(UpstreamDisconnected, match="closed by the gateway"):
                await ends.connection.send(b"{}")

    async def test_repr(self, linked):
        """The whole state stands in one line."""
        async with linked() as ends:
            assert repr(ends.connection) == "<Connection idle queued=0>"
            ends.connection.begin()
            assert repr(ends.connection) == "<Connection reading queued=0>"
            ends.connection.close()
            closed = "<Connection closed queued=0 lingering: closed by the gateway>"
            assert repr(ends.connection) == closed


class TestStrayFrames:
    @pytest.mark.parametrize("name", ["codex.rate_limits", "response.metadata", "keepalive"])
    async def test_notice_while_idle(self, linked, name):
        """A vendor's notice between turns is dropped and disturbs nobody."""
        async with linked() as ends:
            ends.link.write(frame(TEXT, json.dumps({"type": name}).encode()), frame(PING))
            assert (await ends.link.frame())[0] == PONG
            assert not ends.connection.is_closed
            ends.connection.begin()
            ends.link.write(frame(TEXT, event(1)))
            assert [event(1)] == await receive(ends.connection, 1)

    @pytest.mark.parametrize(
        "stray",
        [
            frame(TEXT, b'{"type":"error","status":400,"error":{"code":"late"}}'),
            frame(TEXT, event(7)),
            frame(TEXT, b"no JSON"),
            frame(TEXT, b'{"type":"codex.', final=False),
        ],
        ids=["error", "tail", "garbage", "fragment"],
    )
    async def test_frame_while_idle(self, linked, stray):
        """A frame that belongs to no turn closes the connection in order."""
        async with linked() as ends:
            ends.link.write(stray)
            assert await ends.link.close_code() == 1000
            assert ends.closed == [ends.connection]

    @pytest.mark.parametrize(
        ("left", "is_closed"),
        [
            ([frame(TEXT, event(9))], True),
            ([frame(TEXT, b'{"type":"codex.x"}')], False),
            ([frame(TEXT, b'{"type":"resp', final=False)], True),
        ],
        ids=["tail", "notice", "fragment"],
    )
    async def test_unread_at_the_end(self, linked, until, left, is_closed):
        """What an exchange left unread, or half arrived, is no beginning for the next."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*left, frame(PING))
            await ends.link.frame()
            ends.connection.finish()
            assert ends.connection.is_closed == is_closed

    @pytest.mark.parametrize(
        ("last", "cause"),
        [
            (error(400, "websocket_connection_limit_reached"), Reason.CONNECTION_EXPIRED),
            (failed("r", "websocket_connection_limit_reached"), Reason.CONNECTION_EXPIRED),
            (error(401, "token_expired"), Reason.CONNECTION_LOST),
            (error(500, "server_error"), Reason.CONNECTION_LOST),
            (b"no JSON", Reason.CONNECTION_LOST),
        ],
        ids=["limit", "failed by limit", "credentials", "error", "garbage"],
    )
    async def test_cause(self, linked, until, last, cause):
        """An idle connection that is told its time is up ends as expired, any other as lost."""
        async with linked() as ends:
            assert ends.connection.cause is Reason.CONNECTION_LOST
            ends.link.write(frame(TEXT, last))
            await until(lambda: ends.closed)
            assert ends.connection.cause is cause

    async def test_cause_in_use(self, linked, until):
        """It is known at the end even of a connection whose reader has not read so far."""
        last = error(400, "websocket_connection_limit_reached")
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, last), close_frame(1000))
            await until(lambda: ends.closed)
            assert ends.connection.cause is Reason.CONNECTION_EXPIRED
            assert [last] == await receive(ends.connection, 1)
