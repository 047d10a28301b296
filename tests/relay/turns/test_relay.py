"""The loop over attempts, with transports that do what a list says."""

from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from longwire.core.errors import (
    InvalidRequest,
    LimitReached,
    LongwireError,
    ReplaySafety,
    UnknownModel,
    UpstreamDisconnected,
)
from longwire.core.nouns.access import Rates
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.quota import Quota
from longwire.core.rules.recovery import RECOVERY_RULES, Recovery, Trouble
from longwire.core.rules.routing import ranked
from longwire.core.rules.turn import Principal, Scope
from longwire.fleet.local import LocalLimits
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.homes import LocalHomes
from longwire.relay.records.accounting import Accounting
from longwire.relay.records.metrics import Gauges, Metrics
from longwire.relay.records.route import route_of
from longwire.relay.turns.candidates import Candidates, Policy
from longwire.relay.turns.running import Relay
from tests.core.turns import turn, user
from tests.doubles.scripted import COMPLETED, CREATED, DELTA, GOOD, Scripted
from tests.relay.turns.failures import channel, example, rejected, risky

CALLER = Principal("dev", Scope("api_key:file:dev"))
NAMED = {"session-id": "s-1"}
TURN = turn(user("hi"), tools=[])
BROKEN = risky(UpstreamDisconnected("m"), ReplaySafety.UNSAFE)
WHOLE = ["response.created", "response.output_text.delta", "response.completed"]


