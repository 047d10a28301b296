"""Ids of calls as clients of Messages get them, and as they come back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.dialects.messages.ids import CallIds, upstream_call_id
from longwire.dialects.names import shortened

TAKEN = re.compile("^[a-zA-Z0-9_-]+$")
"""What Anthropic takes: `tool_use.id: String should match pattern`."""

OWN = st.text(min_size=1).filter(lambda each: "_again_" not in each)


@given(OWN)
def test_any_id_is_one_that_anthropic_takes_and_comes_back(own):
    """The next turn may be passed on there, or be translated for who made the id."""
    ids = CallIds()
    first, second = ids.unique(own), ids.unique(own)
    assert first != second
    assert all(TAKEN.fullmatch(each) for each in (first, second))
    assert [shortened(own)] * 2 == [upstream_call_id(first), upstream_call_id(second)]


@pytest.mark.parametrize("own", ["toolu_01A", "call_1", "functions-f_0"])
def test_an_id_that_anthropic_takes_stays(own):
    """It is the upstream's own."""
    assert own == CallIds().unique(own)


def test_kimis_ids_are_spelled_in_other_letters():
    """They have a dot and a colon."""
    spelled = CallIds().unique("functions.f:0")
    assert "lw_call_ZnVuY3Rpb25zLmY6MA" == spelled
    assert "functions.f:0" == upstream_call_id(spelled)


@pytest.mark.parametrize("own", ["lw_call_", "lw_call_é", "lw_call_A", "lw_call_\ud83d"])
def test_what_is_no_spelling_stays(own):
    """A client may make ids of its own."""
    assert own == upstream_call_id(own)
