"""Frames of RFC 6455 in, messages out, however they are cut."""

import random
import struct
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs
from websockets.streams import StreamReader

from longwire.upstream.websocket.frames import (
    LARGEST_MESSAGE,
    CloseCode,
    Frames,
    Goodbye,
    Opcode,
    Violation,
    encode,
)
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

BROKEN, BIG = CloseCode.PROTOCOL_ERROR, CloseCode.MESSAGE_TOO_BIG
TEXTS = st.text(max_size=300) | st.sampled_from((125, 126, 65_535, 65_536)).map("x".__mul__)


def fed(*chunks: bytes) -> tuple[Frames, list[bytes]]:
    """Feed all chunks; return the frames and all messages."""
    frames = Frames()
    return frames, [message for chunk in chunks for message in frames.feed(chunk)]


def cut(sent: bytes, places) -> list[bytes]:
    """Cut bytes at places, which may lie anywhere."""
    edges = [0, *sorted({place % (len(sent) + 1) for place in places}), len(sent)]
    return [sent[begin:end] for begin, end in pairwise(edges)]


@st.composite
def conversations(draw) -> tuple[bytes, list[bytes], list[bytes]]:
    """Frames of some messages, whole or in fragments, with pings and pongs in between."""
    sent, messages, pings = b"", [], []
    for text in draw(st.lists(TEXTS, max_size=6)):
        message = text.encode()
        parts = cut(message, draw(st.lists(st.integers(min_value=0), max_size=3)))
        for number, part in enumerate(parts):
            if draw(st.booleans()):
                pings.append(draw(st.binary(max_size=125)))
                sent += frame(PING, pings[-1]) + frame(PONG)
            opcode = CONTINUATION if number else TEXT
            sent += frame(opcode, part, final=number == len(parts) - 1)
        messages.append(message)
    return sent, messages, pings


class TestMessages:
    @settings(deadline=None)
    @given(conversations(), st.lists(st.integers(min_value=0), max_size=20))
    def test_cut_anywhere(self, conversation, places):
        """The same messages and pings come out, in order, however the network cuts the bytes."""
        sent, messages, pings = conversation
        frames, received = fed(*cut(sent, places))
        assert (messages, pings) == (received, frames.pings)
        assert (None, None) == (frames.violation, frames.goodbye)
        assert not frames.is_joining

    @settings(deadline=None)
    @given(conversations())
    def test_in_one_read(self, conversation):
        """What one read brings comes out of one call."""
        sent, messages, _ = conversation
        assert messages == Frames().feed(sent)

    @pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
    def test_byte_by_byte(self, size):
        """Every spelling of a length is read from single bytes, and leaves nothing behind."""
        sent = frame(TEXT, b"x" * size) + frame(TEXT, b"y")
        head = [sent[at : at + 1] for at in range(20)]
        frames, received = fed(*head, sent[20:])
        assert [b"x" * size, b"y"] == received
        assert (frames._held, frames._lacking) == (b"", 0)

    def test_longer_spelling(self):
        """A length in more bytes than it needs is read as what it says."""
        assert [b"x"] == Frames().feed(struct.pack(">BBH", 0x81, 126, 1) + b"x")
        assert [b"x"] == Frames().feed(struct.pack(">BBQ", 0x81, 127, 1) + b"x")

    @pytest.mark.parametrize("cut_to", [1, 65_536])
    def test_what_is_not_whole(self, cut_to):
        """What is not whole takes its own size, in however many pieces it came, and is let go."""
        sent = frame(TEXT, b"x" * 200_000)
        frames = Frames()
        for at in range(0, len(sent) - 1, cut_to):
            assert [] == frames.feed(sent[at : min(at + cut_to, len(sent) - 1)])
        assert sent[:-1] == frames._held
        assert sys.getsizeof(frames._held) < 1.2 * len(sent)
        assert [b"x" * 200_000] == frames.feed(sent[-1:])
        assert sys.getsizeof(frames._held) < 100

    def test_empty_fragments(self):
        """Fragments without an end that bring nothing take nothing."""
        frames, _ = fed(frame(TEXT, b"", final=False), frame(CONTINUATION, final=False) * 10_000)
        assert sys.getsizeof(frames._fragments) < 100

    @pytest.mark.parametrize("text", ["é€😀", "\x00", ""])
    def test_text_of_all_planes(self, text):
        """UTF-8 comes through, also where a fragment cuts a character (8.1)."""
        message = text.encode()
        parts = [frame(CONTINUATION, message[at : at + 1], final=False) for at in range(1, 20)]
        sent = frame(TEXT, message[:1], final=False) + b"".join(parts) + frame(CONTINUATION)
        assert [message, message] == Frames().feed(frame(TEXT, message) + sent)


