"""A channel with accounts: tokens that die, accounts that are used up, added and taken away."""

import ssl
import time
from contextlib import asynccontextmanager

import httpx2
import pytest

from longwire.app import opening
from longwire.core.nouns.account import AccountStatus
from longwire.core.nouns.quota import Quota, Window
from longwire.emulator import Fault, IssuerFault, IssuerOptions, Options, Script
from longwire.emulator.counters import Counters
from longwire.emulator.issuer import account_of
from tests.conftest import KEY, serving
from tests.journeys.accounts import (
    ACTOR,
    ADA,
    BOB,
    CYN,
    add_account,
    opened,
    settings_of,
    signed_in,
)
from tests.journeys.conftest import become


class Talk:
    """One conversation: it resends its whole history, in a session of its own."""

    def __init__(self, gateway, session):
        self.gateway = gateway
        self.session = session
        self.history = []

    async def post(self, question="on", path="/v1/responses", **members):
        """Ask, and return the answer as it comes over HTTP."""
        items = [*self.history, {"role": "user", "content": question}]
        include = ["reasoning.encrypted_content"]
        body = {"model": "gpt-5.5", "input": items, "store": False, "include": include, **members}
        headers = {"authorization": f"Bearer {KEY}", "session-id": self.session}
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx2.AsyncClient(timeout=30, verify=bare) as client:
            answer = await client.post(self.gateway.url + path, json=body, headers=headers)
        if answer.status_code == 200 and path == "/v1/responses":
            calls = [each for each in answer.json()["output"] if "call_id" in each]
            results = [
                {"type": "function_call_output", "call_id": each["call_id"], "output": "ok"}
                for each in calls
            ]
            self.history = [*items, *answer.json()["output"], *results]
        return answer

    async def ask(self, question="on", **members):
        """Ask, and return how the turn travelled."""
        answer = await self.post(question, **members)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-longwire-continuity"]


@pytest.fixture
def options():
    return Options(issuer=IssuerOptions(people=(ADA, BOB, CYN)))


@pytest.fixture
async def plain(emulator):
    """Let the model think nothing that only the account it thought for can read."""
    emulator.script = Script(tool_rounds=1, reasoning=False)


@pytest.fixture
def settings(emulator, tmp_path):
    return settings_of(emulator, tmp_path)


@asynccontextmanager
async def staged(settings, emulator, *people, **changes):
    """A gateway whose channel has the accounts of these people."""
    async with opened(settings) as store:
        spec, accounts = await signed_in(store, emulator, *people, **changes)
        async with serving(settings, opening(settings)) as gateway:
            yield gateway, store, spec, accounts


def served_by(emulator):
    """Whose accounts the turns came by, in order."""
    people = {account_of(person)[-4:]: person for person in (ADA, BOB, CYN)}
    return [people[turn.fingerprint] for turn in emulator.turns]


def live(gateway, account):
    return gateway.app.reconciler._accounts.find(account.id)


@pytest.mark.parametrize("transport", ["websocket", "http", "auto"])
async def test_a_dead_token_is_renewed_and_nobody_notices(settings, emulator, transport):
    """A token that the upstream takes no more, at the handshake, costs one renewal."""
    async with staged(settings, emulator, ADA, transport=transport) as (gateway, *_):
        emulator.issuer.revoke_access(ADA)
        talk = Talk(gateway, "s")
        await talk.ask()
        await talk.ask()
    assert 1 == emulator.issuer.counters["refresh"]


async def test_a_token_that_dies_in_mid_session_is_renewed(settings, emulator):
    """An open connection whose token died goes on with a new one, in full, and then continues."""
    async with staged(settings, emulator, ADA) as (gateway, store, _, (account,)):
        talk = Talk(gateway, "s")
        ways = [await talk.ask(), await talk.ask()]
        emulator.issuer.revoke_access(ADA)
        ways += [await talk.ask(), await talk.ask()]
        assert 2 == (await store.accounts.get(account.id)).tokens_revision
    assert ["fresh", "continued", "fresh", "continued"] == ways
    assert 1 == emulator.issuer.counters["refresh"]
    assert 2 == emulator.counters.sockets_opened


async def test_a_renewal_keeps_the_warm_connections(settings, emulator):
    """Connections belong to the account: a token renewed ahead of time closes none."""
    async with staged(settings, emulator, ADA) as (gateway, _, _, (account,)):
        talk = Talk(gateway, "s")
        await talk.ask()
        accounts = gateway.app.reconciler._accounts
        await accounts.renew(live(gateway, account))
        assert "continued" == await talk.ask()
        await gateway.app.reconciler.refresh()
        assert "continued" == await talk.ask()
    assert (1, 1) == (emulator.counters.sockets_opened, emulator.issuer.counters["refresh"])


