"""An issuer that says "later" is asked later; what it refuses for good is told at once."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from longwire.core.errors import AccountUnavailable
from longwire.core.nouns.access import Actor
from longwire.core.nouns.account import STALE_MS
from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.codex.auth import PERMANENT, decode_auth_json
from longwire.emulator import Emulator, IssuerFault, IssuerOptions, Options
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.sign_in import Method, Stage
from longwire.relay.accounts.sign_ins import SignIns
from longwire.server import oauth_callback
from longwire.upstream.oauth.issuer import Registration
from tests.journeys.conftest import become

ADA, ACTOR = "ada@example.org", Actor("", "test")
SLOWER = 0.4

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def upstream():
    async with Emulator(Options(issuer=IssuerOptions(people=(ADA,), device_interval=0))) as running:
        yield running


@asynccontextmanager
async def acting(store, upstream, clock):
    """The accounts of a gateway, with Ada's, and sign-ins whose polls slow down a little."""
    spec = await store.channels.create(ChannelSpec("", "c", "codex"), ACTOR)
    login = decode_auth_json(json.dumps(upstream.issuer.auth_json(ADA)))
    await store.accounts.sign_in(spec.id, login, ACTOR)
    issuers = Issuers(Registration(upstream.url), clock, store.channels)
    accounts = LiveAccounts(store.accounts, issuers, clock)

    async def joined():
        pass

    sign_ins = SignIns(store.accounts, issuers, clock, joined, oauth_callback.listen, SLOWER)
    async with accounts.running(), sign_ins.running():
        (live,) = accounts.take_over(await store.accounts.all()).values()
        yield accounts, live, sign_ins


def faults(upstream, step, *acts):
    """Let the next requests of a step be refused so."""
    upstream.issuer.faults += [IssuerFault(at=step, **act) for act in acts]


async def signed_in(sign_ins, channel_id, upstream):
    """Sign Ada in by a device code that she approves at once; returns the sign-in, and seconds."""
    clock = asyncio.get_running_loop().time
    sign_in = await sign_ins.begin(channel_id, Method.DEVICE, ACTOR)
    begun = clock()
    for device in upstream.issuer.devices.values():
        device.email = ADA
    await become(lambda: sign_in.stage is not Stage.PENDING)
    return sign_in, clock() - begun


BUSY = {"status": 429, "code": "rate_limited", "retry_after": 1}


async def test_a_busy_issuer_is_asked_for_a_device_code_again(store, upstream, clock):
    """After as long as it says, and the account is signed in."""
    faults(upstream, "usercode", BUSY, BUSY | {"retry_after": None})
    async with acting(store, upstream, clock) as (_, live, sign_ins):
        before = asyncio.get_running_loop().time()
        sign_in, _ = await signed_in(sign_ins, live.account.channel_id, upstream)
        assert 3 <= asyncio.get_running_loop().time() - before
    assert (Stage.DONE, ADA) == (sign_in.stage, sign_in.account.owner.email)
    assert 3 == upstream.issuer.counters["usercode"]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (BUSY | {"retry_after": 120}, "rate_limited"),
        ({"status": 403, "code": "unsupported_country_region_territory"}, "unsupported_country"),
        ({"status": 400, "code": "invalid_client", "flat": True}, "invalid_client"),
    ],
    ids=lambda value: str(value.get("code")) if isinstance(value, dict) else "",
)
async def test_what_no_patience_helps_against_is_told_at_once(store, upstream, clock, act, words):
    """Whoever wants to be asked in two minutes, or never, is asked once."""
    faults(upstream, "usercode", act)
    async with acting(store, upstream, clock) as (_, live, sign_ins):
        with pytest.raises(AccountUnavailable, match=words):
            await sign_ins.begin(live.account.channel_id, Method.DEVICE, ACTOR)
    assert 1 == upstream.issuer.counters["usercode"]