class Clock:
    """Time as a test says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def relay(*channels, **policy):
    """A relay to these channels, with books of its own."""
    routing = RoutingTable(Snapshot({each.name: each for each in channels}))
    given = {"holds": lambda _key, _turn: False, "clock": Clock(), **policy}
    policy, limits = Policy(**given), LocalLimits()
    accounting = Accounting(Metrics(Gauges(list, list)))
    chosen = Candidates(policy, limits, LocalHomes())
    return Relay(routing, policy, accounting, limits, chosen)


async def names(answer):
    """The events of an answer by name."""
    return [event.name async for batch in answer for event in batch]


async def ask(to, sent=TURN, headers=NAMED, caller=CALLER):
    """The way of a turn: channel, transport, why in full."""
    async with to.open(sent, caller, headers) as answer:
        assert await names(answer) == WHOLE
        return f"{answer.channel} {answer.delivery.transport} {answer.delivery.reason}"


def with_source(given, **changes):
    """A turn that came otherwise."""
    return replace(given, source=replace(given.source, **changes))


async def test_an_answer_is_whole_and_left():
    """All events come, the first ones too; then nothing is open."""
    way = Scripted()
    assert await ask(relay(channel(websocket=way))) == "a websocket new_session"
    assert (len(way.calls), way.open_now) == (1, 0)


@pytest.mark.parametrize("trouble", Trouble)
async def test_every_trouble_before_the_first_event(trouble):
    """Either another attempt answers, after the failed one was left, or the failure is told."""
    failure = example(trouble)
    http = Scripted(failure, transport="http")
    first = channel("a", websocket=Scripted(failure, GOOD), http=http)
    to = relay(first, channel("b"))
    given_up = (Trouble.REFUSED, Trouble.WORKING, Trouble.SEALED_ELSEWHERE)
    over_http = [
        each for each in Trouble if RECOVERY_RULES[each].recoveries[:1] == (Recovery.USE_HTTP,)
    ]
    if trouble in over_http:
        http.steps = [GOOD]
    with capture_logs() as lines:
        if trouble in given_up:
            with pytest.raises(type(failure)) as told:
                await ask(to, headers=home_of("a", to))
            assert told.value is failure
        else:
            served, transport, _ = (await ask(to, headers=home_of("a", to))).split()
            moved = (
                Trouble.SILENT,
                Trouble.LIMITED,
                Trouble.FAILING,
                Trouble.BARRED,
                Trouble.UNSAYABLE,
            )
            assert served == ("b" if trouble in moved else "a")
            assert transport == ("http" if trouble in over_http else "websocket")
    (line,) = lines
    assert line.get("replays", []) == ([] if trouble in given_up else [trouble.name.lower()])


def home_of(name, to):
    """Headers of a session whose home is a channel."""
    for number in range(100):
        headers = {"session-id": f"s-{number}"}
        routes = [each.route for each in to.routing.snapshot.channels.values()]
        (_, first), *_ = ranked(
            routes, headers["session-id"], belongs=lambda _: False, is_trusted=lambda _: True
        )
        if first.id == name:
            return headers
    raise AssertionError


async def test_a_failure_inside_an_answer_is_not_made_good():
    """The client has seen events of it: the failure is raised where they are read."""
    way = Scripted([CREATED, BROKEN])
    async with relay(channel(websocket=way)).open(TURN, CALLER, NAMED) as answer:
        with pytest.raises(UpstreamDisconnected) as told:
            await names(answer)
    assert told.value is BROKEN
    assert (len(way.calls), way.open_now) == (1, 0)


async def test_a_response_that_began_may_be_sent_again_where_configured():
    """Its opening is held back, so that the client sees one response."""
    way = Scripted([CREATED, None, BROKEN], GOOD)
    to = relay(channel(websocket=way), replays_after_created=True)
    assert await ask(to) == "a websocket replayed"
    assert [None, "replayed"] == [call.reason for call in way.calls]


async def test_a_failure_is_classified_once():
    """A limit that strikes a response under way is no limit before it: it may be billed twice."""
    limit = rejected(429, "usage_limit_reached")
    limit.body = b'{"error":{"code":"usage_limit_reached","resets_in_seconds":60}}'
    way = Scripted([CREATED, risky(limit, ReplaySafety.UNSAFE)], GOOD)
    to = relay(channel(websocket=way), channel("b"), replays_after_created=True)
    with capture_logs() as lines:
        assert (await ask(to, headers=home_of("a", to))).startswith("a websocket")
    assert [(["working"], True)] == [(e["replays"], e["possibly_billed_twice"]) for e in lines]


async def test_after_output_nothing_is_sent_again():
    """Not even where begun responses may be."""
    way = Scripted([CREATED, DELTA, BROKEN], GOOD)
    to = relay(channel(websocket=way), replays_after_created=True)
    async with to.open(TURN, CALLER, NAMED) as answer:
        with pytest.raises(UpstreamDisconnected):
            await names(answer)
    assert len(way.calls) == 1


async def test_silence_is_passed_on():
    """Between events; behind the opening it lets the opening go."""
    way = Scripted([None, CREATED, None, DELTA, None, COMPLETED])
    streamed = replace(TURN, streams=True)
    async with relay(channel(websocket=way)).open(streamed, CALLER, NAMED) as answer:
        batches = [[event.name.partition(".")[2] for event in batch] async for batch in answer]
    assert [["created"], ["output_text.delta"], [], ["completed"]] == batches


async def test_who_wants_an_answer_whole_does_not_see_silence():
    """However long a response is silent behind its opening, what then fails is made good."""
    way = Scripted([CREATED, None, None, example(Trouble.LIMITED)])
    to = relay(channel("a", websocket=way), channel("b"))
    assert "b websocket replayed" == await ask(to, headers=home_of("a", to))


async def test_a_response_that_breaks_off_behind_its_opening_is_seen_to():
    """It may be under way: the caller sees it open, and that it broke."""
    way = Scripted([CREATED, BROKEN], GOOD)
    async with relay(channel(websocket=way)).open(TURN, CALLER, NAMED) as answer:
        (opening,) = await anext(answer)
        with pytest.raises(UpstreamDisconnected):
            await anext(answer)
    assert ("response.created", 1) == (opening.name, len(way.calls))


async def test_leaving_early_leaves_the_upstream():
    """The context's end is the end of the exchange."""
    way = Scripted()
    with capture_logs() as lines, suppress(ConnectionAbortedError):
        async with relay(channel(websocket=way)).open(TURN, CALLER, NAMED):
            assert way.open_now == 1
            raise ConnectionAbortedError
    assert way.open_now == 0
    assert len(lines) == 1


