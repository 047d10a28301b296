"""From a failure to the next attempt: what it was, who is to blame, where the turn goes."""

import json
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise, product

import pytest

from longwire.core.errors import (
    ChannelRefused,
    InvalidRequest,
    LongwireError,
    ReplaySafety,
    UpstreamDisconnected,
    UpstreamRejected,
)
from longwire.core.errors import UpstreamTimeout as Timeout
from longwire.core.events import Event, Kind
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.core.rules.continuity import Reason
from longwire.core.rules.recovery import RECOVERY_RULES, Recovery, Trouble
from longwire.relay.turns.able import Candidate
from longwire.relay.turns.attempts import Attempt, Attempts
from longwire.relay.turns.failures import classify, learn, without_credentials
from tests.core.turns import turn, user
from tests.relay.turns.failures import candidate, channel, example, rejected, risky

TURN = turn(user("hi"))
NOT_FOUND = "previous_response_not_found"
UNSAFE = ReplaySafety.UNSAFE
SEALED = turn({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA", "summary": []})
KINDS = ("auto", "websocket", "http")


def way(attempt: Attempt) -> str:
    """An attempt in words: `a websocket`, `b http replayed`."""
    transport = "http" if attempt.over_http else "websocket"
    return " ".join(filter(None, (attempt.channel.name, transport, attempt.reason)))


class Journey:
    """The attempts of one turn, which raise what its client is answered."""

    def __init__(self, *candidates: Candidate, sent=TURN, **given) -> None:
        self.sent = sent
        self.attempts = Attempts(sent, candidates, **{"continues": lambda _: False, **given})

    def attempt(self, now: float) -> Attempt:
        """What is tried next."""
        return self.attempts.next(now)

    def fail(self, attempt: Attempt, failure: LongwireError, now: float) -> Trouble:
        """Let an attempt fail; what struck it."""
        trouble = classify(failure, self.sent, has_account=attempt.channel.account is not None)
        if self.attempts.fail(attempt, trouble, failure, now) is Recovery.GIVE_UP:
            raise failure
        return trouble


def running(name: str = "a", kind: str = "auto") -> Candidate:
    """A channel of a kind that fares well."""
    return candidate(channel(name, kind))


@pytest.mark.parametrize("trouble", Trouble)
def test_each_example_is_its_trouble(trouble):
    """Every trouble is told from all others."""
    has_account = trouble is Trouble.UNAUTHORIZED
    assert trouble is classify(example(trouble), TURN, has_account=has_account)


@pytest.mark.parametrize("has_account", [True, False])
@pytest.mark.parametrize("status", [401, 402, 403])
def test_refused_credentials_are_no_fault_of_the_request(status, has_account):
    """Whether they are a key's or an account's; an account's tokens may be renewed."""
    may_renew = status == 401 and has_account
    expected = Trouble.UNAUTHORIZED if may_renew else Trouble.BARRED
    assert expected is classify(rejected(status), TURN, has_account=has_account)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_caller_hears_nothing_of_the_channels_credentials(status):
    """Neither the status, which would send him to his own key, nor the upstream's words."""
    failure = rejected(status, "invalid_api_key", "Incorrect API key provided: sk-op***xyz.")
    answer = without_credentials(failure, channel("a"))
    assert isinstance(answer, ChannelRefused)
    assert "channel 'a'" in str(answer)
    assert "sk-op" not in str(answer)


def test_an_error_that_quotes_the_channels_key_does_so_no_more():
    """Whatever the upstream says it of, and as its own client gets it, too."""
    failure = rejected(400, "", "No such model for key sk-operators-own.")
    failure.original = Event(Kind.ERROR, "error", failure.body, wire=b"data: " + failure.body)
    keyed = replace(channel("a"), spec=ChannelSpec("a", "a", credential=Secret("sk-operators-own")))
    answer = without_credentials(failure, keyed)
    assert answer is failure
    said = answer.body + answer.original.raw + answer.original.wire
    assert (b"sk-operators" in said, said.count(b"for key ***.")) == (False, 3)


@pytest.mark.parametrize("failure", [rejected(400), rejected(429), Timeout("connect", 1)])
def test_other_failures_are_what_they_are(failure):
    """What an upstream says of the request stays as it was said."""
    assert failure is without_credentials(failure, channel("a"))


def test_who_has_waited_waits_no_second_time():
    """After silence every further attempt is a hurried one, wherever it goes."""
    one = Journey(running("a"), running("b"))
    before = one.attempts.has_waited
    one.fail(one.attempt(0.0), example(Trouble.SILENT), 0.0)
    assert (False, True) == (before, one.attempts.has_waited)


def test_a_websocket_that_lets_nothing_through_rests():
    """Its turn goes over HTTP, and so do those after it."""
    made = running("a")
    one = Journey(made)
    one.fail(one.attempt(0.0), example(Trouble.NO_FRAMES), 0.0)
    assert "a http" == way(one.attempt(0.0))
    assert "a http" == way(Journey(made).attempt(1.0))


def test_tokens_are_renewed_once_a_turn():
    """A token that is refused is renewed, on the same channel; refused again, the next one goes."""
    one = Journey(running("a"), running("b"))
    for expected in ("a websocket", "b websocket replayed"):
        one.fail(one.attempt(0.0), example(Trouble.UNAUTHORIZED), 0.0)
        assert expected == way(one.attempt(0.0))


def test_a_refused_token_is_the_one_it_was_sent_with():
    """A connection opened with older tokens tells nothing of those that came since."""
    made, refusal = running(), example(Trouble.UNAUTHORIZED)
    refusal.tokens_revision = 7
    learn(made, refusal, 0.0)
    assert not made.channel.account._is_refused
    refusal.tokens_revision = 1
    learn(made, refusal, 0.0)
    assert made.channel.account._is_refused


@pytest.mark.parametrize(
    ("told", "until"),
    [({"resets_at": 900}, 900.0), ({"resets_in_seconds": 60}, 160.0), ({}, None)],
)
def test_a_usage_limit_says_until_when(told, until):
    """A used up account is not blamed where its reset is told: it is well, and passed over."""
    made = running()
    failure = rejected(429, "usage_limit_reached")
    failure.body = json.dumps({"error": {"code": "usage_limit_reached", **told}}).encode()
    learn(made, failure, 100.0)
    assert until == made.state.quota.quota.blocked_until(100.0)
    with suppress(LongwireError):
        Journey(made).fail(Attempt(made, over_http=True, reason=None), failure, 0.0)
    assert made.state.health.is_sound is (until is not None)


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (Timeout("connect", 1), Trouble.UNREACHABLE),
        (Timeout("handshake", 1), Trouble.UNREACHABLE),
        (risky(Timeout("next event", 1), UNSAFE), Trouble.WORKING),
        (risky(UpstreamDisconnected("m"), UNSAFE), Trouble.WORKING),
        (risky(rejected(429), UNSAFE), Trouble.WORKING),
        (risky(rejected(400, NOT_FOUND), UNSAFE), Trouble.WORKING),
        (rejected(429, "insufficient_quota"), Trouble.LIMITED),
        (rejected(500), Trouble.FAILING),
        (rejected(599), Trouble.FAILING),
        (rejected(499), Trouble.REFUSED),
        (rejected(400), Trouble.REFUSED),
        (rejected(401, "invalid_api_key"), Trouble.BARRED),
        (rejected(403), Trouble.BARRED),
        (rejected(404), Trouble.REFUSED),
        (InvalidRequest("m"), Trouble.REFUSED),
    ],
)
def test_other_spellings(failure, trouble):
    """Codes and phases decide; what had begun comes before all else."""
    assert trouble is classify(failure, TURN)


