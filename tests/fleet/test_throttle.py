"""Who guesses is slowed, whoever else signs in is not."""

import pytest

from longwire.core.errors import LimitReached
from longwire.fleet.throttle import (
    MOST_HERE,
    MOST_PER_ACCOUNT,
    MOST_PER_ADDRESS,
    WINDOW,
    LocalThrottle,
)


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return LocalThrottle(clock)


async def attempts(throttle, times, address="here", account="ada"):
    """How many of so many attempts were let through; each of them failed."""
    for number in range(times):
        try:
            await throttle.attempt(address, account)
        except LimitReached:
            return number
    return times


async def test_so_many_may_fail_and_then_there_is_a_pause(throttle, clock):
    """The refusal says how long; after that, and not before, one more is let through."""
    assert MOST_HERE == await attempts(throttle, 99)
    with pytest.raises(LimitReached) as caught:
        await throttle.attempt("here", "ada")
    assert WINDOW == caught.value.retry_after
    clock.now += WINDOW - 1
    assert 0 == await attempts(throttle, 1)
    clock.now += 1
    assert MOST_HERE == await attempts(throttle, 99)


async def test_an_owner_elsewhere_is_not_locked_out_at_once(throttle):
    """Failures at one address leave the account open at another, up to a limit for all."""
    assert MOST_HERE == await attempts(throttle, 99, "somewhere")
    assert MOST_HERE == await attempts(throttle, 99, "here")
    rest = sum([await attempts(throttle, 99, f"address {number}") for number in range(20)])
    assert MOST_PER_ACCOUNT - 2 * MOST_HERE == rest
    assert 1 == await attempts(throttle, 1, "here", "bob")


async def test_an_address_has_a_limit_for_all_accounts(throttle):
    """Trying one password on many accounts is slowed, too; tokens count there."""
    tried = sum([await attempts(throttle, 1, account=f"user {number}") for number in range(200)])
    assert MOST_PER_ADDRESS == tried
    assert 0 == await attempts(throttle, 1, account="")
    assert 1 == await attempts(throttle, 1, "elsewhere", "")


async def test_a_success_is_no_failure(throttle):
    """Signing in again and again is not slowed, and clears one's own slips."""
    for _ in range(3 * MOST_PER_ACCOUNT):
        (await throttle.attempt("here", "ada")).succeeded()
    assert MOST_HERE - 1 == await attempts(throttle, MOST_HERE - 1)
    (await throttle.attempt("here", "ada")).succeeded()
    assert MOST_HERE == await attempts(throttle, 99)


async def test_a_success_takes_back_its_own_attempt(throttle, clock):
    """Not the one that came last, from whomever: each of those still counts for its own time."""
    first = await throttle.attempt("here", "ada")
    clock.now += WINDOW / 2
    assert MOST_PER_ADDRESS - 1 == await attempts(throttle, 99, account="")
    first.succeeded()
    assert 1 == await attempts(throttle, 1, account="")
    clock.now += WINDOW / 2 + 1
    assert 0 == await attempts(throttle, 1, account="")


async def test_memory_is_bounded(throttle):
    """However many addresses there are, only the latest are remembered."""
    for number in range(12_000):
        await throttle.attempt(f"address {number}")
    assert len(throttle._attempts) <= 10_000
