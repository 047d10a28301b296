"""An OAuth issuer, as its clients see it: authorization, exchange, refresh and device codes.

Law: a refusal is final only where the issuer says so; whatever else goes wrong may be retried.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

import msgspec

from longwire.core.errors import AccountUnavailable
from longwire.core.nouns.account import Account, Login
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import (
    DENIED,
    PENDING,
    PERMANENT,
    decode_answer,
    decode_refusal,
)
from longwire.upstream.oauth.egress import Egress, Reply

TIMEOUT: Final = 10.0
_ERRORS, _UNAUTHORIZED, _BUSY, _SERVER = 400, 401, 429, 500
_PENDING: Final = frozenset({403, 404})
_SHORTEST_INTERVAL: Final = 0.2
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Registration:
    """Where to sign in, and as which client."""

    issuer: str = "https://auth.openai.com"
    client_id: str = "app_EMoamEEZ73f0CkXaXp7hrann"
    scope: str = "openid profile email offline_access"
    redirect_port: int = 1455

    @property
    def redirect_uri(self) -> str:
        """Where a browser is sent back to."""
        return f"http://localhost:{self.redirect_port}/auth/callback"


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves that a code comes back to the client that began the sign-in (RFC 7636)."""

    state: str
    verifier: Secret

    @property
    def challenge(self) -> str:
        """Return the S256 challenge."""
        digest = hashlib.sha256(self.verifier.reveal().encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_proof() -> Proof:
    """Return a new proof, for one sign-in."""
    return Proof(token_urlsafe(24), Secret(token_urlsafe(48)))


class Device(msgspec.Struct):
    """A device code: what to show, and how many seconds to wait between two polls."""

    device_auth_id: str
    user_code: str
    interval: str | float = 5.0

    @property
    def pause(self) -> float:
        """Return the seconds between two polls."""
        try:
            return max(float(self.interval), _SHORTEST_INTERVAL)
        except ValueError:
            return 5.0


class _Approved(msgspec.Struct):
    authorization_code: str
    code_verifier: str


class Issuer:
    """One issuer; `clock` returns ms since 1970 UTC, `egress` is the way there."""

    def __init__(
        self, registration: Registration, clock: Callable[[], int], egress: Egress | None = None
    ) -> None:
        self.registration = registration
        self._egress = egress or Egress()
        self._base = registration.issuer.rstrip("/")
        self._clock = clock

    @property
    def device_url(self) -> str:
        """Where a person types a device code."""
        return f"{self._base}/codex/device"

    def authorize_url(self, proof: Proof) -> str:
        """Return where to send a browser."""
        own = self.registration
        query = {
            "response_type": "code",
            "client_id": own.client_id,
            "redirect_uri": own.redirect_uri,
            "scope": own.scope,
            "code_challenge": proof.challenge,
            "code_challenge_method": "S256",
            "id_token_add_organizations": "true",
            "codex_cli_simplified_flow": "true",
            "state": proof.state,
        }
        return f"{self._base}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: str, verifier: Secret, redirect_uri: str = "") -> Login:
        """Return the tokens for a code. Raises `AccountUnavailable`."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri or self.registration.redirect_uri,
            "client_id": self.registration.client_id,
            "code_verifier": verifier.reveal(),
        }
        return self._login(await self._post("/oauth/token", urlencode(fields).encode(), _FORM))

    async def refresh(self, account: Account) -> Login:
        """Return the tokens that come after those of an account. Raises `AccountUnavailable`."""
        fields = {
            "client_id": self.registration.client_id,
            "grant_type": "refresh_token",
            "refresh_token": account.tokens.refresh.reveal(),
        }
        reply = await self._post("/oauth/token", msgspec.json.encode(fields))
        return self._login(reply, Login(account.tokens, account.owner))

    async def begin_device(self) -> Device:
        """Return a new device code. Raises `AccountUnavailable`."""
        fields = {"client_id": self.registration.client_id}
        path = "/api/accounts/deviceauth/usercode"
        reply = await self._post(path, msgspec.json.encode(fields))
        if reply.status >= _ERRORS:
            raise self._refusal(reply)
        try:
            return msgspec.json.decode(reply.body, type=Device)
        except msgspec.MsgspecError:
            raise self._malformed() from None

    async def poll_device(self, device: Device) -> Login | None:
        """Return the tokens of a device that somebody approved, None where nobody has yet.

        Raises `AccountUnavailable`.
        """
        fields = {"device_auth_id": device.device_auth_id, "user_code": device.user_code}
        path = "/api/accounts/deviceauth/token"
        reply = await self._post(path, msgspec.json.encode(fields))
        if reply.status >= _ERRORS:
            code, _ = decode_refusal(reply.body)
            if code in PENDING or (reply.status in _PENDING and code not in DENIED):
                return None
            raise self._refusal(reply, final=DENIED)
        try:
            approved = msgspec.json.decode(reply.body, type=_Approved)
        except msgspec.MsgspecError:
            raise self._malformed() from None
        redirect_uri = f"{self._base}/deviceauth/callback"
        return await self.exchange(
            approved.authorization_code, Secret(approved.code_verifier), redirect_uri
        )

    async def _post(self, path: str, body: bytes, media_type: str = _JSON) -> Reply:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._egress.post(self._base + path, body, media_type)
        except (OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            way = " by the channel's proxy" if self._egress.proxy else ""
            raise AccountUnavailable(f"{self._base} cannot be reached{way}: {reason}.") from None

    def _login(self, reply: Reply, before: Login | None = None) -> Login:
        if reply.status >= _ERRORS:
            raise self._refusal(reply, renews=before is not None)
        try:
            return decode_answer(reply.body, self._clock(), before)
        except (ValueError, RecursionError):
            raise self._malformed() from None

    def _refusal(
        self, reply: Reply, *, renews: bool = False, final: Container[str] = ()
    ) -> AccountUnavailable:
        """Return what a refusal means: for good, for now, or until the issuer is less busy."""
        code, message = decode_refusal(reply.body)
        if renews and code in PERMANENT:
            words = f"{PERMANENT[code]} ({code}); sign in anew here."
            return AccountUnavailable(words, needs_sign_in=True)
        reason = f"{message.rstrip('.')} ({code})" if code and message else message or code
        words = f"{self._base} refused: {reason or f'status {reply.status}'}."
        if is_temporary(reply):
            return AccountUnavailable(words, retry_after=_seconds(reply.headers))
        is_final = reply.status == _UNAUTHORIZED or code in PERMANENT or code in final
        return AccountUnavailable(words, needs_sign_in=is_final)

    def _malformed(self) -> AccountUnavailable:
        return AccountUnavailable(
            f"{self._base} answered what is no token; check codex.issuer and the proxy."
        )


def is_temporary(reply: Reply) -> bool:
    """Whether who refuses is only too busy, or broken, for now."""
    return reply.status == _BUSY or reply.status >= _SERVER


def _seconds(headers: Mapping[str, str]) -> float:
    """Return what an issuer wants to be waited for, 0 where it says no number of seconds."""
    try:
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        return 0.0