async def test_nobody_serves_the_model():
    """The refusal names each channel, and is booked."""
    to = relay(channel("a", models=("o3",)), channel("b", is_enabled=False))
    with capture_logs() as lines, pytest.raises(UnknownModel) as told:
        await ask(to)
    assert "a: does not serve it; b: disabled" in str(told.value)
    assert [("refused", "")] == [(line["outcome"], line["channel"]) for line in lines]


async def routed(to, sent):
    """What is noted of a turn that nobody serves: each channel, and why not, by its detail."""
    running = to.open(sent, CALLER, NAMED)
    with pytest.raises(InvalidRequest):
        async with running:
            pass
    return [(each.channel_name, each.reason, each.detail) for each in route_of(running.record, 0)]


async def test_who_cannot_be_told_a_turn_is_noted():
    """With the APIs that they speak; who does not serve the model at all comes behind them."""
    speaking = replace(channel("a"), apis=("messages", "embeddings"))
    sent = turn(user("hi"), background=True)
    to = relay(channel("b", is_enabled=False), speaking)
    expected = [("a", "unsayable", "messages, embeddings"), ("b", "disabled", "")]
    assert expected == await routed(to, sent)


async def test_the_response_of_another_caller_is_no_fault_of_a_channel():
    """The turn is refused before anybody could be: nothing is said of who speaks what."""
    to = relay(channel("a"), channel("b"))
    await ask(to, turn(user("hi"), store=True), caller=Principal("other", Scope("api_key:other")))
    assert [] == await routed(to, turn(user("more"), previous_response_id="resp_1"))


async def test_background_needs_http():
    """It goes to the channel that has it, or is refused."""
    sent = turn(user("hi"), background=True)
    with pytest.raises(InvalidRequest):
        await ask(relay(channel("a", "websocket")), sent)
    to = relay(channel("a", "websocket"), channel("b", "auto"))
    assert await ask(to, sent) == "b http http_transport"


@pytest.mark.parametrize(
    ("sent", "headers", "expected"),
    [
        (turn(user("hi")), {}, "a http one_shot"),
        (turn(user("hi")), NAMED, "a websocket new_session"),
        (TURN, {}, "a websocket new_session"),
        (turn(user("hi"), user("you")), {}, "a websocket new_session"),
        (with_source(turn(user("be kind"), user("hi")), leading=1), {}, "a http one_shot"),
        (with_source(turn(user("hi")), is_side_call=True), NAMED, "a http one_shot"),
    ],
)
async def test_a_single_question_needs_no_connection(sent, headers, expected):
    """With `auto`, one item without tools and without a session goes over HTTP.

    So does what an agent asks beside its conversation; instructions before an item do not count.
    """
    assert await ask(relay(channel()), sent, headers) == expected
    only = relay(channel(kind="websocket"))
    assert await ask(only, sent, headers) == "a websocket new_session"


async def test_a_session_that_outgrew_a_frame_stays_over_http():
    """The next turns of that session try no frame again; others do."""
    made = channel(websocket=Scripted(example(Trouble.TOO_LARGE), GOOD))
    to = relay(made)
    assert (await ask(to)).startswith("a http")
    assert await ask(to) == "a http http_transport"
    assert await ask(to, headers={"session-id": "s-2"}) == "a websocket new_session"


async def test_sessions_that_outgrew_a_frame_are_a_bounded_number():
    """The oldest is forgotten, and so are those without a name."""
    made = channel(websocket=Scripted(example(Trouble.TOO_LARGE)))
    to = relay(made)
    await ask(to, headers={})
    assert "over_http=0>" in repr(to.candidates)
    for number in range(4097):
        await ask(to, headers={"session-id": str(number)})
    assert "over_http=4096>" in repr(to.candidates)


