"""A provider of OpenID Connect, as a client sees it: discovery, authorization code, keys, userinfo.

Law: what it publishes is read again each hour; its keys also when a token names one that is not
known, but not more often than every few seconds, whatever tokens come.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from longwire.core.nouns.secret import Secret, concealed
from longwire.core.nouns.sign_on import Client, SignOnProblem, SignOnRefused
from longwire.core.rules.sign_on import ExpectedToken, check_claims
from longwire.upstream.oauth.egress import Egress, Reply
from longwire.upstream.oauth.issuer import Proof
from longwire.upstream.oidc.tokens import BadToken, UnknownKey, hashes_to, signed_claims

TIMEOUT: Final = 10.0
KEPT: Final = 3600.0
KEYS_AT_MOST_EVERY: Final = 5.0
_OK: Final = 200
_BUSY, _SERVER = 429, 500
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_FORM: Final = "application/x-www-form-urlencoded"


class Metadata(msgspec.Struct, frozen=True):
    """What a provider publishes of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = []

    def endpoints(self) -> tuple[str, ...]:
        """Return all URLs that are there."""
        optional = (self.userinfo_endpoint, self.end_session_endpoint)
        needed = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return (*needed, *filter(None, optional))


class _Tokens(msgspec.Struct):
    id_token: str
    access_token: str = ""


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class Provider:
    """One provider; `clock` returns seconds since 1970 UTC."""

    def __init__(
        self, client: Client, clock: Callable[[], float], egress: Egress | None = None
    ) -> None:
        self.client = client
        self._clock = clock
        self._egress = egress or Egress()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Mapping[str, Any]] | None = None

    async def metadata(self) -> Metadata:
        """Return what the provider publishes. Raises `SignOnRefused` where that cannot be had."""
        if self._metadata is None or self._clock() - self._metadata[0] >= KEPT:
            self._metadata = self._clock(), await self._discover()
        return self._metadata[1]

    async def authorize_url(self, proof: Proof, nonce: str, redirect_uri: str) -> str:
        """Return where to send a browser. Raises `SignOnRefused`."""
        endpoint = (await self.metadata()).authorization_endpoint
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.client.scopes),
            "state": proof.state,
            "nonce": nonce,
            "code_challenge": proof.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(endpoint, query)

    async def claims(
        self, code: str, verifier: Secret, redirect_uri: str, nonce: str
    ) -> dict[str, Any]:
        """Return what the provider says of who came with a code: its ID token and its userinfo.

        Raises `SignOnRefused`.
        """
        tokens = await self._redeem(code, verifier, redirect_uri)
        claims, algorithm = await self._verified(tokens.id_token)
        own = self.client
        check_claims(claims, ExpectedToken(own.issuer, own.client_id, nonce, self._clock()))
        at_hash = claims.get("at_hash")
        if at_hash is not None and not hashes_to(tokens.access_token, at_hash, algorithm):
            raise _bad("its access token is another one (at_hash)")
        userinfo = await self._userinfo(tokens.access_token, claims["sub"])
        if claims.get("email", userinfo.get("email")) != userinfo.get("email"):
            userinfo.pop("email_verified", None)  # it speaks of another email
        return {**userinfo, **claims}

    async def sign_out_url(self, back: str) -> str | None:
        """Return where a browser signs out at the provider, None where it offers nothing.

        OpenID Connect RP-Initiated Logout 1.0, 2. Raises `SignOnRefused`.
        """
        endpoint = (await self.metadata()).end_session_endpoint
        query = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return _with_query(endpoint, query) if endpoint else None

    async def _discover(self) -> Metadata:
        url = self.client.issuer.rstrip("/") + "/.well-known/openid-configuration"
        reply = await self._ask("GET", url)
        try:
            found = msgspec.json.decode(reply.body, type=Metadata)
        except _UNREADABLE:
            raise _away(f"{url} publishes no provider; check oidc.issuer.") from None
        if found.issuer != self.client.issuer:
            raise _away(f"{url} is of the issuer {found.issuer!r}; write that as oidc.issuer.")
        if not all(_is_as_safe(each, self.client.issuer) for each in found.endpoints()):
            raise _away(f"{url} names an endpoint without TLS.")
        return found

    async def _redeem(self, code: str, verifier: Secret, redirect_uri: str) -> _Tokens:
        metadata, own = await self.metadata(), self.client
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier.reveal(),
        }
        headers = {}
        methods = metadata.token_endpoint_auth_methods_supported
        if not own.client_secret:
            fields["client_id"] = own.client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            headers["authorization"] = _basic(own)
        else:
            fields |= {"client_id": own.client_id, "client_secret": own.client_secret.reveal()}
        body = urlencode(fields).encode()
        reply = await self._ask("POST", metadata.token_endpoint, headers, body)
        try:
            return msgspec.json.decode(reply.body, type=_Tokens)
        except _UNREADABLE:
            raise _bad("there is none in the provider's answer; oidc.scopes needs openid") from None

    async def _verified(self, token: str) -> tuple[dict[str, Any], str]:
        try:
            return signed_claims(token, await self._key_set())
        except UnknownKey as error:
            if self._keys is None or self._clock() - self._keys[0] < KEYS_AT_MOST_EVERY:
                raise _bad(str(error)) from None
        except BadToken as error:
            raise _bad(str(error)) from None
        self._keys = None
        try:
            return signed_claims(token, await self._key_set())
        except BadToken as error:
            raise _bad(str(error)) from None

    async def _key_set(self) -> Mapping[str, Any]:
        if self._keys is None or self._clock() - self._keys[0] >= KEPT:
            reply = await self._ask("GET", (await self.metadata()).jwks_uri)
            self._keys = self._clock(), _object(reply)
        return self._keys[1]

    async def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """Return what the userinfo endpoint says, nothing where there is none."""
        endpoint = (await self.metadata()).userinfo_endpoint
        if not endpoint or not access_token:
            return {}
        reply = await self._ask("GET", endpoint, {"authorization": f"Bearer {access_token}"})
        if reply.headers.get("content-type", "").startswith("application/jwt"):
            return {}  # signed for who asked for that; the ID token has to do
        found = _object(reply)
        if found.get("sub") != subject:
            raise _bad("userinfo speaks of somebody else (sub)")
        return found

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Return an answer with status 200. Raises `SignOnRefused`."""
        given = {"accept": "application/json", **(headers or {})}
        if body is not None:
            given["content-type"] = _FORM
        try:
            async with asyncio.timeout(TIMEOUT):
                reply = await self._egress.request(method, url, given, body)
        except (OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise _away(f"{url} cannot be reached: {reason}.") from None
        if reply.status == _OK:
            return reply
        words = f"{url} answered {reply.status}{_reason(reply)}."
        if reply.status == _BUSY or reply.status >= _SERVER:
            raise _away(words)
        raise SignOnRefused(SignOnProblem.PROVIDER_REFUSED, words)


def _reason(reply: Reply) -> str:
    try:
        refusal = msgspec.json.decode(reply.body, type=_Refusal)
    except _UNREADABLE:
        return ""
    words = ": ".join(filter(None, (refusal.error, refusal.error_description)))
    return f" ({concealed(words[:300])})" if words else ""


def _object(reply: Reply) -> dict[str, Any]:
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except _UNREADABLE:
        raise _away("The provider answered what is no JSON object.") from None


def _basic(client: Client) -> str:
    """Return the client's own credentials (RFC 6749, 2.3.1)."""
    pair = (quote(client.client_id, safe=""), quote(client.client_secret.reveal(), safe=""))
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def _with_query(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _is_as_safe(url: str, issuer: str) -> bool:
    return urlsplit(url).scheme in {"https", urlsplit(issuer).scheme}


def _away(message: str) -> SignOnRefused:
    return SignOnRefused(SignOnProblem.PROVIDER_AWAY, message)


def _bad(reason: str) -> SignOnRefused:
    return SignOnRefused(SignOnProblem.BAD_TOKEN, f"The ID token is refused: {reason}.")