class TestControl:
    def test_pings_between_fragments(self):
        """Control frames may stand between the fragments of a message (5.4, 5.5)."""
        frames = Frames()
        sent = frame(TEXT, b"a", final=False) + frame(PING, b"?") + frame(PONG, b"!")
        assert ([], True) == (frames.feed(sent), frames.is_eventful)
        assert ([b"?"], True) == (frames.pings, frames.is_joining)
        assert [b"ab"] == frames.feed(frame(CONTINUATION, b"b"))
        assert not frames.is_joining

    def test_messages_alone_are_no_event(self):
        """Messages and pongs ask for no answer."""
        frames, _ = fed(frame(TEXT, b"{}") + frame(PONG, b"x"))
        assert not frames.is_eventful

    @pytest.mark.parametrize(
        ("payload", "goodbye"),
        [
            (b"", Goodbye(1005, "")),
            (b"\x03\xe8", Goodbye(1000, "")),
            (b"\x03\xf3", Goodbye(1011, "")),
            ((4999).to_bytes(2) + "später".encode(), Goodbye(4999, "später")),
        ],
    )
    def test_goodbye(self, payload, goodbye):
        """A close frame tells code and words; nothing comes after it (5.5.1)."""
        sent = frame(TEXT, b"1") + frame(CLOSE, payload)
        frames, received = fed(sent + frame(TEXT, b"2"), frame(TEXT, b"3"))
        assert ([b"1"], goodbye) == (received, frames.goodbye)
        assert frames.is_eventful


