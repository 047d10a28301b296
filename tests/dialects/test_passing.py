"""What passing on has in common: blocks of a stream, and their data."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.events import Kind
from longwire.core.rules.turn import Usage
from longwire.dialects.passing import Blocks, Ending, counted_of, payload_of, terminal_of
from longwire.dialects.responses.usage import decode_bill

LINES = ["data: a", "data:b", "event: c", ": ping", "id: 1", "data", ""]
BREAKS = ["\n", "\r\n", "\r"]


@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(BREAKS))),
    st.lists(st.integers(0, 60)),
)
def test_blocks_are_the_bytes_that_came(lines, cuts):
    """However a stream is cut, and whatever ends its lines, its blocks are its bytes."""
    stream = "".join(map("".join, lines)).encode()
    blocks, pieces, at = Blocks(), [], 0
    for cut in (*sorted(cuts), len(stream)):
        pieces += blocks.feed(stream[at:cut])
        at = max(at, min(cut, len(stream)))
    assert stream == b"".join([*pieces, blocks.rest()])
    assert all(piece.endswith((b"\n\n", b"\r\n", b"\r", b"\n\r")) for piece in pieces)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_every_blank_line_ends_a_block(end, size):
    """Events come one by one, whatever their lines end with."""
    stream = b": ping" + end + b"data: 1" + end + b"data: 2" + end
    blocks = Blocks()
    found = [
        block for at in range(0, len(stream), size) for block in blocks.feed(stream[at : at + size])
    ]
    said = [data for block in found if (data := payload_of(block))]
    rest = payload_of(blocks.rest())
    assert [b"1", b"2"] == [*said, *([rest] if rest else [])]


def test_a_block_too_large_is_refused(monkeypatch):
    """Memory has bounds, whatever an upstream sends without a blank line."""
    monkeypatch.setattr("longwire.dialects.passing.LARGEST", 10)
    blocks = Blocks()
    blocks.feed(b"data: 1")
    with pytest.raises(ValueError, match="passes 10 bytes"):
        blocks.feed(b"23456")


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (b"data: 1\n\n", b"1"),
        (b"event: x\ndata:1\n\n", b"1"),
        (b"\xef\xbb\xbfdata: 1\n\n", b"1"),
        (b"data: 1\r\ndata: 2\r\n\r\n", b"1\n2"),
        (b": OPENROUTER PROCESSING\n\n", b""),
        (b"\n", b""),
    ],
)
def test_the_data_of_a_block(block, data):
    """The lines of an event's data, and nothing else of it."""
    assert data == payload_of(block)


def test_a_terminal_is_billed_as_the_responses_api_counts():
    """What the turn log reads of a passed answer is the form it knows."""
    usage = b'{"input_tokens":9,"input_tokens_details":{"cached_tokens":6},"output_tokens":2}'
    terminal = terminal_of(Ending("msg_1", 'm"', "length", usage), b"wire")
    bill, said = decode_bill(terminal), json.loads(terminal.raw)["response"]
    assert (Kind.INCOMPLETE, b"wire", "msg_1") == (
        terminal.kind,
        terminal.wire,
        terminal.response_id,
    )
    assert ('m"', Usage(9, 6, 2)) == (bill.model, bill.usage)
    assert {"reason": "max_output_tokens"} == said["incomplete_details"]
    assert ("incomplete", "completed") == (said["status"], _status(Ending("msg_1", "m")))
    assert None is decode_bill(terminal_of(Ending("msg_1", "m"), b"")).usage
    assert b'"input_tokens":7' in counted_of(7, b"").raw


def _status(ending: Ending) -> str:
    return json.loads(terminal_of(ending, b"").raw)["response"]["status"]
