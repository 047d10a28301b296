"""One upstream connection against a peer that sends what the test says, byte for byte."""

import asyncio
import json
from itertools import takewhile

import pytest

from longwire.core.errors import UpstreamDisconnected, UpstreamTimeout
from longwire.core.rules.continuity import Reason
from longwire.upstream.websocket.frames import LARGEST_MESSAGE
from longwire.upstream.websocket.keepalive import Heartbeat
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
from tests.upstream.conftest import queued

SOON = 5.0
HUGE = 32 * 1024 * 1024
QUIET = Heartbeat(interval=3600)


def event(number, **members):
    """An event that belongs to a response."""
    return json.dumps({"type": "response.output_text.delta", "n": number, **members}).encode()


async def receive(connection, count):
    """Receive so many messages."""
    messages = []
    while len(messages) < count:
        batch = await connection.receive(SOON)
        assert batch, "nothing came"
        messages += batch
    return messages


async def refused(connection):
    """Send more than any socket takes at once, which is to fail."""
    with pytest.raises(UpstreamDisconnected):
        await connection.send(b"x" * HUGE)


async def reason_of(connection):
    """Wait until the connection has nothing more to give, and return its last words."""
    try:
        while True:
            await connection.receive(SOON)
    except UpstreamDisconnected as error:
        return str(error)


