"""Messages of one connection, from a peer that sends what the test says, byte for byte."""

import asyncio
from itertools import takewhile

import pytest

from longwire.core.errors import UpstreamDisconnected
from longwire.upstream.websocket.frames import LARGEST_MESSAGE
from tests.doubles.peer import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
)
from tests.upstream.websocket.connection_steps import (
    QUIET,
    SOON,
    event,
    queued,
    reason_of,
    receive,
)


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

    async def test_nothing_overtakes_what_woke_the_reader(self, linked, until):
        """What comes before a woken reader runs is queued behind what woke it."""
        async with linked() as ends, asyncio.TaskGroup() as group:
            ends.connection.begin()
            ends.connection.set_fast_path(lambda messages: messages[0] == event(2))
            reading = group.create_task(ends.connection.receive(SOON))
            await until(lambda: "awaited" in repr(ends.connection))
            for number in (1, 2):
                ends.connection.data_received(frame(TEXT, event(number)))
            assert [event(1), event(2)] == await reading

    async def test_ends_with_the_exchange(self, linked):
        """What belongs to the next exchange is not passed on by the one before."""
        async with linked() as ends:
            ends.connection.begin()
            ends.connection.set_fast_path(len)
            ends.connection.finish()
            ends.connection.begin()
            ends.link.write(frame(TEXT, event(1)))
            assert await receive(ends.connection, 1) == [event(1)]
