"""The issuer is as strict as the one it stands for."""

import asyncio
import json

import aiohttp
import pytest

from longwire.core.errors import AccountUnavailable
from longwire.core.nouns.account import Account
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import decode_auth_json
from longwire.emulator import Emulator, IssuerOptions, Options
from longwire.emulator.errors import Rejected
from longwire.upstream.oauth.issuer import Issuer, Registration

ADA = "ada@example.org"


@pytest.fixture
async def emulator():
    async with Emulator(Options(issuer=IssuerOptions())) as running:
        yield running


@pytest.fixture
def client(emulator):
    return Issuer(Registration(emulator.url), lambda: 0)


def signed_in(emulator):
    login = decode_auth_json(json.dumps(emulator.issuer.auth_json(ADA)))
    return Account("acc_1", "ch_1", login.tokens, login.owner)


async def test_a_code_works_once(emulator, client):
    """And only with the verifier of its challenge."""
    from longwire.emulator.issuer import challenge_of  # noqa: PLC0415 - the test's own

    place = client.registration.redirect_uri
    for verifier, expected in (("right", True), ("wrong", False)):
        code = emulator.issuer.grant(ADA, challenge_of("right"), place)
        if expected:
            assert (await client.exchange(code, Secret(verifier))).owner.email == ADA
        with pytest.raises(AccountUnavailable, match="invalid_grant"):
            await client.exchange(code, Secret(verifier))


async def test_a_refresh_token_that_is_used_twice_ends_its_login(emulator, client):
    """Neither the token that came for it nor the access token works afterwards."""
    account = signed_in(emulator)
    login = await client.refresh(account)
    with pytest.raises(AccountUnavailable, match="refresh_token_reused") as refused:
        await client.refresh(account)
    assert refused.value.needs_sign_in
    with pytest.raises(AccountUnavailable, match="refresh_token_invalidated"):
        await client.refresh(Account("acc_1", "ch_1", login.tokens, login.owner))
    with pytest.raises(Rejected, match="invalidated"):
        emulator.issuer.check(login.tokens.access.reveal(), login.owner.account_id)


async def test_leeway_ends_with_the_first_use(emulator, client):
    """The same rotation is answered again until what came of it was used upstream."""
    emulator.issuer.options = IssuerOptions(reuse_leeway=True)
    account = signed_in(emulator)
    login = await client.refresh(account)
    assert login.tokens == (await client.refresh(account)).tokens
    emulator.issuer.check(login.tokens.access.reveal(), login.owner.account_id)
    with pytest.raises(AccountUnavailable, match="refresh_token_reused"):
        await client.refresh(account)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_type", "token"),
        ("client_id", "somebody"),
        ("code_challenge_method", "plain"),
        ("code_challenge", "short"),
        ("scope", "openid"),
        ("state", ""),
        ("redirect_uri", "https://evil.example/auth/callback"),
    ],
)
async def test_a_wrong_parameter_is_refused_and_noted(emulator, name, value):
    """No correct client sends it."""
    query = {
        "response_type": "code",
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "code_challenge_method": "S256",
        "code_challenge": "x" * 43,
        "scope": "openid offline_access",
        "state": "s",
        "redirect_uri": "http://localhost:1455/auth/callback",
        name: value,
    }
    url = f"{emulator.url}/oauth/authorize"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, params=query, allow_redirects=False) as answer,
    ):
        assert 400 == answer.status
    assert 1 == len(emulator.violations)


async def test_a_dead_token_is_told_on_an_open_connection(emulator):
    """As the real one does: an error frame with 401, and the code that says why."""
    tokens = emulator.issuer.auth_json(ADA)["tokens"]
    headers = {
        "authorization": f"Bearer {tokens['access_token']}",
        "chatgpt-account-id": tokens["account_id"],
    }
    url = f"{emulator.url}/backend-api/codex/responses"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, headers=headers) as socket:
            emulator.issuer.revoke_access(ADA)
            create = {"type": "response.create", "model": "m", "input": "hi", "store": False}
            await socket.send_json(create)
            async with asyncio.timeout(5):
                frame = await socket.receive_json()
        assert (401, "token_invalidated") == (frame["status"], frame["error"]["code"])
        async with session.post(url, headers=headers, json={}) as answer:
            assert 401 == answer.status
    assert [] == emulator.violations
