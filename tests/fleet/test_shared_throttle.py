"""Who guesses at several nodes is slowed as at one."""

import asyncio

import pytest

from longwire.core.errors import LimitReached
from longwire.fleet import shared_throttle as module
from longwire.fleet.joined import joined
from longwire.fleet.throttle import MOST_HERE, MOST_PER_ACCOUNT, MOST_PER_ADDRESS, WINDOW
from tests.doubles.valkey import until


@pytest.fixture
async def throttles(valkey_server):
    """Those of two nodes."""
    a, b = joined(valkey_server.url, "a"), joined(valkey_server.url, "b")
    async with a.valkey.running(), b.valkey.running():
        yield a.throttle, b.throttle


async def attempts(throttles, times, address="here", account="ada"):
    """How many of so many attempts were let through, at one node after the other."""
    through = 0
    for number in range(times):
        try:
            await throttles[number % 2].attempt(address, account)
        except LimitReached:
            continue
        through += 1
    return through


async def test_so_many_may_fail_at_all_nodes_together(throttles):
    """The refusal says how long, at each of them."""
    assert MOST_HERE == await attempts(throttles, 30)
    for each in throttles:
        with pytest.raises(LimitReached) as caught:
            await each.attempt("here", "ada")
        assert WINDOW - 5 < caught.value.retry_after <= WINDOW


async def test_after_the_pause_one_more_is_let_through(throttles, monkeypatch):
    """The window is the server's, and passes."""
    monkeypatch.setattr(module, "_WINDOW_MS", 300)
    assert MOST_HERE == await attempts(throttles, 12)

    async def is_over():
        return 1 == await attempts(throttles, 1)

    await until(is_over)


async def test_an_owner_elsewhere_is_not_locked_out_at_once(throttles):
    """Failures at one address leave the account open at another, up to a limit for all."""
    assert MOST_HERE == await attempts(throttles, 20, "somewhere")
    assert MOST_HERE == await attempts(throttles, 20)
    rest = sum([await attempts(throttles, 12, f"address {number}") for number in range(12)])
    assert MOST_PER_ACCOUNT - 2 * MOST_HERE == rest
    assert 1 == await attempts(throttles, 1, "here", "bob")


async def test_what_is_refused_counts_nowhere(throttles):
    """An account that is closed for an address does not close the address to others."""
    await attempts(throttles, MOST_HERE + MOST_PER_ADDRESS)
    tried = sum([await attempts(throttles, 1, account=f"user {n}") for n in range(100)])
    assert MOST_PER_ADDRESS - MOST_HERE == tried
    assert 0 == await attempts(throttles, 1, account="")


async def test_a_success_is_no_failure(throttles):
    """Signing in again and again is not slowed, and clears one's own slips at all nodes."""
    a, b = throttles
    for _ in range(MOST_PER_ACCOUNT + 1):
        (await a.attempt("here", "ada")).succeeded()
        (await b.attempt("here", "ada")).succeeded()
    assert MOST_HERE - 1 == await attempts(throttles, MOST_HERE - 1)
    (await a.attempt("here", "ada")).succeeded()
    assert MOST_HERE == await attempts(throttles, 30)


async def test_a_success_takes_back_its_own_attempt(throttles):
    """Not the one that came last, from whomever; however often that is written."""
    a, b = throttles
    own = await a.attempt("here", "ada")
    assert MOST_PER_ADDRESS - 1 == await attempts((b, b), 99, account="")
    own.succeeded()
    own.succeeded()
    assert 1 == await attempts((a, a), 99, account="")


async def test_many_at_once_count_in_full(throttles):
    """However many come together, no more are let through than one by one."""

    async def let_through(number):
        try:
            await throttles[number % 2].attempt("here", "ada")
        except LimitReached:
            return 0
        return 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(let_through(number)) for number in range(100)]
    assert MOST_HERE == sum(task.result() for task in tasks)


async def test_each_node_counts_by_itself_while_valkey_is_away(throttles, valkey_server):
    """Nobody guesses on, and nobody is locked out by an outage."""
    a, b = throttles
    await a.attempt("here", "ada")
    await valkey_server.kill()
    assert MOST_HERE - 1 == await attempts((a, a), MOST_HERE - 1)
    assert 1 == await attempts((b, b), 1)
    (await a.attempt("here", "ada")).succeeded()
    assert MOST_HERE == await attempts((a, a), 20)


async def test_who_tries_is_not_readable_in_valkey(throttles, valkey_server):
    """Keys are digests, and go by themselves."""
    a, _ = throttles
    await a.attempt("192.0.2.7", "ada@example.org")
    keys = await a._valkey.call("KEYS", "lw:{throttle:*")
    assert 3 == len(keys)
    assert not [key for key in keys if b"ada" in key or b"192" in key]
    assert all([0 < await a._valkey.call("TTL", key) <= WINDOW for key in keys])
