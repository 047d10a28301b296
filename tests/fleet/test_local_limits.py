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
    assert "0" == (await limits.enter(one))["x-ratelimit-remaining-requests"]
    await limits.leave(one, Spent())
    with pytest.raises(LimitReached) as caught:
        await limits.enter(one)
    assert "1" == caught.value.headers["x-ratelimit-limit-requests"]
    assert caught.value.retry_after == await limits.wait(one)


async def test_subjects_do_not_share():
    """What one used is not counted against another."""
    limits = LocalLimits(Clock())
    await limits.enter(subject("a", concurrent_turns=1))
    await limits.enter(subject("b", concurrent_turns=1))
    assert 1 == await limits.wait(subject("a", concurrent_turns=1))


async def test_subjects_at_rest_are_forgotten(monkeypatch):
    """Memory stays bounded, and nobody who is limited now gets away by it."""
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    clock = Clock()
    limits, busy = LocalLimits(clock), subject("busy", concurrent_turns=1)
    await limits.enter(busy)
    clock.now += 120
    for number in range(10):
        each = subject(str(number), requests_per_minute=1)
        await limits.enter(each)
        await limits.leave(each, Spent())
        clock.now += 120
    assert len(limits._meters) <= 4
    assert 1 == await limits.wait(busy)