async def test_a_websocket_that_cannot_be_opened_rests():
    """HTTP serves meanwhile; after the cool-down one turn probes, and success is remembered."""
    clock = Clock()
    made = channel(websocket=Scripted(example(Trouble.NO_WEBSOCKET), GOOD))
    to = relay(made, clock=clock)
    assert (await ask(to)).startswith("a http")
    clock.now = 59.0
    assert (await ask(to)).startswith("a http")
    assert len(made.websocket.calls) == 1
    clock.now = 61.0
    assert await ask(to) == "a websocket new_session"
    assert made.state.websocket_health.is_trusted(0.0)


async def test_one_probe_at_a_time():
    """While one turn finds out, the others do not wait for it."""
    clock = Clock()
    made = channel(websocket=Scripted(example(Trouble.UNREACHABLE), GOOD))
    to = relay(made, clock=clock)
    await ask(to)
    clock.now = 61.0
    made.state.websocket_health.begin(clock.now)
    assert (await ask(to)).startswith("a http")
    made.state.websocket_health.succeed()
    assert (await ask(to)).startswith("a websocket")


async def test_a_channel_that_fails_comes_last():
    """Three failures in a row send everybody elsewhere, until one answers again."""
    clock = Clock()
    failing = [example(Trouble.FAILING)] * 3
    first, second = channel("a", websocket=Scripted(*failing, GOOD)), channel("b")
    to = relay(first, second, clock=clock)
    headers = home_of("a", to)
    assert [await ask(to, headers=headers) for _ in range(4)] == ["b websocket replayed"] * 3 + [
        "b websocket new_session"
    ]
    assert len(first.websocket.calls) == 3
    clock.now = 16.0
    assert await ask(to, headers=headers) == "a websocket new_session"


async def test_homes_are_shared_out_by_weight():
    """Each session has one home, and a channel of three times the weight three times as many."""
    to = relay(channel("a", weight=1.0), channel("b", weight=3.0))
    homes = [(await ask(to, headers={"session-id": f"s-{n}"}))[0] for n in range(400)]
    again = [(await ask(to, headers={"session-id": f"s-{n}"}))[0] for n in range(400)]
    assert homes == again
    assert 60 < homes.count("a") < 140


async def test_a_session_that_moved_comes_home():
    """The failure of one turn does not move the next one, if nothing binds it."""
    first = channel("a", websocket=Scripted(example(Trouble.LIMITED), GOOD))
    to = relay(first, channel("b"))
    headers = home_of("a", to)
    assert (await ask(to, headers=headers)).startswith("b")
    assert (await ask(to, headers=headers)).startswith("a")


async def test_callers_without_a_key_share_nothing():
    """Their turns carry no key to a connection."""
    way = Scripted()
    await ask(relay(channel(websocket=way)), caller=Principal("anonymous"))
    assert [None] == [call.session_key for call in way.calls]


async def test_what_selects_a_connection():
    """Endpoint, scope, session and forwarded identity; the caller's word is in the last two."""
    way = Scripted()
    to = relay(channel(websocket=way))
    await ask(to, headers={**NAMED, "openai-project": "p"})
    await ask(to, headers=NAMED)
    one, other = [call.session_key for call in way.calls]
    assert (one.endpoint, one.scope, one.session) == ("endpoint of a", CALLER.scope, "s-1")
    assert one.identity != other.identity


async def test_the_first_failure_is_not_hidden_by_a_later_one():
    """When every way fails the client hears of the last one tried."""
    last = example(Trouble.LIMITED)
    to = relay(
        channel("a", "websocket", websocket=Scripted(example(Trouble.FAILING))),
        channel("b", "websocket", websocket=Scripted(last)),
    )
    with pytest.raises(LongwireError) as told:
        await ask(to, headers=home_of("a", to))
    assert told.value is last


