"""Server-sent events: one grammar, however the stream is cut."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.sse import Decoder, encode

events = st.lists(
    st.tuples(
        st.from_regex(r"[a-z._]{1,20}", fullmatch=True),
        st.binary(min_size=1, max_size=40).filter(lambda d: not set(d) & {10, 13}),
    ),
    max_size=5,
)


@given(events, st.lists(st.integers(0, 400), max_size=8))
def test_a_stream_cut_anywhere_gives_the_same_events(
    events: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    """Whole, byte by byte, and split at any places."""
    stream = b"".join(encode(name, body) for name, body in events)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(places)]
    singles = [bytes([byte]) for byte in stream]
    for chunks in ([stream], pieces, singles):
        decoder = Decoder()
        assert events == [event for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"data:a\r\n\r\n", [("", b"a")]),
        (b"event: x\rdata: a\r\r:\n", [("x", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b": comment\n\ndata: a\n\n", [("", b"a")]),
        (b"event: x\n\ndata: a\n\n", [("", b"a")]),
        (b"id: 1\nretry: 5\ndata: a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),
        (b"data\n\n", [("", b"")]),
        (b"data: a\n", []),
    ],
)
def test_the_grammar(stream: bytes, expected: list[tuple[str, bytes]]) -> None:
    """Fields, comments, line ends and a torn tail as the HTML standard reads them."""
    assert expected == Decoder().feed(stream)
    decoder = Decoder()
    assert expected == [event for byte in stream for event in decoder.feed(bytes([byte]))]


def test_a_long_line_in_small_pieces_costs_what_it_weighs() -> None:
    """Eight megabytes, half a kilobyte each time, are not searched anew with each piece."""
    decoder, piece = Decoder(), b"a" * 512
    began = time.process_time()
    for _ in range(16 * 1024):
        assert [] == decoder.feed(piece)
    assert time.process_time() - began < 1


def test_a_line_break_in_the_text_is_kept() -> None:
    """Pretty-printed JSON travels as several data lines."""
    assert [("x", b"{\n}")] == Decoder().feed(encode("x", b"{\r\n}"))


def test_an_endless_event_is_refused() -> None:
    """Memory is bounded, in one line and in many."""
    for stream in (b"data: " + b"a" * 200, b"data: aaaaaaaaa\n" * 20, b"data:\n" * 200):
        with pytest.raises(ValueError, match="100 bytes"):
            Decoder(limit=100).feed(stream)
