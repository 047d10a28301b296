"""Each turn that ended has its row, whatever callers and upstreams wrote; few keep their bodies."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import (
    Overloaded,
    UnknownModel,
    Unsayable,
    UpstreamDisconnected,
    UpstreamRejected,
)
from longwire.core.nouns.access import Grant
from longwire.core.nouns.turn_row import ID_BITS, TurnAttempt, TurnBodies, TurnDetails, TurnRow
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.routing import IN_SESSION
from longwire.core.rules.turn import Principal, Scope
from longwire.dialects.responses.request import decode_compaction, decode_request
from longwire.relay.records.accounting import Accounting
from longwire.relay.records.journal import TurnIds
from longwire.relay.records.metrics import Gauges, Metrics
from longwire.relay.records.pricing import Prices
from longwire.relay.records.turn_record import TurnRecorder
from longwire.server.problems import problem_of
from longwire.upstream.ports import Delivery
from tests.core.turns import turn, user
from tests.doubles.recording import recorded
from tests.doubles.scripted import COMPLETED, CREATED, DELTA
from tests.relay.records.test_accounting import received
from tests.relay.turns.failures import channel
from tests.store.turn_rows import NOON

GRANT = Grant(key_id="key_1", project_id="prj_1")
CALLER = Principal("dev", Scope("api_key:key_1"), GRANT)
TURN = turn(user("a secret question"), model="gpt-5")
FACTS = Delivery("websocket", "continued", None, 100, 0.25, connection=7)


class Book:
    """A journal on paper."""

    def __init__(self):
        self.rows = []
        self.bodies = []
        self.details = []

    def write(self, row, *beside):
        self.rows.append(row)
        self.bodies += [each for each in beside if isinstance(each, TurnBodies)]
        self.details += [each for each in beside if isinstance(each, TurnDetails)]


def explain(error):
    """What the server answers."""
    problem = problem_of(error)
    return problem.status, problem.code, problem.message


def book_of(*journals):
    """An accounting in which each look at the clock takes a second, and what it keeps."""
    book, ticks = Book(), iter(range(1000))
    ids, prices = TurnIds(lambda: NOON), Prices(lambda: NOON)
    recorder = TurnRecorder((book, *journals), ids, prices, explain, "lw-0")
    metrics = Metrics(Gauges(list, list))
    return Accounting(metrics, lambda: float(next(ticks)), recorder.keep), book


def test_what_failed_attempts_sent_counts_as_sent():
    """An attempt that was refused, or broke off, has sent the request all the same."""
    accounting, book = book_of()
    refused, main = UpstreamRejected(404, b"{}"), channel("main")
    refused.bytes_sent = 1_000
    with recorded(accounting, TURN, CALLER) as record:
        record.attempt(main, "http")
        record.fail(Trouble.REFUSED, refused, 0.0, is_replayed=True)
        record.attempt(main, "websocket")
        record.delivery = FACTS
        record.fail(Trouble.LOST, UpstreamDisconnected("m"), 0.0, is_replayed=True)
        record.attempt(main, "websocket")
        record.begin(FACTS, received(CREATED, COMPLETED), record.request.started + 0.5)
    assert 1_200 == book.rows[0].bytes_sent


def test_a_turn_that_went_well():
    """All that is known of it, in ms, bytes and billionths of a dollar."""
    accounting, book = book_of()
    with recorded(accounting, TURN, CALLER, session="agent-1", id="req_1") as record:
        record.channel, record.channel_id, record.way = "main", "ch_1", IN_SESSION
        record.account_id = "acc_1"
        record.fail(Trouble.LOST, UpstreamDisconnected("m"), 0.0, is_replayed=True)
        record.begin(FACTS, received(CREATED, COMPLETED), record.request.started + 0.5)
    (row,) = book.rows
    assert row.id >> ID_BITS == NOON
    assert row == TurnRow(
        id=row.id,
        request_id="req_1",
        project_id="prj_1",
        key_id="key_1",
        key_name="dev",
        session="agent-1",
        channel_id="ch_1",
        channel_name="main",
        api="responses",
        transport="websocket",
        continuity="continued",
        reason="",
        connection=7,
        model_asked="gpt-5",
        model_served="",
        streams=False,
        outcome="completed",
        status=200,
        error_code="",
        attempts=2,
        started_at=NOON - 1_000,
        queue_ms=250,
        first_event_ms=500,
        total_ms=1_000,
        bytes_received=TURN.source.body_size,
        bytes_sent=100,
        input_tokens=7,
        cached_tokens=3,
        output_tokens=5,
        reasoning_tokens=2,
        cost=4 * 1_250 + 3 * 125 + 5 * 10_000,
        is_estimated=False,
        dropped="",
        upstream_api="responses",
        node="lw-0",
        account_id="acc_1",
        changed="",
        response_id="resp_1",
        trace="agent-1",
    )
    assert ([], 2) == (book.bodies, len(book.details[0].attempts))


@pytest.mark.parametrize(
    ("error", "outcome", "status", "code"),
    [
        (asyncio.CancelledError(), "abandoned", 499, ""),
        (GeneratorExit(), "abandoned", 499, ""),
        (UnknownModel("m", "r"), "refused", 404, "model_not_found"),
        (Overloaded("m", 1), "overloaded", 503, "overloaded"),
        (UpstreamDisconnected("m"), "upstream_error", 502, "upstream_disconnected"),
        (UpstreamRejected(429, b"{}", {}, "rate_limit"), "upstream_error", 429, "rate_limit"),
        (ZeroDivisionError("a secret"), "internal_error", 500, "internal_error"),
    ],
)
def test_a_turn_that_never_began(error, outcome, status, code):
    """The row says what the client was answered; figures that nobody told are unknown, not 0."""
    accounting, book = book_of()
    with pytest.raises(type(error)), recorded(accounting, TURN, CALLER):
        raise error
    (row,) = book.rows
    assert (outcome, status, code, 0) == (row.outcome, row.status, row.error_code, row.attempts)
    unknown = (row.connection, row.first_event_ms, row.input_tokens, row.output_tokens, row.cost)
    assert (None,) * 5 == unknown
    unspoken = (row.transport, row.continuity, row.model_served, row.upstream_api)
    assert ("",) * 4 == unspoken
    assert "secret" not in str(row)


def test_what_a_channel_cannot_say_was_said_in_no_api():
    """What another attempt was said in, and left out, is not the last one's."""
    accounting, book = book_of()
    error = Unsayable("m")
    with suppress(Unsayable), recorded(accounting, TURN, CALLER) as record:
        record.attempt(channel("a", "http"), "http")
        record.way, record.dropped = IN_SESSION, ("seed",)
        record.attempt(channel("b", "http"), "http")
        raise error
    (row,) = book.rows
    assert ("b", "", "") == (row.channel_name, row.upstream_api, row.dropped)


