"""Limits of one process, subject by subject."""

import pytest

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Rates
from longwire.core.rules.limits import Spent, Subject
from longwire.fleet import local as module
from longwire.fleet.local import LocalLimits


class Clock:
    now = 1_790_000_000.0

    def __call__(self):
        return self.now


def subject(name="a", **rates):
    return Subject(name, name, Rates(**rates))


async def test_a_refusal_tells_what_is_left():
    """Headers come with the admission, and with its refusal."""
    limits, one = LocalLimits(Clock()), subject(requests_per_minute=1)
    permit = await limits.enter(one)
    assert "0" == permit.headers["x-ratelimit-remaining-requests"]
    limits.leave(permit, Spent())
    with pytest.raises(LimitReached) as caught:
        await limits.enter(one)
    assert "1" == caught.value.headers["x-ratelimit-limit-requests"]
    assert {"a": caught.value.retry_after} == await limits.waits([one])


async def test_subjects_do_not_share():
    """What one used is not counted against another."""
    limits = LocalLimits(Clock())
    await limits.enter(subject("a", concurrent_turns=1))
    await limits.enter(subject("b", concurrent_turns=1))
    both = [subject("a", concurrent_turns=1), subject("b", concurrent_turns=2)]
    assert {"a": 1} == await limits.waits(both)


async def test_subjects_at_rest_are_forgotten(monkeypatch):
    """Memory stays bounded, and nobody who is limited now gets away by it."""
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    clock = Clock()
    limits, busy = LocalLimits(clock), subject("busy", concurrent_turns=1)
    await limits.enter(busy)
    clock.now += 120
    for number in range(10):
        each = subject(str(number), requests_per_minute=1)
        limits.leave(await limits.enter(each), Spent())
        clock.now += 120
    assert len(limits._meters) <= 4
    assert {"busy": 1} == await limits.waits([busy])


async def test_one_of_several_parts_admits_its_share():
    """Rounded up; and what must wait for its share says so."""
    limits = LocalLimits(lambda: 1_000.0, parts=2)
    one = subject(requests_per_minute=5)
    for _ in range(3):
        await limits.enter(one)
    with pytest.raises(LimitReached):
        await limits.enter(one)
    assert ["a"] == [*await limits.waits([one])]