@pytest.mark.parametrize(
    ("acts", "least"),
    [
        ([], 0.2),
        ([{"status": 400, "code": "authorization_pending", "flat": True}] * 2, 0.6),
        ([{"status": 403, "code": "deviceauth_pending"}] * 2, 0.6),
        ([{"status": 400, "code": "slow_down", "flat": True}], 0.2 + 0.6),
        ([{"status": 400, "code": "slow_down", "flat": True}, {"status": 429}], 0.2 + 0.6 + 1.0),
        ([{"status": 503}], 0.2 + 0.6),
        ([BUSY], 0.2 + 1.0),
    ],
    ids=str,
)
async def test_polls_slow_down_when_the_issuer_wants_it(store, upstream, clock, acts, least):
    """For good after `slow_down` (RFC 8628, 3.5) and like words, and never while it only waits."""
    faults(upstream, "poll", *acts)
    async with acting(store, upstream, clock) as (_, live, sign_ins):
        sign_in, seconds = await signed_in(sign_ins, live.account.channel_id, upstream)
    assert Stage.DONE == sign_in.stage
    assert least <= seconds < least + 1.0  # polled more slowly it would be later yet
    assert len(acts) + 1 == upstream.issuer.counters["poll"]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_client"])
@pytest.mark.parametrize("status", [400, 403])
async def test_a_device_that_is_refused_for_good_is_polled_no_more(
    store, upstream, clock, code, status
):
    """The sign-in has failed, and says why."""
    faults(upstream, "poll", {"status": status, "code": code, "flat": True})
    async with acting(store, upstream, clock) as (_, live, sign_ins):
        sign_in, _ = await signed_in(sign_ins, live.account.channel_id, upstream)
    assert (Stage.FAILED, 1) == (sign_in.stage, upstream.issuer.counters["poll"])
    assert code in sign_in.error


async def test_a_long_pause_holds_nobody_up(store, upstream, clock):
    """A gateway that ends does not wait for the next poll."""
    faults(upstream, "poll", {"status": 429, "retry_after": 600})
    async with asyncio.timeout(5):
        async with acting(store, upstream, clock) as (_, live, sign_ins):
            sign_in = await sign_ins.begin(live.account.channel_id, Method.DEVICE, ACTOR)
            await become(lambda: "poll" in upstream.issuer.counters)
            assert Stage.PENDING == sign_in.stage


async def test_a_busy_issuer_is_not_asked_for_new_tokens_by_every_turn(store, upstream, clock):
    """While the token lives turns use it; when the time is over the issuer is asked again."""
    faults(upstream, "refresh", {"status": 429, "retry_after": 60})
    async with acting(store, upstream, clock) as (accounts, live, _):
        clock.now = live.account.refreshed_at + STALE_MS + 1
        tokens = live.account.tokens.access
        for _ in range(5):
            await live.headers()
            with pytest.raises(AccountUnavailable, match="server_error") as busy:
                await accounts.renew(live)
            assert not busy.value.needs_sign_in
            assert tokens == live.account.tokens.access
        assert 1 == upstream.issuer.counters["refresh"]
        clock.now += 61_000
        await accounts.renew(live)
    assert (2, 2) == (upstream.issuer.counters["refresh"], live.account.tokens_revision)


@pytest.mark.parametrize("code", PERMANENT)
async def test_an_account_that_must_sign_in_again_says_what_became_of_it(
    store, upstream, clock, code
):
    """In the error as in what is kept: a sentence, the issuer's code, and the mend."""
    faults(upstream, "refresh", {"status": 401, "code": code})
    async with acting(store, upstream, clock) as (accounts, live, _):
        with pytest.raises(AccountUnavailable) as ended:
            await accounts.renew(live)
    (held,) = await store.accounts.all()
    expected = f"{PERMANENT[code]} ({code}); sign in anew here."
    assert [expected, expected] == [str(ended.value), held.problem]
