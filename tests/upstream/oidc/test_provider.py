"""A provider over real sockets that lies, or is away: nothing it says is used."""

import base64
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sign_on import Client, SignOnProblem, SignOnRefused
from longwire.upstream.oauth.issuer import Proof
from longwire.upstream.oidc.provider import KEPT, KEYS_AT_MOST_EVERY, Provider, _is_as_safe

NOW = 1_800_000_000
CODE = ("code", Secret("verifier"), "https://gw.example/admin/oidc/callback", "n-1")


class Liar:
    """Publishes, signs and says what a test wants; keeps what it was asked."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.published = [self.key]
        self.metadata, self.claims, self.tokens = {}, {}, {}
        self.userinfo = {"sub": "ada", "email": "ada@example.org", "groups": ["ops"]}
        self.asked, self.forms = [], []
        self.issuer = ""
        self.status = 200

    async def answer(self, request):
        self.asked.append(request.path)
        if self.status != 200:
            return web.Response(status=self.status, text='{"error": "server_error"}')
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self.document())
            case "/keys":
                return web.json_response(KeySet(self.published).as_dict(private=False))
            case "/token":
                self.forms.append((dict(request.headers), dict(await request.post())))
                return web.json_response({"access_token": "at", "id_token": self.token()})
        return web.json_response(self.userinfo)

    def document(self):
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        ends = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in names.items()}
        known = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **ends}
        return {**known, **self.metadata}

    def token(self):
        claims = {"iss": self.issuer, "sub": "ada", "aud": "longwire", "nonce": "n-1"}
        claims |= {"iat": NOW, "exp": NOW + 60, **self.claims}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.issuer = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        yield self
        await runner.cleanup()


@pytest.fixture
async def liar():
    """What answers as a provider."""
    async with Liar().serving() as running:
        yield running


@pytest.fixture
def provider(liar):
    """A client of it, by a clock that stands."""
    clock = [NOW]
    made = Provider(Client(liar.issuer, "longwire", Secret("s:cret")), lambda: clock[0])
    made.clock = clock
    return made


async def problem(provider):
    """Why nobody comes in."""
    with pytest.raises(SignOnRefused) as caught:
        await provider.claims(*CODE)
    return caught.value.problem


async def test_an_id_token_and_userinfo_are_one(liar, provider):
    """What the token says counts before what userinfo says; the client proves who it is."""
    liar.claims = {"email": "token@example.org"}
    claims = await provider.claims(*CODE)
    assert ("token@example.org", ["ops"]) == (claims["email"], claims["groups"])
    ((headers, form),) = liar.forms
    basic = "Basic " + base64.b64encode(b"longwire:s%3Acret").decode()
    assert (basic, "verifier") == (headers["Authorization"], form["code_verifier"])
    assert "client_secret" not in form


async def test_a_verified_email_is_the_one_that_was_verified(liar, provider):
    """What userinfo says of another email says nothing of the token's."""
    liar.claims = {"email": "root@example.org"}
    liar.userinfo |= {"email_verified": True}
    assert "email_verified" not in await provider.claims(*CODE)
    liar.claims = {"email": "ada@example.org"}
    assert (await provider.claims(*CODE))["email_verified"] is True


async def test_a_provider_that_wants_the_secret_in_the_form(liar, provider):
    """Gets it there, and only there."""
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await provider.claims(*CODE)
    ((headers, form),) = liar.forms
    assert ("s:cret", False) == (form["client_secret"], "Authorization" in headers)


async def test_a_public_client_has_its_name_alone(liar):
    """And PKCE."""
    provider = Provider(Client(liar.issuer, "longwire", Secret("")), lambda: NOW)
    await provider.claims(*CODE)
    ((headers, form),) = liar.forms
    assert ("longwire", False) == (form["client_id"], "Authorization" in headers)


@pytest.mark.parametrize(
    ("part", "lie", "expected"),
    [
        ("metadata", {"issuer": "https://other.example"}, SignOnProblem.PROVIDER_AWAY),
        ("metadata", {"token_endpoint": "ftp://x/token"}, SignOnProblem.PROVIDER_AWAY),
        ("metadata", {"jwks_uri": 7}, SignOnProblem.PROVIDER_AWAY),
        ("claims", {"nonce": "n-2"}, SignOnProblem.BAD_TOKEN),
        ("claims", {"exp": NOW - 61}, SignOnProblem.BAD_TOKEN),
        ("claims", {"at_hash": "x"}, SignOnProblem.BAD_TOKEN),
        ("claims", {"at_hash": ""}, SignOnProblem.BAD_TOKEN),
        ("userinfo", {"sub": "root"}, SignOnProblem.BAD_TOKEN),
        ("userinfo", {"email": "root@example.org"}, SignOnProblem.BAD_TOKEN),
        ("userinfo", [1], SignOnProblem.PROVIDER_AWAY),
        ("status", 503, SignOnProblem.PROVIDER_AWAY),
        ("status", 429, SignOnProblem.PROVIDER_AWAY),
        ("status", 401, SignOnProblem.PROVIDER_REFUSED),
        ("status", 302, SignOnProblem.PROVIDER_REFUSED),
    ],
)
async def test_a_provider_that_lies_or_fails(liar, provider, part, lie, expected):
    """Lets nobody in, and the reason is one of those that the page has words for."""
    setattr(liar, part, lie)
    assert expected == await problem(provider)


async def test_keys_are_fetched_anew_but_not_for_every_token(liar, provider):
    """A key nobody knows is looked for once in some seconds, whoever sends tokens that name one."""
    await provider.claims(*CODE)
    liar.key = RSAKey.generate_key(2048, {"kid": "2", "use": "sig"})
    for _ in range(5):
        assert SignOnProblem.BAD_TOKEN == await problem(provider)
    assert 1 == liar.asked.count("/keys")
    liar.published = [liar.key]
    provider.clock[0] += KEYS_AT_MOST_EVERY
    await provider.claims(*CODE)
    assert 2 == liar.asked.count("/keys")
    assert 1 == liar.asked.count("/.well-known/openid-configuration")
    provider.clock[0] += KEPT
    liar.claims = {"iat": provider.clock[0], "exp": provider.clock[0] + 60}
    await provider.claims(*CODE)
    assert (3, 2) == (
        liar.asked.count("/keys"),
        liar.asked.count("/.well-known/openid-configuration"),
    )


async def test_endpoints_are_as_safe_as_the_issuer():
    """Of an issuer with TLS none is used without it."""
    assert not _is_as_safe("http://login.example.org/token", "https://login.example.org")
    assert _is_as_safe("https://login.example.org/token", "https://login.example.org")


async def test_where_a_browser_is_sent():
    """With all that the answer must prove; a query of the endpoint's own stays."""
    async with Liar().serving() as liar:
        liar.metadata = {
            "authorization_endpoint": f"{liar.issuer}/authorize?tenant=a",
            "end_session_endpoint": f"{liar.issuer}/leave",
        }
        provider = Provider(Client(liar.issuer, "longwire", Secret("")), lambda: NOW)
        proof = Proof("st", Secret("verifier"))
        url = await provider.authorize_url(proof, "n-1", "https://gw.example/back")
        assert url.startswith(f"{liar.issuer}/authorize?tenant=a&response_type=code&client_id=")
        assert "state=st&nonce=n-1&code_challenge=" in url
        assert "verifier" not in url
        leave = await provider.sign_out_url("https://gw.example/sign-in")
        assert leave.startswith(f"{liar.issuer}/leave?client_id=longwire&post_logout")
    assert json.dumps(liar.asked) == '["/.well-known/openid-configuration"]'