def test_a_stream_that_broke_off_had_begun_well():
    """Its client saw 200 and then the failure; one that waited for the whole saw the failure."""
    for streams, status in ((True, 200), (False, 502)):
        accounting, book = book_of()
        asked = turn(user("hi"), stream=streams)
        with suppress(UpstreamDisconnected), recorded(accounting, asked, CALLER) as record:
            record.channel = "main"
            record.begin(FACTS, received(CREATED), 0.5)
            raise UpstreamDisconnected("m")
        (row,) = book.rows
        assert (status, "upstream_disconnected", 1) == (row.status, row.error_code, row.attempts)


@pytest.mark.parametrize("error", [None, {"code": None}, {"code": "server_error"}])
def test_a_response_that_failed_has_its_code(error):
    """The upstream's own, or else that it failed, also where the client left at last."""
    code = (error or {}).get("code")
    told = b'{"code":"%b"}' % code.encode() if code else b"null"
    terminal = (
        b'{"type":"response.failed","response":{"id":"resp_1","model":"gpt-5-x","error":%b}}' % told
    )
    accounting, book = book_of()
    with suppress(asyncio.CancelledError), recorded(accounting, TURN, CALLER) as record:
        record.begin(FACTS, received(CREATED, DELTA, terminal), 0.5)
        raise asyncio.CancelledError
    (row,) = book.rows
    assert ("failed", 200, code or "failed") == (row.outcome, row.status, row.error_code)
    assert "gpt-5-x" == row.model_served