def test_an_id_of_the_clients_own_is_the_clients_to_mend():
    """The upstream does not know what the client named: that is an answer, no trouble of ours."""
    own = turn(user("hi"), previous_response_id="resp_0")
    assert Trouble.REFUSED is classify(example(Trouble.FORGOT), own)


WEBSOCKET, CHANNEL = "upgrade", "health"
BLAME = {
    Trouble.SILENT: {CHANNEL},
    Trouble.LIMITED: {CHANNEL},
    Trouble.FAILING: {CHANNEL},
    Trouble.BARRED: {CHANNEL},
}


def blamed(trouble: Trouble, kind: str, *, over_http: bool) -> set[str]:
    """Whose trust a failure lowers."""
    made = running(kind=kind)
    one = Journey(made)
    with suppress(LongwireError):
        one.fail(Attempt(made, over_http, None), example(trouble), 0.0)
    health = {CHANNEL: made.state.health, WEBSOCKET: made.state.websocket_health}
    return {name for name, each in health.items() if "failures=0" not in repr(each)}


@pytest.mark.parametrize("trouble", Trouble)
def test_blame(trouble):
    """A WebSocket that cannot be used is blamed alone, where HTTP is still to be tried."""
    of_dial = trouble in (Trouble.UNREACHABLE, Trouble.NO_WEBSOCKET, Trouble.NO_FRAMES)
    is_loss = trouble is Trouble.LOST  # of a WebSocket it is the second one that counts
    over_http = {CHANNEL} if of_dial or is_loss else BLAME.get(trouble, set())
    alone = {WEBSOCKET, CHANNEL} if of_dial else BLAME.get(trouble, set())
    beside_http = {WEBSOCKET} if of_dial else BLAME.get(trouble, set())
    assert blamed(trouble, "http", over_http=True) == over_http
    assert blamed(trouble, "auto", over_http=True) == over_http
    assert blamed(trouble, "websocket", over_http=False) == alone
    assert blamed(trouble, "auto", over_http=False) == beside_http