class TestMessages:
    async def test_whole(self, linked):
        """Frames that arrive together are handed over together, in order."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*(frame(TEXT, event(n)) for n in range(3)))
            assert [event(n) for n in range(3)] == await receive(ends.connection, 3)

    @pytest.mark.parametrize(
        "parts",
        [
            (b'{"type":', b'"a"}'),
            (b"", b'{"type":"a"}'),
            (b"", b"", b'{"type":"a"}', b""),
            (b'{"type":"\xc3', b'\xa9"}'),
        ],
        ids=["two", "empty first", "empty ones", "split character"],
    )
    async def test_fragmented(self, linked, parts):
        """A fragmented message arrives as one, with control frames in between answered."""
        first, *others = parts
        frames = [frame(TEXT, first, final=False), frame(PING, b"?"), frame(PONG)]
        frames += [frame(CONTINUATION, part, final=False) for part in others[:-1]]
        frames += [frame(PING, b"!"), frame(CONTINUATION, others[-1])]
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*frames)
            assert [b"".join(parts)] == await receive(ends.connection, 1)
            assert [(PONG, b"?"), (PONG, b"!")] == [await ends.link.frame() for _ in range(2)]

    async def test_fragmented_byte_by_byte(self, linked):
        """It does not matter how the network cuts the bytes of frames."""
        message = event(1)
        sent = frame(TEXT, message[:9], final=False) + frame(CONTINUATION, message[9:])
        async with linked() as ends:
            ends.connection.begin()
            for position in range(len(sent)):
                ends.link.write(sent[position : position + 1])
                await asyncio.sleep(0)
            assert [message] == await receive(ends.connection, 1)

    async def test_large_frame(self, linked):
        """A frame of 20 MiB arrives whole."""
        message = b'{"a":"' + b"x" * (20 * 1024 * 1024) + b'"}'
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, message))
            assert [message] == await receive(ends.connection, 1)

    @pytest.mark.parametrize("pieces", [1, 4])
    async def test_largest_message(self, linked, pieces):
        """A message of exactly the limit arrives, in one frame or in several."""
        piece = b"x" * (LARGEST_MESSAGE // pieces)
        async with linked(QUIET) as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, piece, final=pieces == 1))
            for number in range(1, pieces):
                ends.link.write(frame(CONTINUATION, piece, final=number == pieces - 1))
            (message,) = await receive(ends.connection, 1)
            assert len(message) == LARGEST_MESSAGE

    async def test_fragments_over_the_limit(self, linked):
        """One byte more than the limit closes the connection with 1009."""
        piece = b"x" * (LARGEST_MESSAGE // 4)
        async with linked(QUIET) as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, piece, final=False))
            for _ in range(3):
                ends.link.write(frame(CONTINUATION, piece, final=False))
            ends.link.write(frame(CONTINUATION, b"x"))
            assert await ends.link.close_code() == 1009
            assert "over 64 MiB" in await reason_of(ends.connection)

    async def test_frame_over_the_limit(self, linked):
        """A single frame over the limit is refused by its header alone, with 1009."""
        async with linked(QUIET) as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, b"x" * (LARGEST_MESSAGE + 1))[:4096])
            assert await ends.link.close_code() == 1009
            assert "over 64 MiB" in await reason_of(ends.connection)
            assert ends.closed == [ends.connection]

    @pytest.mark.parametrize(
        "frames",
        [
            [frame(TEXT, b'{"type":"\xff"}')],
            [frame(TEXT, b'{"type":"\xc3', final=False), frame(CONTINUATION, b'"}')],
            [frame(TEXT, b'"\xed\xa0\x80"')],
        ],
        ids=["byte", "cut character", "surrogate"],
    )
    async def test_not_utf8(self, linked, frames):
        """Text that is not UTF-8 closes the connection with 1007 (RFC 6455, 8.1)."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*frames)
            assert await ends.link.close_code() == 1007
            assert "not UTF-8" in await reason_of(ends.connection)

    async def test_binary(self, linked):
        """A binary frame closes the connection with 1003."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(BINARY, b"{}"))
            assert await ends.link.close_code() == 1003
            assert "binary" in await reason_of(ends.connection)

    @pytest.mark.parametrize(
        "frames",
        [
            [frame(CONTINUATION, b"{}")],
            [frame(TEXT, b"{", final=False), frame(TEXT, b"}")],
            [frame(TEXT, b"{", final=False), frame(TEXT, b"}", final=False)],
            [frame(0x3, b"{}")],
            [frame(PING, b"x", final=False)],
            [b"\x81\x80abcd"],
        ],
        ids=["lone", "text in text", "two firsts", "opcode", "cut ping", "masked"],
    )
    async def test_broken_protocol(self, linked, frames):
        """Frames that RFC 6455 forbids close the connection with 1002, and nothing is delivered."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*frames, frame(TEXT, event(1)))
            assert await ends.link.close_code() == 1002
            with pytest.raises(UpstreamDisconnected):
                await ends.connection.receive(SOON)

    async def test_nothing_is_sent_after_a_broken_protocol(self, linked, until):
        """A connection whose upstream broke the protocol fails a send at once."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(0x3, b"{}"))
            await until(lambda: ends.closed)
            with pytest.raises(UpstreamDisconnected):
                await ends.connection.send(b"{}")

    async def test_what_came_before_the_violation_is_delivered(self, linked):
        """Messages before the one that closes the connection are still received."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, event(1)), frame(BINARY, b""), frame(TEXT, event(2)))
            assert [event(1)] == await receive(ends.connection, 1)
            assert "binary" in await reason_of(ends.connection)

    async def test_silence(self, linked):
        """Nothing for the given time gives an empty batch, and no error."""
        async with linked() as ends:
            ends.connection.begin()
            assert list(await ends.connection.receive(0.001)) == []

    async def test_cancelled_receive_loses_nothing(self, linked):
        """A receive that is cancelled as a message arrives leaves it for the next."""
        async with linked() as ends:
            ends.connection.begin()
            async with asyncio.TaskGroup() as group:
                receiving = group.create_task(ends.connection.receive(SOON))
                await asyncio.sleep(0)
                ends.connection.data_received(frame(TEXT, event(1)))
                receiving.cancel()
            assert receiving.cancelled()
            assert [event(1)] == await receive(ends.connection, 1)


