"""The transition table, enumerated: every phase with every happening."""

from itertools import product

import pytest

from longwire.core.errors import ReplaySafety
from longwire.core.events import Event, Kind
from longwire.core.rules import exchange as x
from longwire.core.rules.exchange import TABLE, Exchange, Phase, replay_safety

TERMINALS = {
    Kind.COMPLETED: x.COMPLETED,
    Kind.INCOMPLETE: x.INCOMPLETE,
    Kind.FAILED: x.FAILED,
    Kind.CANCELLED: x.CANCELLED,
}
BREAKS = {
    Kind.ERROR: x.REJECTED,
    Kind.FATAL_ERROR: x.ENDED_BY_FATAL_ERROR,
    Kind.LOST: x.LOST,
    Kind.TIMEOUT: x.TIMED_OUT,
    Kind.CLIENT_GONE: x.ABANDONED,
}
BEGINNINGS = (Kind.OPENING, Kind.OUTPUT, Kind.ITEM)
WORKING = (Phase.AWAITING, Phase.OPENED, Phase.STREAMING)


def test_the_table_answers_every_happening_in_every_phase() -> None:
    """No cell is missing and none is left over."""
    assert set(product(Phase, Kind)) == set(TABLE)


@pytest.mark.parametrize("phase", [Phase.AWAITING, Phase.OPENED])
def test_a_response_opens_before_it_streams(phase: Phase) -> None:
    """It has a name then, and nothing was made yet."""
    assert x.Step(Phase.OPENED, passes=True) == TABLE[phase, Kind.OPENING]


@pytest.mark.parametrize(
    ("phase", "kind"),
    [
        (Phase.OPENED, Kind.OUTPUT),
        (Phase.OPENED, Kind.ITEM),
        *product([Phase.STREAMING], BEGINNINGS),
    ],
)
def test_events_of_the_response_pass_and_stream(phase: Phase, kind: Kind) -> None:
    """What the response says reaches the client, unchanged."""
    assert x.Step(Phase.STREAMING, passes=True) == TABLE[phase, kind]


@pytest.mark.parametrize("kind", [Kind.OUTPUT, Kind.ITEM])
def test_output_before_its_response_is_named_is_foreign(kind: Kind) -> None:
    """It may be the tail of another turn."""
    assert x.Step(Phase.OVER, passes=False, ending=x.FOREIGN) == TABLE[Phase.AWAITING, kind]


@pytest.mark.parametrize("kind", [Kind.OUTPUT, Kind.ITEM])
def test_output_may_begin_a_response_that_is_alone(kind: Kind) -> None:
    """Over HTTP no other turn's events can come."""
    exchange = Exchange(is_alone=True)
    exchange.step(Kind.SENT)
    step = exchange.receive(Event(kind, "response.x", b"{}"))
    assert (True, Phase.STREAMING) == (step.passes, exchange.phase)


def test_an_event_of_the_response_before_is_foreign() -> None:
    """A second terminal that comes late is not the next turn's."""
    exchange = Exchange("resp_0")
    exchange.step(Kind.SENT)
    step = exchange.receive(Event(Kind.COMPLETED, "response.completed", b"{}", "resp_0"))
    assert x.FOREIGN is step.ending


def test_output_of_a_stream_passes_and_changes_nothing() -> None:
    """Such events need no step, unless they name a lane."""
    exchange = started()
    exchange.receive(Event(Kind.OPENING, "response.created", b"{}", "resp_1"))
    delta = Event(Kind.OUTPUT, "response.output_text.delta", b"{}")
    exchange.receive(delta)
    before = repr(exchange)
    assert (exchange.receive(delta).passes, before) == (True, repr(exchange))
    assert x.FOREIGN is exchange.receive(delta._replace(lane="a")).ending


@pytest.mark.parametrize(("phase", "kind"), [*product(WORKING, TERMINALS)])
def test_a_terminal_passes_and_ends(phase: Phase, kind: Kind) -> None:
    """A terminal is the last event the client gets."""
    assert x.Step(Phase.OVER, passes=True, ending=TERMINALS[kind]) == TABLE[phase, kind]


@pytest.mark.parametrize(("phase", "kind"), [*product(WORKING, BREAKS)])
def test_a_break_ends_without_passing(phase: Phase, kind: Kind) -> None:
    """A break is no event: the client is told in its own way."""
    assert x.Step(Phase.OVER, passes=False, ending=BREAKS[kind]) == TABLE[phase, kind]


@pytest.mark.parametrize("phase", Phase)
def test_a_vendor_frame_changes_nothing(phase: Phase) -> None:
    """Vendors' own frames begin nothing and end nothing; they pass while a turn is under way."""
    assert x.Step(phase, passes=phase in WORKING) == TABLE[phase, Kind.VENDOR]