def test_a_second_lost_websocket_is_blamed():
    """One may be a restart; when the new connection of the same turn is lost, too, it is not."""
    made = running()
    one = Journey(made)
    lost = Attempt(made, over_http=False, reason=None), example(Trouble.LOST), 0.0
    one.fail(*lost)
    assert made.state.health.is_sound
    with suppress(LongwireError):
        one.fail(*lost)
    assert not made.state.health.is_sound


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.REFUSED,
        Trouble.FORGOT,
        Trouble.EXPIRED,
        Trouble.DUPLICATE,
        Trouble.MALFORMED,
        Trouble.WORKING,
    ],
)
def test_an_upstream_that_answers_lives(trouble):
    """What it says of this request is no doubt about it: earlier failures are forgotten."""
    made = running()
    for _ in range(3):
        made.state.health.fail(0.0)
    assert not made.state.health.is_trusted(1.0)
    with suppress(LongwireError):
        Journey(made).fail(Attempt(made, over_http=False, reason=None), example(trouble), 1.0)
    assert made.state.health.is_trusted(1.0)


@pytest.mark.parametrize(
    ("told", "trusted_at"),
    [("7", 7.0), ("0.5", 0.5), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0), ("1e9", 3600.0)],
)
def test_retry_after_is_honoured(told, trusted_at):
    """A channel is left alone for as long as it asked, within reason; nonsense is not heard."""
    one, other = running("a"), running("b")
    attempt = Attempt(one, over_http=False, reason=None)
    Journey(one, other).fail(attempt, rejected(429, retry_after=told), 0.0)
    at_most = 600.0 if told == "1e9" else trusted_at
    assert one.state.health.is_trusted(at_most)
    assert not at_most or not one.state.health.is_trusted(at_most - 0.01)


AUTO, ONLY, HTTP = ("auto", "websocket", "http")
SEQUENCES = [
    ((AUTO,), "UNSENT UNSENT FAILING", ["a websocket connection_lost", "a http"]),
    ((ONLY, ONLY), "UNSENT UNSENT", ["a websocket connection_lost", "b websocket replayed"]),
    ((AUTO, AUTO), "LOST LOST", ["a websocket replayed"]),
    ((AUTO, AUTO), "LOST LIMITED LOST", ["a websocket replayed", "b websocket replayed"]),
    ((AUTO, AUTO), "SILENT LOST", ["b websocket replayed"]),
    ((AUTO,), "SILENT SILENT", ["a websocket replayed"]),
    ((AUTO,), "FORGOT FORGOT", ["a websocket upstream_forgot"]),
    ((AUTO,), "EXPIRED FORGOT", ["a websocket connection_expired"]),
    ((AUTO,), "DUPLICATE DUPLICATE", ["a websocket replayed"]),
    ((AUTO, ONLY), "UNREACHABLE FAILING LIMITED", ["a http", "b websocket replayed"]),
    ((AUTO, HTTP), "NO_WEBSOCKET UNREACHABLE LOST LOST", ["a http", "b http replayed"] * 1
        + ["b http replayed"]),
    ((ONLY,), "NO_WEBSOCKET", []),
    ((AUTO, AUTO), "TOO_LARGE REFUSED", ["a http"]),
    ((ONLY, AUTO), "TOO_LARGE", []),
    ((AUTO, AUTO), "BUSY FAILING BUSY", ["a http", "b websocket replayed", "b http"]),
    ((HTTP, AUTO), "FAILING UNREACHABLE", ["b websocket replayed", "b http"]),
    ((HTTP, AUTO, AUTO), "UNSAYABLE UNSAYABLE", ["b websocket", "c websocket"]),
    ((AUTO, HTTP, ONLY), "FAILING UNSAYABLE", ["b http replayed", "c websocket replayed"]),
    ((AUTO,), "LIMITED", []),
    ((AUTO, AUTO), "REFUSED", []),
    ((AUTO, AUTO), "WORKING", []),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "troubles", "ways"), SEQUENCES)