class TestPings:
    async def test_ping_is_answered_while_idle(self, linked):
        """The upstream's ping is answered, whether a turn runs or not."""
        async with linked() as ends:
            ends.link.write(frame(PING, b"are you there"))
            assert await ends.link.frame() == (PONG, b"are you there")
            ends.connection.begin()
            ends.link.write(frame(PING))
            assert await ends.link.frame() == (PONG, b"")

    @pytest.mark.looptime
    async def test_missing_pong(self, linked):
        """Silence after our ping ends the connection after interval and timeout."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            start = asyncio.get_running_loop().time()
            assert await ends.link.frame() == (PING, b"")
            assert await ends.link.ended()
            assert asyncio.get_running_loop().time() - start == pytest.approx(30, abs=1)
            assert ends.closed == [ends.connection]
            assert "no ping" in await reason_of(ends.connection)

    @pytest.mark.looptime
    async def test_pong_keeps_it(self, linked):
        """A connection whose pings are answered lives on."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            for _ in range(5):
                assert await ends.link.frame() == (PING, b"")
                ends.link.write(frame(PONG))
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    @pytest.mark.parametrize("sign", [frame(TEXT, b'{"type":"codex.x"}'), frame(PING)])
    async def test_any_frame_is_a_sign_of_life(self, linked, sign):
        """Any frame answers a ping: some upstreams delay their pongs behind deltas."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            for _ in range(3):
                opcode = 0
                while opcode != PING:
                    opcode, _ = await ends.link.frame()
                await asyncio.sleep(9)
                ends.link.write(sign)
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    async def test_no_ping_while_frames_come(self, linked):
        """Who talks anyway is not asked for a sign of life."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            ends.connection.begin()
            for number in range(10):
                await asyncio.sleep(15)
                ends.link.write(frame(TEXT, event(number)))
                await receive(ends.connection, 1)
            ends.connection.finish()
            ends.connection.close()
            assert (await ends.link.frame())[0] == CLOSE

    @pytest.mark.looptime
    async def test_paused_reader_is_not_killed(self, linked, until):
        """A reader that is held back hears no pong, and is not closed for that."""
        async with linked(Heartbeat(interval=20, timeout=10)) as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 65536) for number in range(400)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            await asyncio.sleep(200)
            assert not ends.connection.is_closed
            assert sent == await receive(ends.connection, len(sent))

    async def test_pings_of_a_deaf_upstream(self, linked, until):
        """An upstream that reads nothing gets no pongs queued for it, however many it asks for."""
        async with linked() as ends:
            ends.link.pause()
            ends.connection.begin()
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(ends.connection))
                await until(lambda: "blocked" in repr(ends.connection))
                ends.link.write(*[frame(PING, b"?" * 125)] * 1000, frame(TEXT, event(1)))
                assert [event(1)] == await receive(ends.connection, 1)
                ends.connection.close()
                ends.link.writer.transport.resume_reading()
                await ends.link._reader.readexactly(14 + HUGE)
            assert (CLOSE, b"\x03\xe8") == await ends.link.frame()


class TestClosing:
    @pytest.mark.parametrize(
        ("code", "reason", "told"),
        [
            (1000, b"", "with code 1000."),
            (1001, b"going", "with code 1001 (going)."),
            (None, b"", "with code 1005."),
            (4000, "später".encode(), "with code 4000 (später)."),
        ],
    )
    @pytest.mark.parametrize("leased", [True, False])
    async def test_upstream_closes(self, linked, code, reason, told, leased):
        """The upstream's close is answered, the socket closed, and its code told."""
        async with linked() as ends:
            if leased:
                ends.connection.begin()
            ends.link.write(close_frame(code, reason))
            assert await ends.link.close_code() == 1000
            assert await ends.link.ended()
            assert ends.closed == [ends.connection]
            assert told in await reason_of(ends.connection)

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
        ("told", "cause"),
        [
            (error(400, "websocket_connection_limit_reached"), Reason.CONNECTION_EXPIRED),
            (failed("r", "websocket_connection_limit_reached"), Reason.CONNECTION_EXPIRED),
            (error(401, "token_expired"), Reason.CONNECTION_LOST),
            (error(500, "server_error"), Reason.CONNECTION_LOST),
            (b"no JSON", Reason.CONNECTION_LOST),
        ],
        ids=["limit", "failed by limit", "credentials", "error", "garbage"],
    )
    async def test_cause(self, linked, until, told, cause):
        """An idle connection that is told its time is up ends as expired, any other as lost."""
        async with linked() as ends:
            assert ends.connection.cause is Reason.CONNECTION_LOST
            ends.link.write(frame(TEXT, told))
            await until(lambda: ends.closed)
            assert ends.connection.cause is cause

    async def test_cause_in_use(self, linked, until):
        """It is known at the end even of a connection whose reader has not read so far."""
        told = error(400, "websocket_connection_limit_reached")
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, told), close_frame(1000))
            await until(lambda: ends.closed)
            assert ends.connection.cause is Reason.CONNECTION_EXPIRED
            assert [told] == await receive(ends.connection, 1)


