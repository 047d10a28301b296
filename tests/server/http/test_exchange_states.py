"""Each side of an exchange: its states, and what leads from one to the next."""

from contextlib import nullcontext

import pytest

from longwire.core.errors import BodyTooLarge
from longwire.server.http.exchange import ReplyState, RequestState
from tests.server.http.played import played

# `write` waits while the client does not keep up, as it does not in the state `ending`.
REPLIES = """
state     | begin   write     end     drained   cut     client_left refused
not_begun | begun   -         -       not_begun aborted aborted     aborted
begun     | -       streaming ended   begun     aborted aborted     -
streaming | -       streaming ended   streaming aborted aborted     -
ending    | -       ending    -       ended     aborted aborted     -
ended     | -       -         -       ended     ended   ended       -
aborted   | aborted aborted   aborted aborted   aborted aborted     -
"""
REQUESTS = """
state     | body      received  overflowed ended
expecting | receiving receiving too_large  complete
receiving | receiving receiving too_large  complete
complete  | complete  -         -          -
too_large | too_large too_large too_large  too_large
"""


def cells(table):
    """Each state and happening with the next state; "-" where it is a bug."""
    (_, *happenings), *rows = (line.replace("|", " ").split() for line in table.split("\n")[1:-1])
    for state, *following in rows:
        for happening, after in zip(happenings, following, strict=True):
            yield pytest.param(state, happening, after, id=f"{state}-{happening}")


@pytest.mark.parametrize(("state", "happening", "after"), [*cells(REPLIES)])
async def test_every_happening_to_a_reply(state, happening, after):
    """In every state each leads where the table says, or is a bug; only `write` and `end` write."""
    async with played(state) as it:
        assert ReplyState(state) is it.exchange.reply
        before = it.socket.sent
        with pytest.raises(KeyError) if after == "-" else nullcontext():
            it.happen(happening)
        assert ReplyState(state if after == "-" else after) is it.exchange.reply
        sent = it.socket.sent.removeprefix(before)
        assert (state == "begun" and happening in {"write", "end"}) == sent.startswith(b"HTTP/1.1 ")
        assert (after == "ended" != state) == sent.endswith(b"4\r\ntext\r\n0\r\n\r\n")
        assert (after == "streaming" and happening == "write") == sent.endswith(b"4\r\ntext\r\n")


@pytest.mark.parametrize(("state", "happening", "after"), [*cells(REQUESTS)])
async def test_every_happening_to_a_request(state, happening, after):
    """In every state each leads where the table says, or is a bug; who waits may send."""
    async with played(state) as it:
        assert RequestState(state) is it.exchange.request
        refused = state == "too_large" and happening == "body"
        error = KeyError if after == "-" else BodyTooLarge if refused else None
        with pytest.raises(error) if error else nullcontext():
            it.happen(happening)
        assert RequestState(state if after == "-" else after) is it.exchange.request
        asks = state == "expecting" and happening == "body"
        assert (b"HTTP/1.1 100 Continue\r\n\r\n" if asks else b"") == it.socket.sent


@pytest.mark.parametrize("state", [state.value for state in ReplyState])
async def test_leaving_cancels_a_turn_whose_reply_is_not_at_its_end(state):
    """Before the end nobody is left to serve; after it what was served is to be noted."""
    async with played(state) as it:
        it.connection.connection_lost(None)
        assert (state in {"not_begun", "begun", "streaming"}) == bool(it.turn.cancelling())


@pytest.mark.parametrize(
    ("state", "version", "fate"),
    [
        ("not_begun", "1.1", "closed"),
        ("begun", "1.1", "closed"),
        ("streaming", "1.1", "closed"),
        ("ending", "1.1", "closed"),
        ("ended", "1.1", "closed"),
        ("not_begun", "1.0", "closed"),
        ("streaming", "1.0", "aborted"),
    ],
)
async def test_a_cut_never_looks_whole(state, version, fate):
    """Chunks without the last one say so by themselves; else the connection is reset."""
    async with played(state, version) as it:
        it.exchange.cut()
        assert fate == it.socket.fate


@pytest.mark.parametrize("state", [state.value for state in ReplyState])
async def test_what_follows_a_reply_closes_or_waits(state):
    """Until the reply begins, a request that is none is refused; then nothing comes between."""
    async with played(state) as it:
        sent = it.socket.sent
        it.connection.send_400_response("no")
        refused = it.socket.sent.removeprefix(sent).startswith(b"HTTP/1.1 400 ")
        assert (state in {"not_begun", "ended", "aborted"}) == refused


async def test_one_line_tells_the_state():
    """Both sides, how much came, and whether the connection stays."""
    async with played("expecting") as it:
        states = "request=expecting size=0 reply=not_begun keep-alive"
        assert f"<HttpExchange /v1/responses {states}>" == repr(it.exchange)
        it.happen("received", "begin", "write")
        it.exchange.close_afterwards()
        states = "request=receiving size=4 reply=streaming close"
        assert f"<HttpExchange /v1/responses {states}>" == repr(it.exchange)
