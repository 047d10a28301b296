"""Each turn is booked once, however it ends: a line in the log, and the same in the metrics."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from longwire.core.errors import (
    ClientGone,
    InvalidRequest,
    Overloaded,
    UnknownModel,
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamTimeout,
)
from longwire.core.events import Kind
from longwire.core.rules.exchange import Exchange
from longwire.core.rules.recovery import RECOVERY_RULES, Trouble
from longwire.core.rules.routing import Manner, Way
from longwire.core.rules.turn import Principal, Purpose, Scope, Usage
from longwire.relay.records.accounting import Accounting
from longwire.relay.records.metrics import Gauges, Metrics
from longwire.upstream.event_reader import EventReader
from longwire.upstream.ports import Delivery
from tests.core.turns import turn, user
from tests.doubles.recording import recorded
from tests.doubles.scripted import COMPLETED, CREATED, DELTA
from tests.relay.records.test_metrics import samples

CALLER = Principal("dev", Scope("api_key:file:dev"))
TURN = turn(user("a secret question"), model="gpt-5.5")
TURN_LABELS = ("channel", "transport", "continuity", "reason", "outcome")
FACTS = Delivery("websocket", "fresh", "new_session", 100, 0.25)


@pytest.fixture
def metrics():
    """Metrics that nobody else counts in."""
    return Metrics(Gauges(list, list))


@pytest.fixture
def accounting(metrics):
    """Books of a world in which each look at the clock takes a second."""
    ticks = iter(range(1000))
    return Accounting(metrics, clock=lambda: float(next(ticks)))


def counted(metrics, name, *labels):
    """The values of a metric by these of its labels, which are all it has."""
    found = [(given, value) for found, given, value in samples(metrics) if found == name]
    assert all(given.keys() == set(labels) for given, _ in found)
    return {tuple(given[label] for label in labels): value for given, value in found}


def received(*frames):
    """What was seen of a response."""
    event_reader = EventReader(Exchange(is_alone=True))
    event_reader.exchange.step(Kind.SENT)
    for frame in frames:
        event_reader.read(frame)
    return event_reader.aggregate


def test_a_turn_that_went_well(accounting, metrics):
    """All facts are told, in milliseconds and bytes, and none of what was said."""
    with capture_logs() as lines, recorded(accounting, TURN, CALLER) as record:
        record.channel = "main"
        record.begin(FACTS, received(CREATED, COMPLETED), record.request.started + 0.5)
    (line,) = lines
    assert {
        "event": "turn",
        "log_level": "info",
        "caller": "dev",
        "channel": "main",
        "api": "responses",
        "model": "gpt-5.5",
        "outcome": "completed",
        "received": TURN.source.body_size,
        "ms": 1000,
        "transport": "websocket",
        "continuity": "fresh",
        "reason": "new_session",
        "sent": 100,
        "queued_ms": 250,
        "first_event_ms": 500,
        "input_tokens": 7,
        "cached_tokens": 3,
        "output_tokens": 5,
        "reasoning_tokens": 2,
    } == line
    assert {("main", "websocket", "fresh", "new_session", "completed"): 1} == counted(
        metrics, "longwire_turns_total", *TURN_LABELS
    )
    assert {(): TURN.source.body_size} == counted(metrics, "longwire_request_bytes_total")
    assert {(): 100} == counted(metrics, "longwire_upstream_bytes_total")
    assert {("main",): 1} == counted(metrics, "longwire_turn_seconds_sum", "channel")
    assert {("main",): 0.5} == counted(metrics, "longwire_first_event_seconds_sum", "channel")
    assert {(): 0.25} == counted(metrics, "longwire_queue_seconds_sum")
    assert {
        ("main", "input"): 7,
        ("main", "cached"): 3,
        ("main", "output"): 5,
        ("main", "reasoning"): 2,
    } == counted(metrics, "longwire_tokens_total", "channel", "kind")


def test_an_account_is_named(accounting):
    """The line says with whose subscription a turn was served."""
    with capture_logs() as lines, recorded(accounting, TURN, CALLER) as record:
        record.account_id = "acc_1"
    assert "acc_1" == lines[0]["account"]


def test_members_without_an_equivalent_are_named(accounting):
    """The line of a turn in another API says which one, and what was left out of its request."""
    chat = replace(TURN, source=replace(TURN.source, api="chat_completions"))
    with capture_logs() as lines, recorded(accounting, chat, CALLER) as record:
        record.dropped, record.way = ("seed", "prediction"), Way("messages", Manner.TRANSLATED)
    line = lines[0]
    assert ("chat_completions", "messages") == (line["api"], line["upstream_api"])
    assert "seed, prediction" == line["dropped"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (asyncio.CancelledError(), "abandoned"),
        (GeneratorExit(), "abandoned"),
        (InvalidRequest("m"), "refused"),
        (UnknownModel("m", "r"), "refused"),
        (Overloaded("m", 1), "overloaded"),
        (UpstreamDisconnected("m"), "upstream_error"),
        (ZeroDivisionError("a secret"), "internal_error"),
    ],
)
def test_every_end_is_booked_once(accounting, metrics, error, outcome):
    """A turn that never began has no transport, no tokens and no time of a first event."""
    with (
        capture_logs() as lines,
        pytest.raises(type(error)),
        recorded(accounting, TURN, CALLER),
    ):
        raise error
    (line,) = lines
    assert (line["outcome"], line["channel"]) == (outcome, "")
    assert "upstream_api" not in line
    assert line.keys().isdisjoint({"transport", "sent", "first_event_ms", "input_tokens"})
    assert {("", "", "", "", outcome): 1} == counted(metrics, "longwire_turns_total", *TURN_LABELS)
    assert "secret" not in str(lines) + metrics.render().decode()


@pytest.mark.parametrize("end", ["completed", "incomplete", "failed", "cancelled"])
def test_the_terminal_says_how_it_ended(accounting, end):
    """Whatever happened to the client afterwards."""
    terminal = b'{"type":"response.%b","response":{"id":"resp_1"}}' % end.encode()
    with (
        capture_logs() as lines,
        suppress(asyncio.CancelledError),
        recorded(accounting, TURN, CALLER) as record,
    ):
        record.begin(FACTS, received(CREATED, terminal), 0.0)
        raise asyncio.CancelledError
    assert [end] == [line["outcome"] for line in lines]
    assert (end != "failed") == lines[0].get("is_estimated", False) == ("input_tokens" in lines[0])


@pytest.mark.parametrize("usage", [b"null", b"{}", b"[]", b'{"input_tokens":"many"}', b"-1"])
def test_odd_usage_spoils_nothing(accounting, usage):
    """A bill that nobody can read is no reason to lose the turn's line."""
    odd = b'{"type":"response.completed","response":{"id":"resp_1","usage":%b}}' % usage
    with capture_logs() as lines, recorded(accounting, TURN, CALLER) as record:
        record.begin(FACTS, received(CREATED, odd), 0.0)
    assert ["completed"] == [line["outcome"] for line in lines]