class TestSilence:
    """One timer serves all waits of a connection."""

    @pytest.mark.looptime
    async def test_spans(self, linked):
        """Each wait lasts its own span, whether the one before was longer or shorter."""
        async with linked(QUIET) as ends:
            ends.connection.begin()
            now = asyncio.get_running_loop().time
            for span in (100, 10, 50, 1, 1, 1, 1000, 5):
                start = now()
                assert [] == await ends.connection.receive(span)
                assert now() - start == pytest.approx(span, abs=0.1)

    @pytest.mark.looptime
    async def test_spans_with_messages(self, linked):
        """A wait that a message ended does not shorten or lengthen the next one."""
        async with linked(QUIET) as ends:
            ends.connection.begin()
            loop = asyncio.get_running_loop()
            for first, after, second in ((100, 30, 100), (100, 30, 20), (20, 10, 100)):
                loop.call_later(after, ends.link.write, frame(TEXT, event(1)))
                start = loop.time()
                assert await ends.connection.receive(first) == [event(1)]
                assert loop.time() - start == pytest.approx(after, abs=0.1)
                assert [] == await ends.connection.receive(second)
                assert loop.time() - start == pytest.approx(after + second, abs=0.1)

    async def test_cancelled_wait(self, linked, until):
        """A wait that is given up loses nothing that came meanwhile."""
        async with linked() as ends, asyncio.TaskGroup() as group:
            ends.connection.begin()
            waiting = group.create_task(ends.connection.receive(SOON))
            await until(lambda: "awaited" in repr(ends.connection))
            waiting.cancel()
            ends.link.write(frame(TEXT, event(1)))
            await until(lambda: queued(ends.connection))
            assert [event(1)] == await receive(ends.connection, 1)


class TestPassing:
    """Messages that go on from the socket's callback."""

    async def test_passed_or_read(self, linked, until):
        """What is not taken, and all after it, is for the reader, in order."""
        async with linked() as ends, asyncio.TaskGroup() as group:
            taken = []

            def take(messages):
                passed = list(takewhile(lambda message: message != event(3), messages))
                taken.extend(passed)
                return len(passed)

            ends.connection.begin()
            ends.connection.set_fast_path(take)
            reading = group.create_task(ends.connection.receive(SOON))
            await until(lambda: "awaited" in repr(ends.connection))
            ends.link.write(frame(TEXT, event(1)), frame(TEXT, event(2)))
            await until(lambda: len(taken) == 2)
            assert not reading.done()
            ends.link.write(*(frame(TEXT, event(number)) for number in (2, 3, 1)))
            assert await reading == [event(3), event(1)]
            assert taken == [event(1), event(2), event(2)]

    async def test_only_while_the_reader_waits(self, linked, until):
        """Nothing overtakes what the reader has not read yet."""
        async with linked() as ends:
            ends.connection.begin()
            ends.connection.set_fast_path(len)
            for number in (1, 2):
                ends.link.write(frame(TEXT, event(number)))
                size = number * len(event(1))
                await until(lambda: queued(ends.connection) == size)  # noqa: B023
            assert await receive(ends.connection, 2) == [event(1), event(2)]

    async def test_ends_with_the_exchange(self, linked):
        """What belongs to the next exchange is not passed on by the one before."""
        async with linked() as ends:
            ends.connection.begin()
            ends.connection.set_fast_path(len)
            ends.connection.finish()
            ends.connection.begin()
            ends.link.write(frame(TEXT, event(1)))
            assert await receive(ends.connection, 1) == [event(1)]


