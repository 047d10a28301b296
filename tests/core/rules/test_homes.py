"""Keys of homes: no two callers, and no two kinds of things, ever share one."""

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.homes import (
    HELD_LASTS,
    SESSION_LASTS,
    held_key,
    owned_key,
    session_home_key,
)
from longwire.core.rules.turn import Scope

SCOPES = st.one_of(st.none(), st.text(min_size=1).map(Scope))
HALVES_OF_EMOJI = ["\ud83d", "\ude00", "\udcff"]  # as the id in an item may be
IDS = st.text() | st.sampled_from(HALVES_OF_EMOJI)
NAMES = st.tuples(SCOPES, IDS)
KINDS = (session_home_key, held_key)


@given(NAMES, NAMES)
def test_two_callers_never_share_a_key(one, other):
    """Keys are equal where caller and id are, wherever one text ends and the other begins."""
    for kind in KINDS:
        assert (one == other) == (kind(*one) == kind(*other))


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_wall_cannot_be_moved(wall, identity):
    """What stands before the wall cannot be said behind it."""
    text = wall + identity
    for kind in KINDS:
        keys = {kind(Scope(text[:at]), text[at:]) for at in range(1, len(text) + 1)}
        assert len(text) == len(keys)


@given(NAMES)
def test_kinds_are_apart(name):
    """A session that is called as a response is another thing."""
    keys = [session_home_key(*name), held_key(*name), owned_key(name[1])]
    assert 3 == len({key.digest for key in keys})
    assert [SESSION_LASTS, HELD_LASTS, HELD_LASTS] == [key.lasts for key in keys]
    assert {16} == {len(key.digest) for key in keys}
