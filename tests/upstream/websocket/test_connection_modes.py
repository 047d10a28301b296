"""The modes of a connection: every transition of the table, over a real socket."""

import json

import pytest

from longwire.core.rules.continuity import Reason
from tests.doubles.peer import BINARY, TEXT, close_frame, frame

EVENT = json.dumps({"type": "response.output_text.delta"}).encode()
NOTICE = json.dumps({"type": "codex.rate_limits"}).encode()

TRANSITIONS = """
                idle     reading   draining  closed
begin           reading  reading   draining  closed
set_fast_path   idle     reading   draining  closed
drain           idle     draining  draining  closed
finish          idle     idle      idle      closed
notice          idle     reading   draining  closed
message         closed   reading   draining  closed
fragment        closed   reading   draining  closed
close           closed   closed    closed    closed
abort           closed   closed    closed    closed
close_frame     closed   closed    closed    closed
violation       closed   closed    closed    closed
loss            closed   closed    closed    closed
"""
"""What becomes of a connection in each mode, by what happens to it."""

ENTER = {
    "idle": [],
    "reading": ["begin"],
    "draining": ["begin", "drain"],
    "closed": ["close"],
}
HAPPEN = {
    "begin": lambda ends: ends.connection.begin(),
    "set_fast_path": lambda ends: ends.connection.set_fast_path(len),
    "drain": lambda ends: ends.connection.drain(lambda _: None, list),
    "finish": lambda ends: ends.connection.finish(),
    "notice": lambda ends: ends.connection.data_received(frame(TEXT, NOTICE)),
    "message": lambda ends: ends.connection.data_received(frame(TEXT, EVENT)),
    "fragment": lambda ends: ends.connection.data_received(frame(TEXT, EVENT, final=False)),
    "close": lambda ends: ends.connection.close(),
    "abort": lambda ends: ends.connection.abort("no patience"),
    "close_frame": lambda ends: ends.connection.data_received(close_frame(1001)),
    "violation": lambda ends: ends.connection.data_received(frame(BINARY, b"")),
    "loss": lambda ends: ends.link.hang_up(),
}


def rows():
    """Every cell of the table: what happens, in which mode, and the mode that follows."""
    head, *rest = (line.split() for line in TRANSITIONS.strip().splitlines())
    return [
        (happening, before, after)
        for happening, *modes in rest
        for before, after in zip(head, modes, strict=True)
    ]


def mode_of(connection):
    """The mode as the connection says it."""
    return repr(connection).removeprefix("<Connection ").partition(" ")[0]


@pytest.mark.parametrize(("happening", "before", "after"), rows())
async def test_transition(linked, until, happening, before, after):
    """Whatever happens in any mode leads to the mode of the table, and the end is told once."""
    async with linked() as ends:
        for step in ENTER[before]:
            HAPPEN[step](ends)
        assert before == mode_of(ends.connection)
        HAPPEN[happening](ends)
        await until(lambda: after == mode_of(ends.connection))
        assert [ends.connection] * (after == "closed") == ends.closed


def test_the_table_is_whole():
    """Every happening stands in the table."""
    assert list(HAPPEN) == list(dict.fromkeys(happening for happening, _, _ in rows()))


@pytest.mark.parametrize("before", ENTER)
async def test_to_whom_messages_go(linked, before):
    """Reading queues a message, draining gives it to its sink, and otherwise nobody gets it."""
    async with linked() as ends:
        drained = []
        for step in ENTER[before]:
            HAPPEN[step](ends) if step != "drain" else ends.connection.drain(drained.append, list)
        ends.connection.data_received(frame(TEXT, EVENT))
        is_queued = f"queued={len(EVENT)}" in repr(ends.connection)
        assert (before == "reading", [EVENT] * (before == "draining")) == (is_queued, drained)


async def test_drain_begins_with_what_is_queued(linked):
    """What the reader left unread goes to the sink first, in order."""
    async with linked() as ends:
        drained = []
        ends.connection.begin()
        ends.connection.data_received(frame(TEXT, EVENT) + frame(TEXT, NOTICE))
        ends.connection.drain(drained.append, list)
        ends.connection.data_received(frame(TEXT, EVENT))
        assert [EVENT, NOTICE, EVENT] == drained
        assert repr(ends.connection) == "<Connection draining queued=0>"


async def test_what_the_sink_leaves_belongs_to_no_turn(linked):
    """A sink may end the exchange; a message that came with its last one closes the connection."""
    async with linked() as ends:
        ends.connection.begin()
        ends.connection.drain(lambda _: ends.connection.finish(), list)
        ends.connection.data_received(frame(TEXT, EVENT) + frame(TEXT, EVENT))
        assert mode_of(ends.connection) == "closed"
        assert ends.connection.cause is Reason.CONNECTION_LOST


@pytest.mark.parametrize("leave", ["drain", "finish"])
async def test_closed_drops_what_nobody_will_read(linked, leave):
    """What was queued before the end is gone once its reader has left."""
    async with linked() as ends:
        ends.connection.begin()
        ends.connection.data_received(frame(TEXT, EVENT))
        ends.connection.close()
        HAPPEN[leave](ends)
        assert repr(ends.connection).startswith("<Connection closed queued=0 ")


@pytest.mark.parametrize("end", ["close", "abort", "close_frame", "violation", "loss", "finish"])
async def test_who_drains_hears_that_the_connection_ended_first(linked, until, end):
    """Once, and not where the exchange was over before."""
    async with linked() as ends:
        lost = []
        ends.connection.begin()
        ends.connection.drain(lambda _: None, lambda: lost.append(end))
        for happening in (end, "abort"):
            HAPPEN[happening](ends)
        await until(lambda: mode_of(ends.connection) == "closed")
        assert [end] * (end != "finish") == lost