class TestPressure:
    async def test_slow_reader_blocks_the_upstream(self, linked, until):
        """A consumer that does not read fills a bounded queue and then the upstream's socket."""
        async with linked() as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 1000) for number in range(40_000)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            waiting = -1
            while waiting != ends.link.unsent:
                waiting = ends.link.unsent
                await asyncio.sleep(0.01)
            assert ends.link.unsent > 16 * 1024 * 1024
            assert queued(ends.connection) < 2 * 1024 * 1024
            assert sent == await receive(ends.connection, len(sent))
            assert ends.link.unsent == 0

    async def test_pace_of_the_reader(self, linked):
        """However far a reader lags behind, little of what was sent waits on this side."""
        async with linked() as ends:
            ends.connection.begin()
            count, most = 40_000, 0
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(count)))
            while count:
                count -= len(await ends.connection.receive(SOON))
                for _ in range(3):
                    await asyncio.sleep(0)
                most = max(most, queued(ends.connection))
            assert most < 3 * 1024 * 1024

    @pytest.mark.parametrize("ends_exchange", [True, False])
    async def test_slow_reader_is_closed_in_order(self, linked, until, ends_exchange):
        """A connection that was held back still reads the answer to its close."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(20_000)))
            await until(lambda: "paused" in repr(ends.connection))
            if ends_exchange:
                ends.connection.finish()
            else:
                ends.connection.close()
            assert ends.connection.is_closed
            async with asyncio.timeout(1.5):
                assert await ends.link.close_code() == 1000
                ends.link.write(close_frame(1000))
                assert await ends.link.ended()

    async def test_slow_reader_of_an_aborted_connection(self, linked, until):
        """What was queued when a connection was aborted can still be received."""
        async with linked() as ends:
            ends.connection.begin()
            ends.link.write(*(frame(TEXT, event(n, pad="x" * 1000)) for n in range(20_000)))
            await until(lambda: "paused" in repr(ends.connection))
            ends.connection.abort("no patience")
            await until(lambda: "lingering" not in repr(ends.connection))
            assert event(0, pad="x" * 1000) == (await receive(ends.connection, 1))[0]
            assert "no patience" in await reason_of(ends.connection)

    async def test_send_waits_for_the_socket(self, linked):
        """A large message is sent whole, as fast as the upstream takes it."""
        message = b"x" * 8 * 1024 * 1024
        async with linked() as ends:
            ends.link.pause()
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(ends.connection.send(message))
                await asyncio.sleep(0.005)
                assert not sending.done()
                ends.link.writer.transport.resume_reading()
                await ends.link._reader.readexactly(14 + len(message))
            assert not ends.connection.is_closed

    @pytest.mark.looptime
    async def test_send_deadline(self, linked):
        """An upstream that never reads fails the send after its deadline."""
        async with linked(Heartbeat(interval=3600, send_timeout=30)) as ends:
            ends.link.pause()
            with pytest.raises(UpstreamTimeout, match=r"30 s \(send\)"):
                await ends.connection.send(b"x" * 32 * 1024 * 1024)
            ends.connection.close()
            await asyncio.sleep(2.5)
            assert "lingering" not in repr(ends.connection)

    async def test_lost_while_sending(self, linked):
        """A connection that breaks under a send fails it at once."""
        async with linked() as ends:
            ends.link.pause()
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(ends.connection))
                await asyncio.sleep(0.005)
                ends.link.reset()


class TestTls:
    """What rests on the transport below holds on an encrypted one as well."""

    async def test_slow_reader(self, linked, authority, until):
        """A consumer that does not read blocks the upstream, and misses nothing afterwards."""
        async with linked(authority=authority) as ends:
            ends.connection.begin()
            sent = [event(number, pad="x" * 1000) for number in range(40_000)]
            ends.link.write(*(frame(TEXT, message) for message in sent))
            await until(lambda: "paused" in repr(ends.connection))
            waiting = -1
            while waiting != ends.link.unsent:
                waiting = ends.link.unsent
                await asyncio.sleep(0.01)
            # uvloop does not tell what waits below its TLS; then the queue alone is the proof.
            assert ends.link.unsent > 16 * 1024 * 1024 or "uvloop" in str(
                asyncio.get_running_loop()
            )
            assert queued(ends.connection) < 2 * 1024 * 1024
            assert sent == await receive(ends.connection, len(sent))

    async def test_large_frames(self, linked, authority):
        """Large frames go both ways."""
        message = b"x" * 15 * 1024 * 1024
        async with linked(authority=authority) as ends:
            ends.connection.begin()
            ends.link.write(frame(TEXT, message))
            assert [message] == await receive(ends.connection, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(ends.connection.send(message))
                await ends.link._reader.readexactly(14 + len(message))

    @pytest.mark.looptime
    async def test_send_deadline(self, linked, authority):
        """An upstream that never reads fails the send, and is disconnected."""
        async with linked(Heartbeat(interval=3600, send_timeout=30), authority) as ends:
            ends.link.pause()
            with pytest.raises(UpstreamTimeout):
                await ends.connection.send(b"x" * 32 * 1024 * 1024)
            ends.connection.close()
            await asyncio.sleep(2.5)
            assert "lingering" not in repr(ends.connection)

    async def test_close(self, linked, authority):
        """The close handshake is whole from either side."""
        async with linked(authority=authority) as ends:
            ends.connection.close()
            assert await ends.link.close_code() == 1000
            ends.link.write(close_frame(1000))
            assert await ends.link.ended()
        async with linked(authority=authority) as ends:
            ends.link.write(close_frame(1001))
            assert await ends.link.close_code() == 1000
            assert await ends.link.ended()
            assert ends.closed == [ends.connection]

    @pytest.mark.parametrize("ending", ["hang_up", "reset"])
    async def test_breaks_off(self, linked, authority, until, ending):
        """A socket that ends without a close frame ends the connection at once."""
        async with linked(authority=authority) as ends:
            getattr(ends.link, ending)()
            await until(lambda: ends.connection.is_closed)
