"""Renewals: one at a time among processes, stored before they are used, whoever is killed when."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from longwire.core.errors import AccountUnavailable, StoreUnavailable
from longwire.core.nouns.access import Actor
from longwire.core.nouns.account import AccountStatus
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import decode_auth_json
from longwire.emulator import Emulator, IssuerFault, IssuerOptions, Options
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.store.accounts import Accounts
from longwire.store.database import Database
from longwire.store.store import now_ms
from longwire.store.tables import accounts as stored_accounts
from longwire.upstream.oauth.issuer import Registration

ADA = "ada@example.org"
ROOT = Path(__file__).parents[3]
KILLS = 24

RENEWER = """
import asyncio, os, sys
from pathlib import Path

from longwire.core.errors import AccountUnavailable
from longwire.core.nouns.secret import Secret
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.server import logs
from longwire.store.store import now_ms, open_store
from longwire.relay.accounts.issuers import Issuers
from longwire.upstream.oauth.issuer import Registration


async def renew(url, key, issuer, number):
    store = await open_store(url, Secret(""), Path(key))
    issuers = Issuers(Registration(issuer), now_ms, store.channels)
    accounts = LiveAccounts(store.accounts, issuers, now_ms)
    async with accounts.running():
        held = await store.accounts.all()
        (live,) = accounts.take_over(held).values()
        print("ready", os.getpid(), flush=True)
        sys.stdin.readline()
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(accounts.renew(live))
        print("renewed", live.account.tokens.access.reveal(), flush=True)
    await store.close()


logs.configure()
while number := sys.stdin.readline():
    if number == "go\\n":
        continue  # who it was meant for died before
    if (child := os.fork()) == 0:
        asyncio.run(renew(*sys.argv[1:], int(number)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""
"""Renews in a process of its own for each number it is told, forked from what is imported once."""


@pytest.fixture
async def upstream():
    leeway = IssuerOptions(people=(ADA,), reuse_leeway=True)
    async with Emulator(Options(issuer=leeway)) as running:
        yield running


@pytest.fixture
async def account(store, upstream):
    """An account in the store, as somebody signed it in."""
    spec = await store.channels.create(ChannelSpec("", "c", "codex"), Actor("", "test"))
    login = decode_auth_json(json.dumps(upstream.issuer.auth_json(ADA)))
    return await store.accounts.sign_in(spec.id, login, Actor("", "test"))


@asynccontextmanager
async def running(store, upstream, clock):
    """The accounts of a process."""
    issuers = Issuers(Registration(upstream.url), clock, store.channels)
    accounts = LiveAccounts(store.accounts, issuers, clock)
    async with accounts.running():
        accounts.take_over(await store.accounts.all())
        yield accounts


def strict(upstream):
    """Let the issuer forgive nothing."""
    upstream.issuer.options = IssuerOptions(people=(ADA,))


class Renewers:
    """Starts processes that renew the account, one after the other."""

    def __init__(self, process):
        self._process = process

    async def read(self):
        """The next line it tells."""
        return (await asyncio.to_thread(self._process.stdout.readline)).split()

    async def start(self, number):
        """Start a process that will renew so many times at once; return its id."""
        print(number, file=self._process.stdin, flush=True)
        ready, pid = await self.read()
        assert "ready" == ready
        return int(pid)

    def go(self):
        """Let the process renew."""
        print("go", file=self._process.stdin, flush=True)


@pytest.fixture
def renewers(database_url, tmp_path, upstream):
    """A function that gives a new starter of processes."""
    with ExitStack() as stack:

        def make():
            words = [database_url, str(tmp_path / "secret.key"), upstream.url]
            process = subprocess.Popen(
                [sys.executable, "-c", RENEWER, *words],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            return Renewers(stack.enter_context(process))

        yield make


@pytest.mark.process
async def test_ten_renewals_in_two_processes_are_one_request(account, upstream, store, renewers):
    """Whoever wants new tokens at the same moment gets the same, and the issuer is asked once."""
    strict(upstream)
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="delay", after_ms=300))
    processes = [renewers(), renewers()]
    for each in processes:
        await each.start(5)
    for each in processes:
        each.go()
    given = [await each.read() for each in processes]
    ends = [await each.read() for each in processes]
    assert [["ended", "0"]] * 2 == ends, given
    assert 1 == upstream.issuer.counters["refresh"]
    tokens = (await store.accounts.get(account.id)).tokens.access.reveal()
    assert [["renewed", tokens]] * 2 == given


@pytest.mark.process
@pytest.mark.timeout(240)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_gateway_that_is_killed_loses_no_login(account, upstream, store, renewers):
    """Killed at any moment of a renewal, the next start renews the account and it works.

    The issuer answers a rotation again until what came of it was used: without that leeway, an
    answer that was on its way when the process died is lost to everybody.
    """
    gateways = renewers()
    for kill in range(KILLS):
        step = 4 + kill * 5
        upstream.issuer.faults[:] = [IssuerFault(at="refresh", act="delay", after_ms=60)]
        pid = await gateways.start(3)
        gateways.go()
        await asyncio.sleep(step / 1000)  # the blow falls in each phase of a renewal
        os.kill(pid, signal.SIGKILL)
        while "ended" != (told := await gateways.read())[0]:
            assert "renewed" == told[0]
        upstream.issuer.faults.clear()
        held = await store.accounts.get(account.id)
        await _end_leases(store)  # as that of the dead does by itself in some seconds
        async with running(store, upstream, now_ms) as accounts:
            live = accounts.find(account.id)
            await accounts.renew(live)
            assert live.account.is_active, (step, live.account.problem)
            assert live.account.tokens_revision > held.tokens_revision
            owner = live.account.owner.account_id
            upstream.issuer.check(live.account.tokens.access.reveal(), owner)


async def _end_leases(store):
    async with store.database.write() as connection:
        await connection.execute(update(stored_accounts).values(lease_until=0))


async def test_three_gateways_with_wrong_clocks_renew_once(account, upstream, store, database_url):
    """A minute ahead, right, and a minute behind: one asks the issuer, all have its tokens."""
    strict(upstream)
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="delay", after_ms=300))
    databases = [Database(database_url) for _ in range(3)]
    async with AsyncExitStack() as stack:
        lives = []
        for database, skew in zip(databases, (60_000, 0, -60_000), strict=True):
            clock = _skewed(skew)
            own = replace(store, accounts=Accounts(database, store.vault, clock))
            gateway = await stack.enter_async_context(running(own, upstream, clock))
            lives.append((gateway, gateway.find(account.id)))
        async with asyncio.TaskGroup() as group:
            for gateway, live in lives * 3:
                group.create_task(gateway.renew(live))
        tokens = {live.account.tokens.access.reveal() for _, live in lives}
    for database in databases:
        await database.close()
    assert 1 == upstream.issuer.counters["refresh"]
    assert {(await store.accounts.get(account.id)).tokens.access.reveal()} == tokens