@pytest.mark.parametrize("trouble", Trouble)
def test_what_was_made_good_is_told(accounting, metrics, trouble):
    """Each attempt by its cause; and whether the turn may have been billed twice."""
    with capture_logs() as lines, recorded(accounting, TURN, CALLER) as record:
        record.channel = "first"
        record.fail(trouble, UpstreamDisconnected("m"), 0.0, is_replayed=True)
        record.channel = "second"
        record.begin(FACTS, received(CREATED, COMPLETED), 0.0)
    (line,) = lines
    assert line["replays"] == [trouble.name.lower()]
    assert line["possibly_billed_twice"] == RECOVERY_RULES[trouble].may_bill_twice
    assert {("first", trouble.name.lower()): 1} == counted(
        metrics, "longwire_replays_total", "channel", "cause"
    )


def test_a_model_is_no_place_for_a_novel(accounting, metrics):
    """What a caller calls a model is cut in the log, and no label."""
    named = turn(user("hi"), model="novel " * 1000)
    with capture_logs() as lines, recorded(accounting, named, CALLER):
        pass
    assert len(lines[0]["model"]) == 100
    assert b"novel" not in metrics.render()


def test_what_is_kept_is_told_once_with_its_duration(metrics):
    """Of a turn that went well and of one that failed, when all else of it is known."""
    kept, ticks = [], iter(range(1000))
    accounting = Accounting(
        metrics,
        lambda: float(next(ticks)),
        lambda record, seconds: kept.append((record.outcome, record.error, seconds)),
    )
    failure = Overloaded("m", 1)
    with recorded(accounting, TURN, CALLER, session="s", id="r") as record:
        record.begin(FACTS, received(CREATED, COMPLETED), 0.0)
    assert ("s", "r") == (record.request.session, record.request.id)
    with suppress(Overloaded), recorded(accounting, TURN, CALLER):
        raise failure
    assert [("completed", None, 1.0), ("overloaded", failure, 1.0)] == kept


