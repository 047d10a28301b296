"""Lanes against their laws: whatever comes in whatever order."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from longwire.core.errors import InvalidRequest, LimitReached
from longwire.core.rules.lanes import LaneLimits, Lanes

SMALL = LaneLimits(lanes=3, active=2, waiting=4, bytes=100)


def test_a_lane_has_its_own_order():
    """On one lane one runs at a time, in the order they came."""
    lanes = Lanes(LaneLimits())
    assert [True, False, False] == [lanes.admit("a", number, 1) for number in range(3)]
    assert [1, 2, None] == [lanes.finish("a") for _ in range(3)]
    assert lanes.is_idle


def test_sixteen_lanes_run_at_once():
    """The seventeenth waits for any of them, and the lane without a name counts among them."""
    lanes = Lanes(LaneLimits())
    names = [None, *(f"lane-{number}" for number in range(16))]
    assert [True] * 16 + [False] == [lanes.admit(name, name, 1) for name in names]
    assert "lane-15" == lanes.finish("lane-3")


def test_the_thirty_third_name_is_refused():
    """Names are never given back; the lane without one is always there."""
    lanes = Lanes(LaneLimits())
    for number in range(32):
        lanes.admit(f"lane-{number}", number, 1)
        lanes.finish(f"lane-{number}")
    with pytest.raises(InvalidRequest, match="maximum number of distinct") as caught:
        lanes.admit("lane-32", 32, 1)
    assert "websocket_stream_limit_reached" == caught.value.code
    assert lanes.admit("lane-0", 0, 1)
    assert lanes.admit(None, 0, 1)


@pytest.mark.parametrize(("waiting", "size"), [(4, 1), (2, 50)])
def test_what_waits_is_bounded(waiting, size):
    """Past the number or the bytes that may wait a request is refused, and later ones are not."""
    lanes = Lanes(SMALL)
    lanes.admit(None, 0, 1_000)
    for number in range(waiting):
        lanes.admit(None, number, size)
    with pytest.raises(LimitReached, match="waits on this WebSocket") as caught:
        lanes.admit(None, waiting, 1)
    assert ("websocket_queue_full", 1) == (caught.value.code, caught.value.retry_after)
    lanes.finish(None)
    assert not lanes.admit(None, 9, 1)


def test_a_refused_request_takes_no_name():
    """What was not taken counts for nothing."""
    lanes = Lanes(LaneLimits(lanes=1, active=1, waiting=0))
    lanes.admit(None, 0, 1)
    with pytest.raises(LimitReached):
        lanes.admit("a", 1, 1)
    lanes.finish(None)
    assert lanes.admit("b", 2, 1)


class AnyOrder(RuleBasedStateMachine):
    """Requests come and end in any order; a plain list tells what must run."""

    def __init__(self):
        super().__init__()
        self.lanes = Lanes(SMALL)
        self.running, self.waiting, self.number = {}, [], 0

    @rule(lane=st.sampled_from([None, "a", "b", "c", "d"]), size=st.integers(0, 60))
    def ask(self, lane, size):
        self.number += 1
        try:
            runs = self.lanes.admit(lane, (lane, self.number), size)
        except (InvalidRequest, LimitReached):
            return
        if runs:
            assert lane not in self.running
            self.running[lane] = self.number
        else:
            self.waiting.append((lane, self.number))

    @precondition(lambda self: self.running)
    @rule(ends_newest=st.booleans())
    def end(self, ends_newest):
        lane = list(self.running)[-1 if ends_newest else 0]
        del self.running[lane]
        following = self.lanes.finish(lane)
        expected = next((w for w in self.waiting if w[0] not in self.running), None)
        assert expected == following
        if following is not None:
            self.waiting.remove(following)
            self.running[following[0]] = following[1]

    @invariant()
    def bounds_hold_and_nobody_waits_in_vain(self):
        assert len(self.running) <= SMALL.active
        assert len(self.waiting) <= SMALL.waiting
        free = [w for w in self.waiting if w[0] not in self.running]
        assert not free or len(self.running) == SMALL.active
        assert self.lanes.is_idle == (not self.running)


TestAnyOrder = AnyOrder.TestCase
