"""Who signs people in: grants codes, mints tokens, rotates them, and knows which ones live.

Law: a code works once and for the verifier of its challenge alone (RFC 7636); a refresh token works
once, and using it again ends the login, unless the issuer has leeway and nothing newer was used.
"""

import base64
import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec import Struct

from longwire.emulator.errors import Rejected
from longwire.emulator.options import IssuerOptions

Step = Literal["authorize", "exchange", "refresh", "usercode", "poll"]


class IssuerFault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What befalls the next `times` requests of a step: a status, a wait, an answer that is lost.

    `act` is `refuse` (nothing happens but the status), `lose` (it happens, and the answer is a
    reset connection) or `delay` (it happens, and the answer comes late).
    """

    at: Step
    act: Literal["refuse", "lose", "delay"] = "refuse"
    status: int = 503
    code: str = "server_error"
    retry_after: int | None = None
    flat: bool = False
    """Refuse in the form of RFC 6749 (5.2): `{"error": code}`."""
    after_ms: int = 0
    times: int = 1


@dataclass(slots=True)
class Sign:
    """One login: `refresh` is the token that works, `before` the one that it came for."""

    email: str
    refresh: str
    before: str = ""
    is_used: bool = True
    is_alive: bool = True
    answer: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was issued for."""

    email: str
    challenge: str
    redirect_uri: str


@dataclass(slots=True)
class Device:
    """A device code, and who approved it: "" is nobody yet."""

    user_code: str
    email: str = ""


