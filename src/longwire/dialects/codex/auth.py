"""Tokens of ChatGPT accounts as they look on the wire and in `auth.json`, and what they claim.

A token is read, never verified: it is the upstream that must believe it.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.account import Login, Owner, Tokens
from longwire.core.nouns.secret import Secret

API_KEY_PLAN: Final = "api_key"
"""The plan of an account that is no more than an API key."""

PERMANENT: Final[Mapping[str, str]] = {
    "refresh_token_expired": "This login has expired",
    "refresh_token_reused": "Another program has renewed this login, or the answer to a renewal "
    "was lost: its refresh token works once",
    "refresh_token_invalidated": "This login was ended elsewhere",
    "invalid_grant": "The issuer does not know this login any more",
}
"""Codes by which an issuer says that only a new sign-in helps, and what became of the login.

Any answer with 401 says so, too.
"""

PENDING: Final = frozenset({"authorization_pending"})
DENIED: Final = frozenset(
    {"access_denied", "expired_token", "invalid_client", "invalid_request", "unauthorized_client"}
)
"""What an issuer says of a device code: not yet, never (RFC 8628, 3.5; RFC 6749, 5.2)."""

_AUTH: Final = "https://api.openai.com/auth"
_PROFILE: Final = "https://api.openai.com/profile"
_TOKEN = re.compile(r"[!-~]+")
_LONGEST: Final = 256
_objects = msgspec.json.Decoder(dict[str, Any])


def decode_answer(raw: bytes, now: int, before: Login | None = None) -> Login:
    """Decode what an issuer gives for a code or a refresh token; what it leaves out stays.

    `now` in ms. Raises `ValueError` where no access token comes of it.
    """
    answer = _objects.decode(raw)
    held = before.tokens if before else Tokens(Secret(""))
    tokens = _tokens(answer, held)
    if not tokens.access:
        raise ValueError("the issuer gave no access token")
    lasts = answer.get("expires_in")
    if tokens.expires_at is None and isinstance(lasts, int | float):
        expires_at = now + int(lasts * 1000)
        tokens = Tokens(tokens.access, tokens.refresh, tokens.identity, expires_at)
    return Login(tokens, _owner(tokens, "", before.owner if before else Owner()), now)


def decode_refusal(raw: bytes) -> tuple[str, str]:
    """Return code and message of an issuer's error, in either of its shapes; "" for none."""
    try:
        answer = _objects.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return "", ""
    error = answer.get("error")
    inner: Mapping[str, Any] = error if isinstance(error, dict) else answer
    code = inner.get("code") or (error if isinstance(error, str) else "")
    message = inner.get("message") or answer.get("error_description") or answer.get("detail") or ""
    return str(code or ""), str(message)[:_LONGEST]


def decode_auth_json(text: str) -> Login:
    """Decode the Codex CLI's `auth.json`: tokens of a ChatGPT account, or an API key.

    Raises `InvalidFields`, which never repeats the text.
    """
    try:
        content = _objects.decode(text.encode("utf-8", "surrogateescape"))
    except (msgspec.MsgspecError, RecursionError):
        raise _invalid("is no JSON object; give the whole content of auth.json") from None
    tokens, key = content.get("tokens"), content.get("OPENAI_API_KEY")
    if isinstance(tokens, dict):
        return _login(tokens, content.get("last_refresh"))
    if isinstance(key, str) and _TOKEN.fullmatch(key):
        return Login(Tokens(Secret(key)), Owner(plan=API_KEY_PLAN))
    raise _invalid('has neither "tokens" nor a usable "OPENAI_API_KEY"; run `codex login` first')


def _login(members: Mapping[str, Any], refreshed: object) -> Login:
    tokens = _tokens(members, Tokens(Secret("")))
    for name, secret in (("access_token", tokens.access), ("refresh_token", tokens.refresh)):
        if not secret:
            raise _invalid(f"has no usable {name} among its tokens; run `codex login` again")
    named = members.get("account_id")
    owner = _owner(tokens, named if isinstance(named, str) else "", Owner())
    if not owner.account_id:
        raise _invalid("does not tell the account's id; run `codex login` again")
    return Login(tokens, owner, _time(refreshed))


def _tokens(members: Mapping[str, Any], before: Tokens) -> Tokens:
    access = _secret(members, "access_token") or before.access
    return Tokens(
        access,
        _secret(members, "refresh_token") or before.refresh,
        _secret(members, "id_token") or before.identity,
        expiry_of(access),
    )


def _secret(members: Mapping[str, Any], name: str) -> Secret:
    value = members.get(name)
    return Secret(value if isinstance(value, str) and _TOKEN.fullmatch(value) else "")


def expiry_of(access: Secret) -> int | None:
    """Return when a token says that it dies, in ms since 1970 UTC."""
    expires = _claims(access).get("exp")
    return int(expires * 1000) if isinstance(expires, int | float) else None


def _owner(tokens: Tokens, named: str, before: Owner) -> Owner:
    """Return whose tokens they are: the access token knows best, then the identity token."""
    claims = (_claims(tokens.access), _claims(tokens.identity))
    return Owner(
        email=_first(*(_member(each, _PROFILE, "email") for each in claims))
        or _first(*(each.get("email") for each in claims))
        or before.email,
        account_id=_first(*(_member(each, _AUTH, "chatgpt_account_id") for each in claims), named)
        or before.account_id,
        plan=_first(*(_member(each, _AUTH, "chatgpt_plan_type") for each in claims)) or before.plan,
    )


def account_of(authorization: str) -> str:
    """Return the account that a header's token says it is for, "" where it says none."""
    return _first(_member(_claims(Secret(authorization)), _AUTH, "chatgpt_account_id"))


def _claims(token: Secret) -> dict[str, Any]:
    """Return what a JWT claims; nothing for what is none."""
    parts = token.reveal().split(".")
    if len(parts) < 2:  # noqa: PLR2004 - head and claims
        return {}
    try:
        return _objects.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}


def _member(claims: Mapping[str, Any], name: str, member: str) -> object:
    inner = claims.get(name)
    return inner.get(member) if isinstance(inner, dict) else None


def _first(*values: object) -> str:
    """Return the first usable text: printable ASCII, since it may become a header."""
    for value in values:
        if isinstance(value, str) and _TOKEN.fullmatch(value) and len(value) <= _LONGEST:
            return value
    return ""


def _time(value: object) -> int | None:
    try:
        return int(datetime.fromisoformat(str(value)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _invalid(problem: str) -> InvalidFields:
    return InvalidFields([FieldProblem("authJSON", problem)])
