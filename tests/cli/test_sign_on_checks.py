"""`longwire doctor` looks at the provider of single sign-on."""

import asyncio
import json

from longwire.cli.fleet_checks import Verdict
from longwire.cli.sign_on_checks import check_sign_on
from longwire.settings import Settings
from tests.doubles.canned import answer, canned

CALLBACK = "/admin/oidc/callback"


def checks(url, **server):
    """What it finds."""
    oidc = {"issuer": url, "client_id": "longwire", "default_role": "viewer"}
    return list(check_sign_on(Settings(oidc=oidc, server=server)))


def test_a_provider_that_is_away_is_named():
    """With why it cannot be reached."""
    (check,) = checks("http://127.0.0.1:9")
    assert Verdict.FAIL is check.verdict
    assert "http://127.0.0.1:9/.well-known/openid-configuration cannot be reached" in check.how


async def test_the_redirect_uri_is_shown():
    """Below the public URL, or below the one that browsers use."""
    async with canned(answer(b"{}", "application/json")) as provider:
        known = {"issuer": provider.url, "jwks_uri": f"{provider.url}/k"}
        names = ("authorization", "token")
        known |= {f"{each}_endpoint": f"{provider.url}/{each}" for each in names}
        provider.answers[:] = [answer(json.dumps(known).encode(), "application/json")]
        (own,) = await asyncio.to_thread(checks, provider.url, public_url="https://gw.example/lw")
        (any_,) = await asyncio.to_thread(checks, provider.url, base_path="/lw")
    assert own.how.endswith("answers; its redirect URI for us is https://gw.example/lw" + CALLBACK)
    assert any_.how.endswith("is <the gateway's URL>/lw" + CALLBACK)