def test_what_was_dropped_is_kept():
    """The row names what was left out of a request, as far as its column reaches."""
    accounting, book = book_of()
    for names in (("seed", "prediction"), ("n" * 200,) * 2):
        chat = replace(TURN, source=replace(TURN.source, api="chat_completions"))
        with recorded(accounting, chat, CALLER) as record:
            record.dropped = names
    short, long = book.rows
    assert ("chat_completions", "seed, prediction") == (short.api, short.dropped)
    assert f"{'n' * 200}, {'n' * 54}" == long.dropped


def test_a_compaction_is_told_from_a_turn():
    """The row names the API, so that sums over turns can leave it out."""
    accounting, book = book_of()
    with recorded(accounting, decode_compaction(b'{"model":"m"}'), CALLER):
        pass
    assert [row.api for row in book.rows] == ["responses/compact"]


KEEPS = Principal("dev", Scope("api_key:key_1"), Grant("key_1", "prj_1", keeps_bodies=True))
BODY = b'{"model":"gpt-5","stream":true,"input":"hi","previous_response_id":"resp_0","x":[1]}'


def test_bodies_of_keys_that_keep_them():
    """The request says what the client said, the response what the client got."""
    accounting, book = book_of()
    asked = decode_request(BODY)
    with recorded(accounting, asked, KEEPS) as record:
        record.begin(FACTS, received(CREATED, COMPLETED), 0.5)
    (row,), (kept,), (details,) = book.rows, book.bodies, book.details
    assert (row.id, row.id) == (kept.id, details.id)
    assert decode_request(kept.request).members == asked.members
    assert (b'"hi"', "resp_0", True) == (
        (again := decode_request(kept.request)).input,
        again.previous_response_id,
        again.streams,
    )
    assert kept.response.startswith(b'{"id":')
    assert b'"type":"response.completed"' not in kept.response


@pytest.mark.parametrize("frames", [(), (CREATED,), (CREATED, b'{"type":"response.failed"}')])
def test_a_response_without_its_end_is_kept_as_far_as_it_came(frames):
    """A turn that broke off keeps its request all the same, and an odd terminal spoils nothing."""
    accounting, book = book_of()
    with recorded(accounting, TURN, KEEPS) as record:
        record.begin(FACTS, received(*frames), 0.5)
    (kept,) = book.bodies
    assert b"a secret question" in kept.request
    assert kept.response == (frames[-1] if len(frames) > 1 else b"")


def test_every_journal_is_told():
    """The log and the live feed have the same row."""
    other = Book()
    accounting, book = book_of(other)
    with recorded(accounting, TURN, CALLER):
        pass
    assert book.rows == other.rows != []


def test_each_attempt_is_told():
    """Whom it asked, what struck it and when; the one that answered ended as its turn did."""
    accounting, book = book_of()
    told = b'{"error":{"message":"no key like sk-planted-secret here","code":"invalid_api_key"}}'
    with recorded(accounting, TURN, CALLER) as record:
        record.channel, record.channel_id, record.transport = "one", "ch_1", "websocket"
        record.fail(
            Trouble.LOST,
            UpstreamDisconnected("gone"),
            record.request.started + 0.25,
            is_replayed=True,
        )
        record.channel, record.channel_id, record.transport = "two", "ch_2", "http"
        rejected = UpstreamRejected(401, told, {}, "invalid_api_key")
        record.fail(Trouble.UNAUTHORIZED, rejected, record.request.started + 0.5, is_replayed=True)
        record.begin(FACTS, received(CREATED, COMPLETED), record.request.started + 0.75)
    (row,), (details,) = book.rows, book.details
    assert (3, row.id, "") == (row.attempts, details.id, details.message)
    concealed = "no key like *** here"
    assert details.attempts == (
        TurnAttempt("ch_1", "one", "websocket", "lost", 502, "upstream_disconnected", "gone", 250),
        TurnAttempt("ch_2", "two", "http", "unauthorized", 401, "invalid_api_key", concealed, 500),
        TurnAttempt("ch_2", "two", "websocket", "", 200, "", "", 1_000),
    )


