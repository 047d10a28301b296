"""What to do after trouble: every trouble in every state, enumerated."""

from itertools import product

import pytest

from longwire.core.rules.recovery import RECOVERY_RULES, Recovery, RetryState, Trouble, recover

STATES = [RetryState(*flags) for flags in product((False, True), repeat=7)]


def test_every_trouble_has_its_row() -> None:
    """None is forgotten."""
    assert set(Trouble) == set(RECOVERY_RULES)


@pytest.mark.parametrize("trouble", Trouble)
def test_a_recovery_is_one_the_table_names_and_the_state_allows(trouble: Trouble) -> None:
    """Nothing else is ever done."""
    for state in STATES:
        recovery = recover(trouble, state)
        allowed = {
            Recovery.RESEND: not state.has_resent,
            Recovery.RENEW: state.may_renew,
            Recovery.USE_HTTP: state.may_use_http,
            Recovery.NEXT_CHANNEL: state.may_move,
            Recovery.NEXT_READER: state.may_seek_reader,
            Recovery.LEAVE_OUT: state.may_leave_out,
            Recovery.GIVE_UP: True,
        }
        assert allowed[recovery], state
        assert recovery in (*RECOVERY_RULES[trouble].recoveries, Recovery.GIVE_UP), state


@pytest.mark.parametrize(
    "trouble", [each for each in Trouble if RECOVERY_RULES[each].may_bill_twice]
)
def test_no_second_send_once_the_upstream_may_have_begun_twice(trouble: Trouble) -> None:
    """A turn is billed twice at most by one ambiguous send."""
    resent = [state for state in STATES if state.has_resent]
    assert {recover(trouble, state) for state in resent} == {Recovery.GIVE_UP}


def test_a_response_that_began_is_left_to_its_client() -> None:
    """Unless the operator wants otherwise."""
    for state in STATES:
        expected = state.may_resend_begun and not state.has_resent
        recovery = Recovery.RESEND if expected else Recovery.GIVE_UP
        assert recovery is recover(Trouble.WORKING, state), state


def test_what_the_request_itself_is_refused_for_is_told() -> None:
    """No other channel would take it."""
    assert {recover(Trouble.REFUSED, state) for state in STATES} == {Recovery.GIVE_UP}


@pytest.mark.parametrize(
    ("trouble", "state", "recovery"),
    [
        (Trouble.UNSENT, RetryState(), Recovery.RESEND),
        (Trouble.UNSENT, RetryState(has_resent=True, may_use_http=True), Recovery.USE_HTTP),
        (Trouble.UNSENT, RetryState(has_resent=True, may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.LOST, RetryState(may_use_http=True, may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.LOST, RetryState(may_use_http=True), Recovery.RESEND),
        (Trouble.SILENT, RetryState(may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.SILENT, RetryState(), Recovery.RESEND),
        (Trouble.FORGOT, RetryState(may_move=True), Recovery.RESEND),
        (Trouble.EXPIRED, RetryState(), Recovery.RESEND),
        (Trouble.DUPLICATE, RetryState(), Recovery.RESEND),
        (Trouble.MALFORMED, RetryState(may_move=True), Recovery.RESEND),
        (Trouble.MALFORMED, RetryState(has_resent=True, may_move=True), Recovery.GIVE_UP),
        (
            Trouble.SEALED_ELSEWHERE,
            RetryState(may_seek_reader=True, may_leave_out=True),
            Recovery.NEXT_READER,
        ),
        (
            Trouble.SEALED_ELSEWHERE,
            RetryState(may_leave_out=True, may_move=True),
            Recovery.LEAVE_OUT,
        ),
        (Trouble.SEALED_ELSEWHERE, RetryState(may_move=True), Recovery.GIVE_UP),
        (Trouble.UNREACHABLE, RetryState(may_use_http=True, may_move=True), Recovery.USE_HTTP),
        (Trouble.UNREACHABLE, RetryState(may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.NO_WEBSOCKET, RetryState(may_use_http=True), Recovery.USE_HTTP),
        (Trouble.NO_WEBSOCKET, RetryState(), Recovery.GIVE_UP),
        (Trouble.TOO_LARGE, RetryState(may_use_http=True), Recovery.USE_HTTP),
        (Trouble.TOO_LARGE, RetryState(may_move=True), Recovery.GIVE_UP),
        (Trouble.UNSAYABLE, RetryState(may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.UNSAYABLE, RetryState(may_use_http=True), Recovery.GIVE_UP),
        (Trouble.BUSY, RetryState(may_use_http=True), Recovery.USE_HTTP),
        (Trouble.LIMITED, RetryState(may_use_http=True, may_move=True), Recovery.NEXT_CHANNEL),
        (Trouble.LIMITED, RetryState(may_use_http=True), Recovery.GIVE_UP),
        (Trouble.FAILING, RetryState(may_move=True), Recovery.NEXT_CHANNEL),
    ],
)
def test_the_rows_in_words(trouble: Trouble, state: RetryState, recovery: Recovery) -> None:
    """The usual cases, readable."""
    assert recovery is recover(trouble, state)