class TestViolations:
    @pytest.mark.parametrize(
        ("sent", "code", "why"),
        [
            (b"\xc1\x00", BROKEN, "reserved bit"),
            (b"\xa1\x00", BROKEN, "reserved bit"),
            (b"\x91\x00", BROKEN, "reserved bit"),
            (b"\xf1", BROKEN, "reserved bit"),
            *((bytes((0x80 | opcode, 0)), BROKEN, f"opcode {opcode}") for opcode in (3, 7, 11, 15)),
            (b"\x81\x80abcd", BROKEN, "masked"),
            (b"\x89\x80abcd", BROKEN, "masked"),
            (b"\x81\xfe", BROKEN, "masked"),
            (b"\x09\x00", BROKEN, "control frame"),
            (b"\x08\x00", BROKEN, "control frame"),
            (b"\x89\x7e", BROKEN, "control frame"),
            (b"\x8a\x7f", BROKEN, "control frame"),
            (frame(CONTINUATION, b"x"), BROKEN, "mixed"),
            (frame(TEXT, b"", final=False) + frame(TEXT, b"x" * 200), BROKEN, "mixed"),
            (frame(TEXT, b"", final=False) + frame(TEXT, b"x", final=False), BROKEN, "mixed"),
            (frame(BINARY, b"x"), CloseCode.UNSUPPORTED_DATA, "binary"),
            (frame(BINARY, b"x", final=False), CloseCode.UNSUPPORTED_DATA, "binary"),
            (frame(TEXT, b"\xff"), CloseCode.INVALID_TEXT, "UTF-8"),
            (frame(TEXT, b"\xff" + b"x" * 200), CloseCode.INVALID_TEXT, "UTF-8"),
            (frame(TEXT, b"\xed\xa0\x80"), CloseCode.INVALID_TEXT, "UTF-8"),
            (struct.pack(">BBQ", 0x81, 127, LARGEST_MESSAGE + 1), BIG, "64 MiB"),
            (struct.pack(">BBQ", 0x81, 127, 1 << 63), BIG, "64 MiB"),
            (b"\x88\x01\x03", BROKEN, "no code"),
            *((close_frame(code), BROKEN, "no code") for code in (0, 999, 1004, 1005, 1006)),
            *((close_frame(code), BROKEN, "no code") for code in (1015, 2999, 5000)),
            (close_frame(1000, b"\xff"), CloseCode.INVALID_TEXT, "UTF-8"),
        ],
    )
    def test_each(self, sent, code, why):
        """What RFC 6455 forbids is told by code and words as soon as it shows, and is the last."""
        for chunks in ([sent], [sent[at : at + 1] for at in range(len(sent))]):
            frames, received = fed(frame(TEXT, b"1"), *chunks, frame(TEXT, b"2"))
            assert [b"1"] == received
            assert frames.violation is not None
            assert code == frames.violation.code
            assert why in frames.violation.why
            assert frames.is_eventful
            assert frames.goodbye is None

    def test_limit_of_fragments(self):
        """A message in fragments is refused by the head of the one that makes it too long."""
        half = b"x" * (LARGEST_MESSAGE // 2)
        frames, _ = fed(frame(TEXT, half, final=False), frame(CONTINUATION, half, final=False))
        assert frames.violation is None
        frames.feed(b"\x80\x01")
        assert Violation(BIG, "the upstream sent a message over 64 MiB") == frames.violation
        assert b"" == frames._fragments

    @settings(deadline=None)
    @given(st.binary(max_size=400), st.lists(st.integers(min_value=0), max_size=8))
    @example(b"\x00\x80", [1])
    def test_any_bytes(self, sent, places):
        """No bytes make it raise, and how they are cut changes nothing."""
        frames, received = fed(*cut(sent, places))
        whole, at_once = fed(sent)
        assert at_once == received
        assert (whole.violation, whole.goodbye) == (frames.violation, frames.goodbye)
        assert whole.pings == frames.pings

    def test_bytes_that_are_nearly_right(self):
        """Nor do the bytes of a conversation with some of them changed."""
        chance = random.Random(11)
        good = frame(TEXT, b"x" * 130) + frame(PING, b"?") + frame(TEXT, b"a", final=False)
        good += frame(CONTINUATION, b"b") + close_frame(1000, b"bye")
        for _ in range(3_000):
            sent = bytearray(good)
            for _ in range(chance.randint(1, 3)):
                sent[chance.randrange(len(sent))] = chance.randrange(256)
            frames, received = fed(*cut(bytes(sent), [chance.randrange(len(sent))]))
            assert all(message.decode() is not None for message in received)
            assert len(frames._held) <= len(sent)


class TestEncoding:
    @settings(deadline=None)
    @given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
    def test_websockets_reads_it(self, payload, mask):
        """Another implementation reads what is sent, masked with the key that was given (5.3)."""
        sent = b"".join(encode(Opcode.TEXT, payload, mask))
        assert mask in sent[:14]
        assert payload == read_by_websockets(sent)

    @pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 1_000_000])
    def test_lengths(self, size):
        """Each length is spelt in as few bytes as it needs (5.2)."""
        head, payload = encode(Opcode.TEXT, b"x" * size, b"\0\0\0\0")
        assert (2 + 2 * (size > 125) + 6 * (size > 65_535) + 4, size) == (len(head), len(payload))
        assert b"x" * size == read_by_websockets(head + payload)


def read_by_websockets(sent: bytes) -> bytes:
    """Read one frame as a server of the websockets library does."""
    reader = StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    with pytest.raises(StopIteration) as end:
        next(Frame.parse(reader.read_exact, mask=True))
    parsed = end.value.value
    assert Theirs.TEXT is parsed.opcode
    return bytes(parsed.data)
