"""What to do after trouble: every trouble in every standing, enumerated."""

from itertools import product

import pytest

from longwire.core.rules.recovery import AMBIGUOUS, MOVES, Move, Standing, Trouble, recover

STANDINGS = [Standing(*flags) for flags in product((False, True), repeat=5)]
EVERY = [*product(Trouble, STANDINGS)]


def test_every_trouble_has_its_row() -> None:
    """None is forgotten."""
    assert set(Trouble) == set(MOVES)


@pytest.mark.parametrize(("trouble", "standing"), EVERY)
def test_a_move_is_one_the_table_names_and_the_standing_allows(
    trouble: Trouble, standing: Standing
) -> None:
    """Nothing else is ever done."""
    move = recover(trouble, standing)
    allowed = {
        Move.RESEND: not standing.has_resent,
        Move.RENEW: standing.may_renew,
        Move.USE_HTTP: standing.may_use_http,
        Move.NEXT_CHANNEL: standing.may_move,
        Move.GIVE_UP: True,
    }
    assert allowed[move]
    assert move in (*MOVES[trouble], Move.GIVE_UP)


@pytest.mark.parametrize(("trouble", "standing"), EVERY)
def test_no_second_send_once_the_upstream_may_have_begun_twice(
    trouble: Trouble, standing: Standing
) -> None:
    """A turn is billed twice at most by one ambiguous send."""
    if trouble in AMBIGUOUS and standing.has_resent:
        assert Move.GIVE_UP is recover(trouble, standing)


@pytest.mark.parametrize("standing", STANDINGS)
def test_a_response_that_began_is_left_to_its_client(standing: Standing) -> None:
    """Unless the operator wants otherwise."""
    expected = standing.may_resend_begun and not standing.has_resent
    assert (Move.RESEND if expected else Move.GIVE_UP) is recover(Trouble.WORKING, standing)


@pytest.mark.parametrize("standing", STANDINGS)
def test_what_the_request_itself_is_refused_for_is_told(standing: Standing) -> None:
    """No other channel would take it."""
    assert Move.GIVE_UP is recover(Trouble.REFUSED, standing)


@pytest.mark.parametrize(
    ("trouble", "standing", "move"),
    [
        (Trouble.UNSENT, Standing(), Move.RESEND),
        (Trouble.UNSENT, Standing(has_resent=True, may_use_http=True), Move.USE_HTTP),
        (Trouble.UNSENT, Standing(has_resent=True, may_move=True), Move.NEXT_CHANNEL),
        (Trouble.LOST, Standing(may_use_http=True, may_move=True), Move.RESEND),
        (Trouble.SILENT, Standing(may_move=True), Move.NEXT_CHANNEL),
        (Trouble.SILENT, Standing(), Move.RESEND),
        (Trouble.FORGOT, Standing(may_move=True), Move.RESEND),
        (Trouble.EXPIRED, Standing(), Move.RESEND),
        (Trouble.DUPLICATE, Standing(), Move.RESEND),
        (Trouble.UNREACHABLE, Standing(may_use_http=True, may_move=True), Move.USE_HTTP),
        (Trouble.UNREACHABLE, Standing(may_move=True), Move.NEXT_CHANNEL),
        (Trouble.NO_WEBSOCKET, Standing(may_use_http=True), Move.USE_HTTP),
        (Trouble.NO_WEBSOCKET, Standing(), Move.GIVE_UP),
        (Trouble.TOO_LARGE, Standing(may_use_http=True), Move.USE_HTTP),
        (Trouble.TOO_LARGE, Standing(may_move=True), Move.GIVE_UP),
        (Trouble.BUSY, Standing(may_use_http=True), Move.USE_HTTP),
        (Trouble.LIMITED, Standing(may_use_http=True, may_move=True), Move.NEXT_CHANNEL),
        (Trouble.LIMITED, Standing(may_use_http=True), Move.GIVE_UP),
        (Trouble.FAILING, Standing(may_move=True), Move.NEXT_CHANNEL),
    ],
)
def test_the_rows_in_words(trouble: Trouble, standing: Standing, move: Move) -> None:
    """The usual cases, readable."""
    assert move is recover(trouble, standing)