def test_sequences(kinds, troubles, ways):
    """Where a turn goes, one trouble after the other, until its client is told of the last."""
    channels = [running(name, kind) for name, kind in zip("abc", kinds, strict=False)]
    one, taken = Journey(*channels), []
    *before, last = troubles.split()
    for name in before:
        assert Trouble[name] is one.fail(one.attempt(0.0), example(Trouble[name]), 0.0)
        taken.append(way(one.attempt(0.0)))
    failure = example(Trouble[last])
    if len(taken) < len(ways):
        one.fail(one.attempt(0.0), failure, 0.0)
        taken.append(way(one.attempt(0.0)))
    else:
        with pytest.raises(LongwireError) as told:
            one.fail(one.attempt(0.0), failure, 0.0)
        assert told.value is failure
    assert taken == ways


def test_a_response_that_began_is_sent_again_where_configured():
    """Once."""
    one = Journey(running(), may_resend_begun=True)
    one.fail(one.attempt(0.0), example(Trouble.WORKING), 0.0)
    assert way(one.attempt(0.0)) == "a websocket replayed"
    with pytest.raises(LongwireError):
        one.fail(one.attempt(0.0), example(Trouble.WORKING), 0.0)


@pytest.mark.parametrize(
    "bound",
    [SEALED, turn(user("hi"), previous_response_id="r"), turn(user("hi"), conversation="c")],
)
def test_what_one_account_alone_can_read_stays_there(bound):
    """Encrypted reasoning and ids of the client's own mean nothing to another channel."""
    one = Journey(running("a"), running("b"), sent=bound)
    with pytest.raises(LongwireError):
        one.fail(one.attempt(0.0), example(Trouble.LIMITED), 0.0)


def test_a_preference_for_http_holds_for_its_channel():
    """The reason is told; the next channel is asked as usual."""
    one = Journey(running("a"), running("b"), prefers_http=Reason.ONE_SHOT)
    assert way(one.attempt(0.0)) == "a http one_shot"
    one.fail(one.attempt(0.0), example(Trouble.FAILING), 0.0)
    assert way(one.attempt(0.0)) == "b websocket replayed"


def test_a_live_connection_serves_while_new_ones_are_refused():
    """But once it failed, HTTP is next."""
    made = running()
    made.state.websocket_health.fail(0.0)
    assert way(Journey(made).attempt(1.0)) == "a http"
    holding = Journey(made, continues=lambda _: True)
    assert way(holding.attempt(1.0)) == "a websocket"
    holding.fail(holding.attempt(1.0), example(Trouble.UNSENT), 1.0)
    assert way(holding.attempt(1.0)) == "a http connection_lost"
    assert way(Journey(made).attempt(61.0)) == "a websocket"


def test_background_turns_stay_over_http():
    """On any channel that has both."""
    sent = turn(user("hi"), background=True)
    one = Journey(running("a"), running("b"), sent=sent, prefers_http=Reason.HTTP_TRANSPORT)
    assert way(one.attempt(0.0)) == "a http http_transport"
    one.fail(one.attempt(0.0), example(Trouble.FAILING), 0.0)
    assert way(one.attempt(0.0)) == "b http replayed"


APART = {Trouble.UNAUTHORIZED, Trouble.BARRED, Trouble.SEALED_ELSEWHERE}
STRIKING = [each for each in Trouble if each not in APART]
"""Those of accounts move a turn as others do, and renew once a channel: they have their tests."""