def _skewed(skew):
    return lambda: now_ms() + skew


async def test_a_lost_answer_is_asked_for_again(account, upstream, store, clock):
    """An answer that broke off was given all the same; an issuer with leeway gives it again."""
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="lose"))
    async with running(store, upstream, clock) as accounts:
        await accounts.renew(accounts.find(account.id))
    assert 2 == upstream.issuer.counters["refresh"]
    assert 2 == (await store.accounts.get(account.id)).tokens_revision


async def test_an_issuer_without_leeway_ends_a_login_whose_answer_was_lost(
    account, upstream, store, clock
):
    """What nobody can mend is told as it is: the account must be signed in again."""
    strict(upstream)
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="lose"))
    async with running(store, upstream, clock) as accounts:
        with pytest.raises(AccountUnavailable, match="refresh_token_reused"):
            await accounts.renew(accounts.find(account.id))
    held = await store.accounts.get(account.id)
    assert AccountStatus.SIGN_IN_NEEDED == held.status


async def test_an_issuer_that_fails_ends_nothing(account, upstream, store, clock):
    """After three failures the caller is told; the account stays as it was and can be renewed."""
    upstream.issuer.faults.append(IssuerFault(at="refresh", times=3))
    async with running(store, upstream, clock) as accounts:
        live = accounts.find(account.id)
        with pytest.raises(AccountUnavailable) as failed:
            await accounts.renew(live)
        assert not failed.value.needs_sign_in
        assert live.account.is_active
        await accounts.renew(live)
    assert 4 == upstream.issuer.counters["refresh"]


async def test_nobody_waits_for_the_database_while_the_issuer_answers(
    account, upstream, store, clock
):
    """Writers go on while a renewal is under way; there is no transaction around the request."""
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="delay", after_ms=3_000))
    async with running(store, upstream, clock) as accounts:
        task = accounts.begin(account)
        while "refresh" not in upstream.issuer.counters:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
        for number in range(5):
            spec = ChannelSpec("", f"c{number}", credential=Secret("sk-1"))
            await store.channels.create(spec, Actor("", "test"))
        assert not task.done()
        await task


async def test_a_caller_that_goes_ends_no_renewal(account, upstream, store, clock):
    """What was begun for somebody who left is brought to its end, and stored."""
    upstream.issuer.faults.append(IssuerFault(at="refresh", act="delay", after_ms=100))
    async with running(store, upstream, clock) as accounts:
        live = accounts.find(account.id)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await accounts.renew(live)
    assert 2 == (await store.accounts.get(account.id)).tokens_revision


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_tokens_that_could_not_be_stored_are_stored_later(
    account, upstream, store, clock, monkeypatch
):
    """A database that is gone for a while costs no login: the new tokens wait for it."""
    strict(upstream)
    monkeypatch.setattr("longwire.relay.accounts.accounts._STORING_PAUSES", (0.01,))
    kept = store.accounts.renew

    async def broken(*_):
        raise StoreUnavailable("the disk is full")

    async with running(store, upstream, clock) as accounts:
        live = accounts.find(account.id)
        monkeypatch.setattr(store.accounts, "renew", broken)
        with pytest.raises(AccountUnavailable, match="cannot be stored"):
            await accounts.renew(live)
        monkeypatch.setattr(store.accounts, "renew", kept)
        await accounts.renew(live)
        assert 2 == live.account.tokens_revision
    assert 1 == upstream.issuer.counters["refresh"]