@pytest.mark.parametrize(
    "options",
    [Options(issuer=IssuerOptions(access_lifetime=200.0))],
    ids=["dies in 200 s"],
)
async def test_a_token_that_dies_soon_is_renewed_beside_the_turn(settings, emulator):
    """Nobody waits for an issuer while the token lives, not even for one that fails."""
    emulator.issuer.faults.append(IssuerFault(at="refresh", times=99))
    async with staged(settings, emulator, ADA) as (gateway, *_):
        talk = Talk(gateway, "s")
        await talk.ask()
        await become(lambda: emulator.issuer.counters.get("refresh"))
        await talk.ask()
        emulator.issuer.faults.clear()


@pytest.mark.usefixtures("plain")
async def test_an_ended_login_moves_its_sessions(settings, emulator):
    """An account whose login was ended asks to be signed in; its sessions go on with another."""
    async with staged(settings, emulator, ADA, BOB) as (gateway, store, _, accounts):
        talk = Talk(gateway, "s")
        await talk.ask()
        (first,) = served_by(emulator)
        emulator.issuer.end_all(first)
        assert "fresh" == await talk.ask()
        assert "continued" == await talk.ask()
        held = {each.label: each for each in await store.accounts.all()}
        assert AccountStatus.SIGN_IN_NEEDED == held[first].status
        assert "refresh_token_invalidated" in held[first].problem
        others = {each.label for each in accounts} - {first}
        assert {AccountStatus.ACTIVE} == {held[each].status for each in others}


async def test_the_only_account_that_ended_is_told(settings, emulator):
    """Where no account is left the caller is told so, and nothing more is sent upstream."""
    async with staged(settings, emulator, ADA) as (gateway, store, spec, _):
        emulator.issuer.end_all(ADA)
        first = await Talk(gateway, "s").post()
        assert (503, "account_unavailable") == (
            first.status_code,
            first.json()["error"]["code"],
        )
        refused = emulator.counters.handshakes_refused
        again = await Talk(gateway, "t").post()
        assert 503 == again.status_code
        assert refused == emulator.counters.handshakes_refused
        await add_account(store, emulator, spec, ADA)
        await gateway.app.reconciler.refresh()
        assert "fresh" == await Talk(gateway, "u").ask()


@pytest.mark.parametrize("transport", ["websocket", "http", "auto"])
async def test_a_channel_that_speaks_for_nobody_asks_for_an_account(settings, emulator, transport):
    """Nothing is sent upstream without a name; the caller is told the mend, and then it works."""
    async with staged(settings, emulator, transport=transport) as (gateway, store, spec, _):
        refused = await Talk(gateway, "s").post()
        error = refused.json()["error"]
        assert (503, "account_unavailable") == (refused.status_code, error["code"])
        assert "longwire login codex --channel codex" in error["message"]
        assert Counters().snapshot() == emulator.counters.snapshot()
        await add_account(store, emulator, spec, ADA)
        await gateway.app.reconciler.refresh()
        assert "fresh" == await Talk(gateway, "s").ask()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("transport", ["websocket", "http", "auto"])
async def test_a_used_up_account_hands_over(settings, emulator, transport):
    """At its limit an account's sessions move, it is passed over, and comes back at its reset."""
    async with staged(settings, emulator, ADA, BOB, transport=transport) as (gateway, *_, accounts):
        talk = Talk(gateway, "s")
        await talk.ask()
        (first,) = served_by(emulator)
        resets_at = time.time() + 3600
        emulator.issuer.limits[first] = resets_at
        await talk.ask()
        refused = emulator.counters.handshakes_refused
        await talk.ask()
        for number in range(5):
            await Talk(gateway, f"t{number}").ask()
        assert refused == emulator.counters.handshakes_refused
        (used,) = [each for each in accounts if each.label == first]
        quota = live(gateway, used).quota_tracker.quota
        assert int(resets_at) == quota.blocked_until(time.time())
        assert quota.blocked_until(resets_at + 1) is None


