"""Who guesses is slowed, whoever else signs in is not."""

import asyncio

import pytest

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Role
from longwire.server.admin.throttle import (
    MOST_HERE,
    MOST_PER_ACCOUNT,
    MOST_PER_ADDRESS,
    WINDOW,
    Throttle,
)
from tests.server.admin.conftest import PASSWORD, SQLITE

SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { email } }"
JOIN = "mutation($input: JoinInput!) { join(input: $input) { email } }"


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def attempts(throttle, times, address="here", account="ada"):
    """How many of so many attempts were let through; each of them failed."""
    for number in range(times):
        try:
            throttle.attempt(address, account)
        except LimitReached:
            return number
    return times


def test_so_many_may_fail_and_then_there_is_a_pause(throttle, clock):
    """The refusal says how long; after that, and not before, one more is let through."""
    assert MOST_HERE == attempts(throttle, 99)
    with pytest.raises(LimitReached) as caught:
        throttle.attempt("here", "ada")
    assert WINDOW == caught.value.retry_after
    clock.now += WINDOW - 1
    assert 0 == attempts(throttle, 1)
    clock.now += 1
    assert MOST_HERE == attempts(throttle, 99)


def test_an_owner_elsewhere_is_not_locked_out_at_once(throttle):
    """Failures at one address leave the account open at another, up to a limit for all."""
    assert MOST_HERE == attempts(throttle, 99, "somewhere")
    assert MOST_HERE == attempts(throttle, 99, "here")
    rest = sum(attempts(throttle, 99, f"address {number}") for number in range(20))
    assert MOST_PER_ACCOUNT - 2 * MOST_HERE == rest
    assert 1 == attempts(throttle, 1, "here", "bob")


def test_an_address_has_a_limit_for_all_accounts(throttle):
    """Trying one password on many accounts is slowed, too; tokens count there."""
    tried = sum(attempts(throttle, 1, account=f"user {number}") for number in range(200))
    assert MOST_PER_ADDRESS == tried
    assert 0 == attempts(throttle, 1, account="")
    assert 1 == attempts(throttle, 1, "elsewhere", "")


def test_a_success_is_no_failure(throttle):
    """Signing in again and again is not slowed, and clears one's own slips."""
    for _ in range(3 * MOST_PER_ACCOUNT):
        throttle.attempt("here", "ada")
        throttle.succeeded("here", "ada")
    assert MOST_HERE - 1 == attempts(throttle, MOST_HERE - 1)
    throttle.attempt("here", "ada")
    throttle.succeeded("here", "ada")
    assert MOST_HERE == attempts(throttle, 99)


def test_memory_is_bounded(throttle):
    """However many addresses there are, only the latest are remembered."""
    for number in range(12_000):
        throttle.attempt(f"address {number}")
    assert len(throttle._attempts) <= 10_000


@SQLITE
async def test_guesses_at_once_are_as_many(nobody, signed_in):
    """Eighty wrong passwords sent together are counted before any of them is looked at."""
    await signed_in(Role.OWNER)
    wrong = {"email": "owner@example.org", "password": "not the password"}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(nobody.fail(SIGN_IN, input=wrong)) for _ in range(40)]
    codes = [task.result()["code"] for task in tasks]
    assert (MOST_HERE, 40 - MOST_HERE) == (codes.count("INVALID"), codes.count("LIMIT"))


@SQLITE
async def test_bad_tokens_lock_nobody_out(nobody, store):
    """After many tries with invented tokens a good one still lets its bearer in."""
    token = await store.invitations.open_setup()
    given = {"email": "ada@example.org", "password": PASSWORD.reveal()}
    for number in range(2 * MOST_HERE):
        told = await nobody.fail(JOIN, input={**given, "token": f"invented {number}"})
        assert "INVALID" == told["code"]
    made = await nobody.get(JOIN, input={**given, "token": token.reveal()})
    assert {"email": "ada@example.org"} == made


@SQLITE
async def test_the_cookie_lasts_from_its_last_use(viewer):
    """Asking who one is renews the cookie for as long as the sign-in lasts."""
    answer = await viewer.post("{ me { user { email } } }")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert viewer.headers["cookie"] == cookie.partition(";")[0]
    assert f"Max-Age={14 * 86_400}" in cookie