def paths(kinds, sent, striking=STRIKING, *, may_resend_begun=False):
    """Every run of troubles until the client is told, as attempts with what struck each."""
    failures = {trouble: example(trouble) for trouble in Trouble}
    channels = [channel(name, kind) for name, kind in zip("abc", kinds, strict=False)]
    pending = [()]
    while pending:
        struck = pending.pop()
        one = Journey(*map(candidate, channels), sent=sent, may_resend_begun=may_resend_begun)
        run = []
        try:
            for trouble in struck:
                run.append((one.attempt(0.0), trouble))
                one.fail(run[-1][0], failures[trouble], 0.0)
        except LongwireError as failure:
            failure.__traceback__ = None
            yield run
        else:
            pending += [(*struck, trouble) for trouble in striking]


@pytest.mark.parametrize("sent", [TURN, SEALED], ids=["free", "sealed"])
@pytest.mark.parametrize("may_resend_begun", [False, True])
@pytest.mark.parametrize(
    "kinds", [*product(KINDS, repeat=1), *product(KINDS, repeat=2)], ids=" ".join
)
def test_laws_of_every_run(kinds, may_resend_begun, sent):
    """It ends; at most one send follows doubt; no channel is asked again after it was left."""
    count = 0
    for run in paths(kinds, sent, may_resend_begun=may_resend_begun):
        count += 1
        names = [attempt.channel.name for attempt, _ in run]
        again = [trouble for _, trouble in run[:-1]]
        assert len(run) <= 2 * len(kinds) + 1
        assert sum(RECOVERY_RULES[trouble].may_bill_twice for trouble in again) <= 1
        assert Trouble.WORKING not in again or may_resend_begun
        assert names == sorted(names)
        assert sent is TURN or set(names) == {"a"}
        for name in set(names):
            over_http = [at.over_http for at, _ in run if at.channel.name == name]
            assert over_http == sorted(over_http)
    assert count >= len(STRIKING)


@pytest.mark.parametrize(
    "kinds",
    [*product(KINDS, repeat=1), *product(KINDS, repeat=2), ("http",) * 3],
    ids=" ".join,
)
def test_laws_of_every_search_for_who_can_read_it(kinds):
    """Each channel is tried once with sealed items; without them a turn moves as any other does."""
    sealed = Trouble.SEALED_ELSEWHERE
    own = [Trouble.UNREACHABLE, Trouble.LIMITED, Trouble.UNSENT, Trouble.LOST, sealed]
    for run in paths(kinds, SEALED, own):
        steps = [(at.channel.name, trouble) for at, trouble in run]
        unread = [name for name, trouble in steps if trouble is sealed][: len(kinds)]
        assert [*"abc"][: len(unread)] == unread
        ends = [at for at, (_, trouble) in enumerate(steps, 1) if trouble is sealed]
        searched = ends[len(kinds) - 1] if len(ends) >= len(kinds) else len(steps)
        for (before, trouble), (after, _) in pairwise(steps[:searched]):
            assert trouble is sealed or before == after
        later = [name for name, _ in steps[searched:]]
        assert later == sorted(later)
        assert later[:1] in ([], ["a"])


def test_who_names_what_one_upstream_holds_looks_for_no_other_reader():
    """Its sealed items are left out at once: nobody else has the rest."""
    sent = replace(SEALED, previous_response_id="resp_1")
    one = Journey(running("a"), running("b"), sent=sent)
    one.fail(one.attempt(0.0), example(Trouble.SEALED_ELSEWHERE), 0.0)
    again = one.attempt(0.0)
    assert ("a", Reason.SEALED_ELSEWHERE) == (again.channel.name, again.reason)
    with pytest.raises(UpstreamRejected):
        one.fail(again, example(Trouble.SEALED_ELSEWHERE), 0.0)


def test_what_was_left_out_moves_as_any_other():
    """Nothing of the turn is one account's alone any more: a limit is no reason to be refused."""
    one = Journey(running("a"), running("b"), sent=SEALED)
    for trouble in (Trouble.SEALED_ELSEWHERE, Trouble.SEALED_ELSEWHERE, Trouble.LIMITED):
        one.fail(one.attempt(0.0), example(trouble), 0.0)
    assert "b websocket replayed" == way(one.attempt(0.0))


def test_what_names_something_else_moves_nowhere_for_that():
    """Without its sealed items it still is what one upstream alone understands."""
    sent = replace(SEALED, previous_response_id="resp_1")
    one = Journey(running("a"), running("b"), sent=sent)
    one.fail(one.attempt(0.0), example(Trouble.SEALED_ELSEWHERE), 0.0)
    with pytest.raises(UpstreamRejected):
        one.fail(one.attempt(0.0), example(Trouble.LIMITED), 0.0)
