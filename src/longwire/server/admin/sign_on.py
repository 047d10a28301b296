"""Signing in by a provider: a browser is sent there, and comes back with a code.

Law: what proves a sign-in (state, nonce, verifier) is sealed into a cookie of the browser that
began it, for minutes; so it ends in that browser alone, at any node. Without it nothing is asked of
the provider.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sign_on import Identity, SignOnProblem, SignOnRefused, SingleSignOn
from longwire.core.rules.sign_on import person_of
from longwire.store.store import Store
from longwire.upstream.oauth.issuer import Proof, new_proof
from longwire.upstream.oidc.provider import Provider

CALLBACK: Final = "/admin/oidc/callback"
LIFETIME: Final = 600
"""Seconds that a sign-in may take at the provider."""

_PLACE: Final = "sign_on.pending"
_LONGEST: Final = 4096


class Pending(msgspec.Struct, frozen=True):
    """A sign-in under way; `to` is the page that is wanted, `expires` in seconds since 1970 UTC."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    to: str
    expires: float


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a browser goes, and the cookie it takes along."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who came back, by which identity, and where they wanted to."""

    user: User
    identity: Identity
    to: str


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Where browsers reach the gateway: as it is set, else as they say, below the `base_path`."""

    configured: str = ""
    base_path: str = ""

    def of(self, origin: str) -> str:
        """Return the URL, without a slash at its end, for a browser at an origin."""
        return (self.configured or origin + self.base_path).rstrip("/")

    @property
    def path(self) -> str:
        """The path of it."""
        return urlsplit(self.configured).path.rstrip("/") if self.configured else self.base_path


class SignOn:
    """Sign-ins by one provider; `clock` returns seconds since 1970 UTC."""

    def __init__(
        self,
        config: SingleSignOn,
        store: Store,
        clock: Callable[[], float],
        public_url: PublicUrl = PublicUrl(),
    ) -> None:
        self.config = config
        self.public_url = public_url
        self._store = store
        self._clock = clock
        self._provider = Provider(config.client, clock)

    async def begin(self, origin: str, to: str) -> Begun:
        """Begin a sign-in of a browser at an origin. Raises `SignOnRefused`."""
        proof, nonce = new_proof(), token_urlsafe(24)
        redirect_uri = self.public_url.of(origin) + CALLBACK
        url = await self._provider.authorize_url(proof, nonce, redirect_uri)
        pending = Pending(
            proof.state,
            nonce,
            proof.verifier.reveal(),
            redirect_uri,
            _own_page(to),
            self._clock() + LIFETIME,
        )
        sealed = self._store.vault.seal(msgspec.json.encode(pending), _PLACE)
        return Begun(url, base64.urlsafe_b64encode(sealed).decode())

    async def finish(self, cookie: str, query: dict[str, str], address: str) -> Arrived:
        """Return who comes back with a query of the provider. Raises `SignOnRefused`."""
        pending = self._pending(cookie, query.get("state", ""))
        issuer = query.get("iss")  # RFC 9207: answers of two providers are not mixed up
        if issuer is not None and issuer != self.config.client.issuer:
            raise SignOnRefused(SignOnProblem.BAD_TOKEN, "Another issuer (iss) has answered.")
        if not query.get("code"):
            words = query.get("error_description") or query.get("error") or "no code"
            message = f"The provider let nobody in: {words[:300]!r}."
            raise SignOnRefused(SignOnProblem.PROVIDER_REFUSED, message)
        proof = Proof(pending.state, Secret(pending.verifier))
        claims = await self._provider.claims(
            query["code"], proof.verifier, pending.redirect_uri, pending.nonce
        )
        admission = self.config.admission
        person = person_of(claims, admission)
        user, identity = await self._store.identities.admit(person, admission, address)
        return Arrived(user, identity, pending.to)

    async def sign_out_url(self, origin: str) -> str | None:
        """Return where to sign out at the provider; None where it offers nothing, or is away."""
        with suppress(SignOnRefused):
            return await self._provider.sign_out_url(self.public_url.of(origin) + "/sign-in")
        return None

    def page_of(self, problem: SignOnProblem) -> str:
        """Return the page that says why somebody did not come in."""
        return f"{self.public_url.path}/sign-in?{urlencode({'problem': problem.value})}"

    def _pending(self, cookie: str, state: str) -> Pending:
        """Return what a cookie proves. Raises `SignOnRefused` for one that is not of this state."""
        pending = None
        with suppress(ValueError, binascii.Error, msgspec.MsgspecError, ConfigurationError):
            sealed = base64.urlsafe_b64decode(cookie[:_LONGEST].encode("ascii"))
            text = self._store.vault.open(sealed, _PLACE)
            pending = msgspec.json.decode(text, type=Pending)
        if pending is None or pending.expires <= self._clock():
            message = "The browser has begun no sign-in, or did so too long ago."
            raise SignOnRefused(SignOnProblem.BEGIN_AGAIN, message)
        if not hmac.compare_digest(pending.state.encode(), state.encode("utf-8", "surrogatepass")):
            message = "The answer belongs to another sign-in (state)."
            raise SignOnRefused(SignOnProblem.BEGIN_AGAIN, message)
        return pending


def _own_page(to: str) -> str:
    """Return a page of the interface: a path that no browser takes for another host's."""
    is_own = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if is_own and len(to) <= _LONGEST // 4 else "/"