@pytest.mark.usefixtures("plain")
async def test_a_used_up_account_in_mid_session_hands_over(settings, emulator):
    """The limit told on an open connection, before output, moves the turn, too."""
    async with staged(settings, emulator, ADA, BOB) as (gateway, *_):
        talk = Talk(gateway, "s")
        await talk.ask()
        await talk.ask()
        emulator.faults.add(
            Fault(
                at="before_create",
                act="error",
                status=429,
                code="usage_limit_reached",
                headers={"retry-after": "600"},
            )
        )
        assert "fresh" == await talk.ask()
    assert 2 == len(set(served_by(emulator)))


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("transport", ["websocket", "auto"])
async def test_a_compaction_is_made_good_as_a_turn_is(settings, emulator, transport):
    """A dead token is renewed, a used up account hands over, and what it made stays in use."""
    async with staged(settings, emulator, ADA, BOB, transport=transport) as (gateway, *_):
        talk = Talk(gateway, "s")
        await talk.ask()
        (first,) = served_by(emulator)
        emulator.issuer.revoke_access(first)
        told = await talk.post(path="/v1/responses/compact")
        assert (200, 1) == (told.status_code, emulator.issuer.counters["refresh"])
        talk.history = told.json()["output"]
        assert "fresh" == await talk.ask()
        assert "continued" == await talk.ask()
        emulator.issuer.limits[first] = time.time() + 600
        other = Talk(gateway, "t")
        told = await other.post(path="/v1/responses/compact")
        assert (200, 2) == (told.status_code, emulator.counters.compactions)
    assert {first} == set(served_by(emulator))


async def test_when_all_are_used_up_the_first_reset_is_told(settings, emulator):
    """The caller gets the provider's own refusal, with the time when the first account is back."""
    async with staged(settings, emulator, ADA, BOB) as (gateway, *_):
        soon = time.time() + 600
        emulator.issuer.limits.update({ADA: soon + 9000, BOB: soon})
        for _ in range(2):
            answer = await Talk(gateway, "s").post()
            assert 429 == answer.status_code
            error = answer.json()["error"]
            assert ("usage_limit_reached", "plus") == (error["type"], error["plan_type"])
            assert int(soon) == error["resets_at"]
            assert 590 <= error["resets_in_seconds"] <= 601
            assert error["resets_in_seconds"] == int(answer.headers["retry-after"])
        assert 2 == emulator.counters.handshakes_refused


@pytest.mark.parametrize("carries", ["previous response", "reasoning"])
async def test_what_only_one_account_understands_moves_nowhere(settings, emulator, carries):
    """A turn that another account would misread is refused rather than sent there."""
    async with staged(settings, emulator, ADA, BOB) as (gateway, *_):
        talk = Talk(gateway, "s")
        held = (await talk.post()).json()["id"]
        emulator.issuer.limits[served_by(emulator)[0]] = time.time() + 600
        body = [{"role": "user", "content": "more"}]
        named = {"input": body, "previous_response_id": held}
        for _ in range(2):
            answer = await talk.post(**(named if carries == "previous response" else {}))
            assert 429 == answer.status_code
            assert "usage_limit_reached" == answer.json()["error"]["type"]


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_sessions_stay_on_their_account(settings, emulator, transport):
    """Whatever is left elsewhere, a session stays; a new one goes where the most is left."""
    used = emulator.world.used
    async with staged(settings, emulator, ADA, BOB, transport=transport) as (gateway, *_):
        talk = Talk(gateway, "s")
        used.update({account_of(person): 90.0 for person in (ADA, BOB)})
        await talk.ask()
        (first,) = served_by(emulator)
        (other,) = {ADA, BOB} - {first}
        used[account_of(other)] = 10.0
        await talk.ask()
        for number in range(4):
            await Talk(gateway, f"t{number}").ask()
        await talk.ask()
    assert [first, first, *[other] * 4, first] == served_by(emulator)


async def test_accounts_come_and_go_without_touching_others(settings, emulator):
    """Adding, disabling and removing accounts closes no connection of another one."""
    async with staged(settings, emulator, ADA) as (gateway, store, spec, (ada,)):
        talk = Talk(gateway, "s")
        await talk.ask()
        bob = await add_account(store, emulator, spec, BOB)
        await gateway.app.reconciler.refresh()
        assert "continued" == await talk.ask()
        bob = await store.accounts.set_status(bob.id, 1, AccountStatus.DISABLED, ACTOR)
        await gateway.app.reconciler.refresh()
        assert "continued" == await talk.ask()
        await store.accounts.remove(bob.id, bob.revision, ACTOR)
        await gateway.app.reconciler.refresh()
        assert "continued" == await talk.ask()
        assert 1 == emulator.counters.sockets_open
        await store.accounts.remove(ada.id, 1, ACTOR)
        await gateway.app.reconciler.refresh()
        await become(lambda: emulator.counters.sockets_open == 0)


async def test_a_quota_is_known_after_a_restart(settings, emulator):
    """What the upstream told of a quota outlives the process."""
    async with staged(settings, emulator, ADA) as (gateway, store, _, (account,)):
        quota = Quota("pro", Window(42.0, 300, time.time() + 60), seen_at=time.time())
        live(gateway, account).quota_tracker.observe(quota)
    async with opened(settings) as store:
        assert quota == (await store.accounts.get(account.id)).quota
