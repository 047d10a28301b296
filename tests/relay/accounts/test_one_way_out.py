"""An account is one identity: what it asks its issuer goes the way of its channel, as turns do."""

import json
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from longwire.core.errors import AccountUnavailable
from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import decode_auth_json
from longwire.emulator import Emulator, IssuerOptions, Options
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.sign_in import Method
from longwire.relay.accounts.sign_ins import SignIns
from longwire.server import oauth_callback
from longwire.store.store import now_ms
from longwire.upstream.oauth.issuer import Registration
from tests.doubles.authority import Authority
from tests.doubles.proxies import proxy
from tests.journeys.conftest import become

ADA, ACTOR = "ada@example.org", Actor("", "test")
ELSEWHERE = "issuer.test"
"""A host that only the proxy knows."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@asynccontextmanager
async def issuing(**options):
    """An upstream that signs Ada in, after polls in quick succession."""
    issuer = IssuerOptions(people=(ADA,), device_interval=0)
    async with Emulator(Options(issuer=issuer, **options)) as running:
        yield running


@asynccontextmanager
async def acting(store, upstream, issuer_url, **channel):
    """The accounts and sign-ins of a gateway, with a channel that has Ada's account."""
    spec = await store.channels.create(ChannelSpec("", "c", "codex", **channel), ACTOR)
    login = decode_auth_json(json.dumps(upstream.issuer.auth_json(ADA)))
    account = await store.accounts.sign_in(spec.id, login, ACTOR)
    issuers = Issuers(Registration(issuer_url), now_ms, store.channels)
    accounts = LiveAccounts(store.accounts, issuers, now_ms)

    async def joined():
        pass

    sign_ins = SignIns(store.accounts, issuers, now_ms, joined, oauth_callback.listen)
    async with accounts.running(), sign_ins.running():
        yield account, accounts, sign_ins


async def by_device(sign_ins, channel_id, upstream):
    """Sign somebody in by a device code."""
    sign_in = await sign_ins.begin(channel_id, Method.DEVICE, ACTOR)
    (device,) = upstream.issuer.devices.values()
    device.email = ADA
    await become(lambda: sign_in.account is not None or sign_in.error)
    return sign_in


async def by_browser(sign_ins, channel_id, upstream):
    """Sign somebody in by a browser, which goes its own way."""
    sign_in = await sign_ins.begin(channel_id, Method.BROWSER, ACTOR, listens=False)
    query = urlsplit(sign_in.url).query
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{upstream.url}/oauth/authorize?{query}", allow_redirects=False) as answer,
    ):
        return await sign_ins.finish(sign_in.id, answer.headers["location"])


@pytest.mark.parametrize(("kind", "scheme"), [("http", "http"), ("socks", "socks5h")])
async def test_the_issuer_is_asked_by_the_channels_proxy(store, kind, scheme):
    """Renewals, device codes and browsers' codes: nothing goes past it."""
    async with issuing() as upstream, proxy(kind) as between:
        between.ports[ELSEWHERE] = urlsplit(upstream.url).port
        own = {"proxy": Secret(between.url(scheme))}
        async with acting(store, upstream, f"http://{ELSEWHERE}:18998", **own) as stage:
            account, accounts, sign_ins = stage
            renewed = await accounts.renew_stored(account)
            device = await by_device(sign_ins, account.channel_id, upstream)
            browser = await by_browser(sign_ins, account.channel_id, upstream)
    assert 2 == renewed.tokens_revision
    assert ["", "", ADA, ADA] == [
        device.error,
        browser.error,
        device.account.owner.email,
        browser.account.owner.email,
    ]
    assert {f"{ELSEWHERE}:18998"} == set(between.targets)
    if kind == "http":
        paths = [urlsplit(url).path for url in between.urls]
        assert "/oauth/token" == paths[0]
        assert {"/api/accounts/deviceauth/usercode", "/oauth/token"} < set(paths)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("trust", ["tls_ca", "tls_verify", ""])
async def test_the_issuer_is_trusted_as_the_channel_trusts(store, authority, scheme, trust):
    """What the channel's upstream may show, its issuer may; nobody else."""
    own = {"tls_ca": {"tls_ca": authority.file}, "tls_verify": {"tls_verify": False}}.get(trust, {})
    secure = {"tls_cert": authority.file, "tls_key": authority.key}
    kind = "http" if scheme == "http" else "socks"
    async with issuing(**secure) as upstream, proxy(kind) as between:
        own["proxy"] = Secret(between.url(scheme))
        async with acting(store, upstream, upstream.url, **own) as (account, accounts, _):
            if trust:
                renewed = await accounts.renew_stored(account)
                assert 2 == renewed.tokens_revision
                assert 1 == len(between.targets)
            else:
                with pytest.raises(AccountUnavailable, match="certificate") as failed:
                    await accounts.renew_stored(account)
                assert not failed.value.needs_sign_in


async def test_a_proxy_that_refuses_ends_no_login(store):
    """The error names it, and the account can be renewed once it serves again."""
    refusal = b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"
    async with issuing() as upstream, proxy("http", refuses=refusal) as between:
        own = {"proxy": Secret(between.url("http"))}
        async with acting(store, upstream, upstream.url, **own) as (account, accounts, _):
            with pytest.raises(AccountUnavailable, match="status 403") as failed:
                await accounts.renew_stored(account)
            assert not failed.value.needs_sign_in
            spec = await store.channels.get(account.channel_id)
            changed = ChannelSpec(**{**_fields(spec), "proxy": Secret("")})
            await store.channels.update(changed, ACTOR)
            assert 2 == (await accounts.renew_stored(account)).tokens_revision
    assert [] == between.targets


async def test_a_socks_proxy_that_is_gone_is_named(store):
    """Its failure is one of the way, not of the account."""
    async with issuing() as upstream:
        own = {"proxy": Secret("socks5://127.0.0.1:9")}
        async with acting(store, upstream, upstream.url, **own) as (account, accounts, _):
            with pytest.raises(
                AccountUnavailable, match=r"channel's proxy: .* proxy 127\.0\.0\.1:9"
            ) as failed:
                await accounts.renew_stored(account)
    assert not failed.value.needs_sign_in


async def test_a_ca_file_that_cannot_be_used_is_named(store):
    """With its channel, and the account stays as it is."""
    async with issuing() as upstream:
        own = {"tls_ca": "/nowhere/ca.pem"}
        async with acting(store, upstream, upstream.url, **own) as (account, accounts, sign_ins):
            for attempt in (
                accounts.renew_stored(account),
                sign_ins.begin(account.channel_id, Method.DEVICE, ACTOR),
            ):
                with pytest.raises(AccountUnavailable, match="'c': tls_ca: /nowhere/ca"):
                    await attempt
        assert (await store.accounts.get(account.id)).is_active


def _fields(spec):
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}