def test_the_attempt_that_ends_a_turn_is_told_once():
    """What the last one failed by is the turn's end, not one more attempt."""
    accounting, book = book_of()
    with suppress(UpstreamDisconnected), recorded(accounting, TURN, CALLER) as record:
        record.channel = "one"
        error = UpstreamDisconnected("gone")
        record.fail(Trouble.LOST, error, record.request.started + 0.25, is_replayed=False)
        raise error
    (details,) = book.details
    assert [("lost", "gone")] == [(each.trouble, each.message) for each in details.attempts]
    assert ("gone", 1) == (details.message, book.rows[0].attempts)


def test_a_refused_turn_has_its_message_and_no_attempt():
    """Nobody was asked, and why stands in the words that the client got."""
    accounting, book = book_of()
    with suppress(UnknownModel), recorded(accounting, TURN, CALLER):
        raise UnknownModel("gpt-9", "no channel has it")
    (details,) = book.details
    assert () == details.attempts
    assert "gpt-9" in details.message


def test_a_failed_response_is_told_in_the_upstreams_words():
    """The error of its terminal is the turn's."""
    failed = b'{"type":"response.failed","response":{"error":{"code":"c","message":"so it is"}}}'
    accounting, book = book_of()
    with recorded(accounting, TURN, CALLER) as record:
        record.channel = "one"
        record.begin(FACTS, received(CREATED, failed), 0.5)
    (details,) = book.details
    assert "so it is" == details.message
    assert [("", "c", "so it is")] == [(e.trouble, e.code, e.message) for e in details.attempts]


def test_headers_say_who_asked_and_no_secret():
    """Those of a fixed list, cut short; no other one is anywhere in the details."""
    given = {"authorization": "Bearer lw_planted", "cookie": "planted", "user-agent": "a" * 300}
    given |= {"originator": "codex_cli_rs", "session-id": "s\0", "x-codex-other": "planted"}
    accounting, book = book_of()
    with suppress(Overloaded), recorded(accounting, TURN, CALLER, headers=given):
        raise Overloaded("m", 1)
    (details,) = book.details
    told = {"user-agent": "a" * 256, "originator": "codex_cli_rs"}
    assert details.headers == {**told, "session-id": "s\N{REPLACEMENT CHARACTER}"}


def test_details_are_bounded():
    """Of a turn that was tried very often, the last attempts are told; messages are cut."""
    accounting, book = book_of()
    with suppress(Overloaded), recorded(accounting, TURN, CALLER) as record:
        record.channel = "main"
        for _ in range(500):
            record.fail(Trouble.BUSY, Overloaded("m" * 5_000, 1), 0.0, is_replayed=True)
        raise Overloaded("last", 1)
    (details,) = book.details
    assert (50, "last") == (len(details.attempts), details.attempts[-1].message)
    assert 512 == len(details.attempts[0].message)


TEXT = st.text(st.characters(codec=None), max_size=600)


@given(model=TEXT, session=TEXT, name=TEXT, request=TEXT)
def test_whatever_was_written_can_be_stored(model, session, name, request):
    """No text is longer than its column, has a NUL or half a character."""
    accounting, book = book_of()
    caller = Principal(name, CALLER.scope, GRANT)
    asked = replace(TURN, model=model)
    with recorded(accounting, asked, caller, session=session, id=request):
        pass
    (row,) = book.rows
    for text in (row.model_asked, row.session, row.key_name, row.request_id):
        assert "\0" not in text
        assert text == text.encode().decode()
        assert len(text) <= 256
    assert len(row.request_id) <= 128
    plain = session[:256].replace("\0", "")
    assert not plain.isascii() or plain == row.session.replace("\N{REPLACEMENT CHARACTER}", "")
