"""Laws of the swap: nothing runs twice, nothing is lost, and only what must is retired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.swap import Swap, plan

CHANNELS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"))


@pytest.mark.parametrize(
    ("running", "desired", "expected"),
    [
        ({}, {"a": "1"}, Swap({}, ("a",), ())),
        ({"a": "1"}, {}, Swap({}, (), ("a",))),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, Swap({"a": "a", "b": "b"}, (), ())),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, Swap({"a": "a"}, ("b",), ("b",))),
        ({"old": "1", "b": "2"}, {"new": "1", "b": "2"}, Swap({"b": "b", "new": "old"}, (), ())),
        ({"a": "1"}, {"a": "1", "copy": "1"}, Swap({"a": "a"}, ("copy",), ())),
        ({"a": "1"}, {"b": "1", "c": "1"}, Swap({"b": "a"}, ("c",), ())),
    ],
)
def test_the_plan_is_the_least(running, desired, expected):
    """What is the same stays, what is new starts, what is gone is retired, a rename is none."""
    assert expected == plan(running, desired)


@given(running=CHANNELS, desired=CHANNELS)
def test_every_channel_is_accounted_for_once(running, desired):
    """Each one that shall run is kept or started; each one that runs is kept or retired."""
    swap = plan(running, desired)
    assert sorted(desired) == sorted([*swap.keep, *swap.start])
    assert sorted(running) == sorted([*swap.keep.values(), *swap.retire])
    assert all(running[old] == desired[new] for new, old in swap.keep.items())


@given(running=CHANNELS, edited=st.sampled_from("abcdef"))
def test_an_edit_concerns_its_channel_alone(running, edited):
    """Whatever is done to one channel, the others keep everything."""
    desired = {**running, edited: "edited"}
    swap = plan(running, desired)
    others = [each for each in running if each != edited]
    assert others == [each for each in swap.keep if each != edited]
    assert all(swap.keep[each] == each for each in others)