@pytest.mark.parametrize("kind", [*BEGINNINGS, *TERMINALS, Kind.ERROR, Kind.FATAL_ERROR])
@pytest.mark.parametrize("phase", [Phase.READY, Phase.OVER])
def test_what_belongs_to_no_exchange_is_foreign(phase: Phase, kind: Kind) -> None:
    """Before the create and after the terminal every event closes the connection."""
    assert x.Step(Phase.OVER, passes=False, ending=x.FOREIGN) == TABLE[phase, kind]


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.TIMEOUT, Kind.CLIENT_GONE])
def test_a_break_before_the_send_sent_nothing(kind: Kind) -> None:
    """What broke before the create never reached the upstream."""
    assert x.UNSENT == TABLE[Phase.READY, kind].ending


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.TIMEOUT, Kind.CLIENT_GONE])
def test_a_break_after_the_end_changes_nothing(kind: Kind) -> None:
    """A client that leaves once it has read the terminal cancels nothing."""
    assert x.Step(Phase.OVER, passes=False) == TABLE[Phase.OVER, kind]


@pytest.mark.parametrize(
    ("ending", "keeps", "remembers"),
    [
        (x.COMPLETED, True, True),
        (x.INCOMPLETE, True, True),
        (x.FAILED, True, False),
        (x.CANCELLED, True, False),
        (x.REJECTED, True, False),
        (x.ENDED_BY_FATAL_ERROR, False, False),
        (x.LOST, False, False),
        (x.TIMED_OUT, False, False),
        (x.ABANDONED, False, False),
        (x.FOREIGN, False, False),
        (x.UNSENT, False, False),
    ],
)
def test_each_ending_decides_its_connection(ending: x.Ending, keeps: bool, remembers: bool) -> None:
    """Only whole responses are remembered; half-read connections are never kept."""
    assert (keeps, remembers) == (ending.keeps_connection, ending.remembers)


def started() -> Exchange:
    exchange = Exchange()
    exchange.step(Kind.SENT)
    return exchange


def test_an_event_of_another_response_is_foreign() -> None:
    """The first id seen is the exchange's; any other closes the connection undelivered."""
    exchange = started()
    exchange.receive(Event(Kind.OPENING, "response.created", b"{}", "resp_1"))
    step = exchange.receive(Event(Kind.COMPLETED, "response.completed", b"{}", "resp_2"))
    assert (False, x.FOREIGN, x.FOREIGN) == (step.passes, step.ending, exchange.ending)


def test_an_event_of_a_lane_is_foreign() -> None:
    """No lane was ever opened on this connection."""
    step = started().receive(Event(Kind.OUTPUT, "response.output_text.delta", b"{}", lane="a"))
    assert step.ending is x.FOREIGN


def test_a_frame_behind_the_terminal_costs_the_connection() -> None:
    """A second terminal is never delivered, and the connection is not lent again."""
    exchange = started()
    exchange.receive(Event(Kind.COMPLETED, "response.completed", b"{}", "resp_1"))
    second = exchange.receive(Event(Kind.COMPLETED, "response.completed", b"{}", "resp_1"))
    assert (False, x.FOREIGN) == (second.passes, exchange.ending)


@pytest.mark.parametrize(
    ("phase", "kind", "safety"),
    [
        (Phase.READY, Kind.LOST, ReplaySafety.SAFE),
        (Phase.AWAITING, Kind.ERROR, ReplaySafety.SAFE),
        (Phase.AWAITING, Kind.FATAL_ERROR, ReplaySafety.SAFE),
        (Phase.AWAITING, Kind.LOST, ReplaySafety.AMBIGUOUS),
        (Phase.AWAITING, Kind.TIMEOUT, ReplaySafety.AMBIGUOUS),
        (Phase.OPENED, Kind.ERROR, ReplaySafety.SAFE),
        (Phase.OPENED, Kind.FATAL_ERROR, ReplaySafety.SAFE),
        (Phase.OPENED, Kind.LOST, ReplaySafety.UNSAFE),
        (Phase.OPENED, Kind.TIMEOUT, ReplaySafety.UNSAFE),
        (Phase.STREAMING, Kind.ERROR, ReplaySafety.UNSAFE),
        (Phase.STREAMING, Kind.LOST, ReplaySafety.UNSAFE),
        (Phase.OVER, Kind.LOST, ReplaySafety.UNSAFE),
    ],
)
def test_replay_safety(phase: Phase, kind: Kind, safety: ReplaySafety) -> None:
    """A second send is safe only where the upstream provably never began."""
    assert safety is replay_safety(phase, kind)