class Issuer:
    """The logins of one emulator. `counters` count requests by step, `limits` end in s since 1970.

    Who stands in `limits` has used up their plan: their turns are refused until then.
    """

    def __init__(self, options: IssuerOptions, clock: Callable[[], float] = time.time) -> None:
        self.options = options
        self.clock = clock
        self.counters: dict[str, int] = {}
        self.faults: list[IssuerFault] = []
        self.limits: dict[str, float] = {}
        self.logins: list[Sign] = []
        self.devices: dict[str, Device] = {}
        self._grants: dict[str, Grant] = {}
        self._live: dict[str, tuple[Sign, float]] = {}

    def count(self, step: Step) -> IssuerFault | None:
        """Count a request, and return what befalls it."""
        self.counters[step] = self.counters.get(step, 0) + 1
        for number, fault in enumerate(self.faults):
            if fault.at == step:
                left = msgspec.structs.replace(fault, times=fault.times - 1)
                self.faults[number : number + 1] = [left] if left.times > 0 else []
                return fault
        return None

    def grant(self, email: str, challenge: str, redirect_uri: str) -> str:
        """Return a new code for somebody who has signed in."""
        code = f"ac_{uuid.uuid4().hex}"
        self._grants[code] = Grant(email, challenge, redirect_uri)
        return code

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> dict[str, str]:
        """Return tokens for a code, which is spent by any attempt. Raises Rejected."""
        grant = self._grants.pop(code, None)
        if grant is None:
            raise refusal("The code is unknown or was used before.", "invalid_grant", 400)
        if challenge_of(verifier) != grant.challenge or redirect_uri != grant.redirect_uri:
            raise refusal("The code was given to somebody else.", "invalid_grant", 400)
        return self.sign_in(grant.email)

    def sign_in(self, email: str) -> dict[str, str]:
        """Begin a login and return its tokens."""
        login = Sign(email, refresh=new_refresh())
        self.logins.append(login)
        return self._mint(login)

    def auth_json(self, email: str) -> dict[str, Any]:
        """Begin a login and return it as the Codex CLI keeps it."""
        tokens = self.sign_in(email) | {"account_id": account_of(email)}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))
        return {
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": None,
            "tokens": tokens,
            "last_refresh": now,
        }

    def refresh(self, token: str) -> dict[str, str]:
        """Return the tokens that come next. Raises Rejected for one that was used before."""
        for login in self.logins:
            if token == login.refresh:
                return self._rotate(login, token)
            if token == login.before and self._forgives(login):
                return login.answer
            if token == login.before:
                self.end(login)
                raise refusal("The refresh token was used already.", "refresh_token_reused")
        raise refusal("The refresh token is not valid.", "refresh_token_invalidated")

    def _rotate(self, login: Sign, token: str) -> dict[str, str]:
        if not login.is_alive:
            raise refusal("The login has ended.", "refresh_token_invalidated")
        login.refresh, login.before, login.is_used = new_refresh(), token, False
        return self._mint(login)

    def _forgives(self, login: Sign) -> bool:
        return login.is_alive and self.options.reuse_leeway and not login.is_used

    def end(self, login: Sign) -> None:
        """End a login: neither its refresh token nor an access token works any more."""
        login.is_alive = False

    def end_all(self, email: str) -> None:
        """End all logins of somebody."""
        for login in self.logins:
            if login.email == email:
                self.end(login)

    def revoke_access(self, email: str) -> None:
        """Let somebody's access tokens die early; their logins live on."""
        kept = {token: held for token, held in self._live.items() if held[0].email != email}
        self._live = kept

    def check(self, token: str, account: str | None) -> None:
        """Raise Rejected unless an access token lives and speaks for this account."""
        login, expires_at = self._live.get(token, (None, 0.0))
        if login is None or not login.is_alive:
            raise refusal("Your authentication token has been invalidated.", "token_invalidated")
        if self.clock() >= expires_at:
            raise refusal("Provided authentication token is expired.", "token_expired")
        if account != account_of(login.email):
            raise refusal("The token is for another account.", "invalid_authentication")
        login.is_used = login.is_used or token == login.answer["access_token"]
        self._check_limit(login)

    def _check_limit(self, login: Sign) -> None:
        until = self.limits.get(login.email, 0.0)
        if self.clock() < until:
            error = refusal("The usage limit has been reached", "usage_limit_reached", 429)
            error.error = {
                "type": "usage_limit_reached",
                "message": "The usage limit has been reached",
                "plan_type": "plus",
                "resets_at": int(until),
                "resets_in_seconds": int(until - self.clock()),
            }
            raise error

    def _mint(self, login: Sign) -> dict[str, str]:
        now = self.clock()
        expires_at = now + self.options.access_lifetime
        claims = {
            "iss": "emulator",
            "jti": uuid.uuid4().hex,
            "iat": int(now),
            "exp": int(expires_at),
            "https://api.openai.com/auth": {
                "chatgpt_account_id": account_of(login.email),
                "chatgpt_plan_type": "plus",
                "chatgpt_user_id": f"user-{account_of(login.email)[:8]}",
            },
            "https://api.openai.com/profile": {"email": login.email, "email_verified": True},
        }
        access = unsigned(claims)
        self._live[access] = (login, expires_at)
        login.answer = {
            "id_token": unsigned({**claims, "email": login.email, "jti": uuid.uuid4().hex}),
            "access_token": access,
            "refresh_token": login.refresh,
        }
        return login.answer


def refusal(message: str, code: str, status: int = 401) -> Rejected:
    """A refusal that no client has to be ashamed of."""
    return Rejected(message, code=code, status=status, violation=False)


def new_refresh() -> str:
    """A new refresh token."""
    return f"rt_{uuid.uuid4().hex}"


def account_of(email: str) -> str:
    """The account id of somebody, always the same."""
    return str(uuid.UUID(hashlib.sha256(email.encode()).hexdigest()[:32]))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return encoded(hashlib.sha256(verifier.encode()).digest())


def unsigned(claims: dict[str, Any]) -> str:
    """A JWT that nobody signed."""
    head = msgspec.json.encode({"alg": "none", "typ": "JWT"})
    return f"{encoded(head)}.{encoded(msgspec.json.encode(claims))}."


def encoded(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