PASSING = [
    each
    for each, rule in RECOVERY_RULES.items()
    if Recovery.NEXT_CHANNEL in rule.recoveries
    and each not in {Trouble.UNAUTHORIZED, Trouble.BARRED, Trouble.UNSAYABLE, Trouble.NO_WEBSOCKET}
]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        *((each, Trouble.UNSAYABLE, each) for each in PASSING),
        *((each, Trouble.BARRED, each) for each in PASSING),
        (Trouble.BARRED, Trouble.UNSAYABLE, Trouble.BARRED),
        (Trouble.UNSAYABLE, Trouble.BARRED, Trouble.BARRED),
        (Trouble.UNSAYABLE, Trouble.FAILING, Trouble.FAILING),
        (Trouble.FAILING, Trouble.REFUSED, Trouble.REFUSED),
    ],
)
async def test_what_a_retry_may_mend_is_told_before_a_refusal_of_another_channel(first, last, told):
    """A client that left a member out for it would lose it for good."""
    failures = {each: example(each) for each in (first, last)}
    channels = [
        channel(name, "http", http=Scripted(failures[each], transport="http"))
        for name, each in (("a", first), ("b", last))
    ]
    to = relay(*channels)
    with pytest.raises(LongwireError) as raised:
        await ask(to, headers=home_of("a", to))
    assert raised.value is failures[told]


@pytest.mark.parametrize("by", ["limit", "quota"])
async def test_a_limit_is_told_before_a_refusal_of_another_channel(by):
    """The channel that could be told the turn was not tried: when it serves again is the answer."""
    first = channel("a", "http")
    if by == "limit":
        first = replace(first, spec=ChannelSpec("a", "a", rates=Rates(requests_per_minute=1)))
    unable = Scripted(example(Trouble.UNSAYABLE), transport="http")
    to = relay(first, channel("b", "http", http=unable))
    headers = home_of("a", to)
    await ask(to, headers=headers)
    if by == "quota":
        first.state.quota.observe(Quota().refused(until=2e10, now=1e9))
    with pytest.raises(LongwireError) as told:
        await ask(to, headers=headers)
    assert told.value.code == {"limit": "rate_limit_exceeded", "quota": "usage_limit_reached"}[by]


SEALED = turn(user("hi"), {"type": "reasoning", "encrypted_content": "gAAA", "summary": []})
WITH_FILE = turn({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]})


def two_channels(**rates):
    """A relay to two channels that may take so many turns each."""
    specs = [ChannelSpec(each, each, rates=Rates(**rates)) for each in "ab"]
    return relay(*(replace(channel(each.name), spec=each) for each in specs))


async def test_who_alone_can_read_it_is_waited_for():
    """At a limit of its own the home of sealed items is no reason to send them elsewhere."""
    to = two_channels(requests_per_minute=1)
    await ask(to, headers=home_of("a", to))
    with pytest.raises(LimitReached):
        await ask(to, SEALED, headers=home_of("a", to))
    assert "b" == (await ask(to, headers=home_of("a", to)))[0]


async def test_channels_are_looked_at_together():
    """Limits are asked once for all of a turn's channels, once each, and never for none."""
    looked_at = []

    class Counted(LocalLimits):
        async def waits(self, subjects):
            looked_at.append(sorted(each.id for each in subjects))
            return await super().waits(subjects)

    accounts = [
        replace(
            channel("one", account=each),
            spec=ChannelSpec("one", "one", rates=Rates(requests_per_minute=9)),
        )
        for each in "abc"
    ]
    free = channel("free")
    for channels, expected in (([*accounts, free], [["channel:one"]]), ([free], [])):
        to, limits = relay(), Counted()
        to.routing.snapshot = Snapshot({each.route_id: each for each in channels})
        to.limits = to.candidates._limits = limits
        looked_at.clear()
        await ask(to)
        assert expected == looked_at


async def test_who_alone_has_it_has_the_last_word():
    """An account whose quota is used up is asked all the same for what it alone has."""
    to = two_channels()
    await ask(to, headers=home_of("a", to))
    home = to.routing.snapshot.channels["a"]
    home.state.quota.observe(Quota().refused(until=2e10, now=1e9))
    assert "a" == (await ask(to, WITH_FILE, headers=home_of("a", to)))[0]
    assert "b" == (await ask(to, headers=home_of("a", to)))[0]