def test_the_bill_is_read_when_it_has_come(accounting):
    """Whoever asks early learns nothing, and the right figures afterwards."""
    with recorded(accounting, TURN, CALLER) as record:
        assert record.settle().usage is None
        record.begin(FACTS, received(CREATED), 0.0)
        assert record.settle().usage is None
        record.begin(FACTS, received(CREATED, COMPLETED), 0.0)
        assert Usage(7, 3, 5, 2) == record.settle().usage
        assert record.bill is record.bill


def terminal(kind):
    """The last event of a response that says no usage."""
    return b'{"type":"response.%b","response":{"id":"resp_1","usage":null}}' % kind.encode()


LEFT, LOST = asyncio.CancelledError(), UpstreamDisconnected("gone")
REFUSED = UpstreamRejected(400, b"{}")
NO_USAGE = {
    "the client left while it waited": ((), LEFT, True),
    "a WebSocket client could not be written to": ((CREATED,), ClientGone(), True),
    "the client left an answer": ((CREATED, DELTA), LEFT, True),
    "the upstream was lost before it began": ((), LOST, False),
    "the upstream was lost": ((CREATED,), LOST, True),
    "the upstream fell silent": ((CREATED,), UpstreamTimeout("next event", 1.0), True),
    "the upstream refused": ((CREATED,), REFUSED, False),
    "the upstream refused to go on": ((CREATED, DELTA), REFUSED, True),
    "the gateway failed": ((CREATED, DELTA), KeyError("a bug"), True),
    "it completed": ((CREATED, DELTA, terminal("completed")), None, True),
    "it completed without output": ((CREATED, terminal("completed")), None, True),
    "it was incomplete": ((CREATED, terminal("incomplete")), None, True),
    "it was cancelled": ((CREATED, terminal("cancelled")), None, True),
    "it failed": ((CREATED, DELTA, terminal("failed")), None, True),
    "it failed before its output": ((CREATED, terminal("failed")), None, False),
}


@pytest.mark.parametrize(("frames", "error", "counts"), NO_USAGE.values(), ids=NO_USAGE)
def test_what_nobody_counted_is_estimated_where_it_is_billed(accounting, frames, error, counts):
    """The input, and of the output what came: for an upstream that was at work."""
    with (
        capture_logs() as lines,
        suppress(Exception, asyncio.CancelledError),
        recorded(accounting, TURN, CALLER) as record,
    ):
        record.begin(FACTS, received(*frames), 0.0)
        if error is not None:
            raise error
    size = len(TURN.input) // 4
    figures = [lines[0].get(name) for name in ("input_tokens", "output_tokens", "is_estimated")]
    assert ([size, int(DELTA in frames), True] if counts else [None] * 3) == figures


@pytest.mark.parametrize("purpose", Purpose)
def test_what_costs_nothing_is_not_estimated(accounting, purpose):
    """A warm-up and a count bring no answer to bill."""
    with (
        suppress(asyncio.CancelledError),
        recorded(accounting, replace(TURN, purpose=purpose), CALLER) as record,
    ):
        record.begin(FACTS, received(CREATED), 0.0)
        raise LEFT
    assert (purpose in (Purpose.ANSWER, Purpose.COMPACTION)) == record.bill.is_estimated


def test_a_request_that_was_never_sent_costs_nothing(accounting):
    """Its client left while it waited for a connection."""
    with suppress(asyncio.CancelledError), recorded(accounting, TURN, CALLER) as record:
        record.transport = "websocket"
        raise LEFT
    assert record.bill.usage is None
