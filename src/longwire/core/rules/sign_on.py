"""Whether an ID token says what it must, and what somebody who comes by one may.

Law: nothing in a token is believed before its issuer, audience, times and nonce are right (OpenID
Connect Core 1.0, 3.1.3.7). A group that nobody mapped grants nothing.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from longwire.core.nouns.access import PERMISSIONS, Role
from longwire.core.nouns.people import is_email, normal_email
from longwire.core.nouns.sign_on import Admission, Person, SignOnProblem, SignOnRefused

SKEW: Final = 60
"""Seconds that the provider's clock and ours may differ."""

_LATEST: Final = 2**53
_LONGEST_SUBJECT: Final = 255
_LONGEST_NAME: Final = 100
_MOST_GROUPS: Final = 2000


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """What an ID token must say, at a time in seconds since 1970 UTC."""

    issuer: str
    client_id: str
    nonce: str
    now: float


def check_claims(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    """Raise `SignOnRefused` for an ID token that is not the one that was asked for."""
    for problem in (*_parties(claims, expected), *_times(claims, expected.now)):
        raise SignOnRefused(SignOnProblem.BAD_TOKEN, f"The ID token is refused: {problem}.")


def _parties(claims: Mapping[str, Any], expected: ExpectedToken) -> Iterator[str]:
    own = expected.client_id
    if claims.get("iss") != expected.issuer:
        yield "its issuer (iss) is another one than oidc.issuer"
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if own not in audiences:
        yield "it is for another client (aud) than oidc.client_id"
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != own:
        yield "it was handed to another client (azp)"
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        yield "it names nobody (sub)"
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "surrogatepass"), expected.nonce.encode()
    ):
        yield "it belongs to another sign-in (nonce)"


def _times(claims: Mapping[str, Any], now: float) -> Iterator[str]:
    if not _is_number(claims.get("exp")) or claims["exp"] <= now - SKEW:
        yield "it has expired (exp); see whether both clocks are right"
    if not _is_number(claims.get("iat")) or claims["iat"] > now + SKEW:
        yield "it is from the future (iat); see whether both clocks are right"
    if "nbf" in claims and (not _is_number(claims["nbf"]) or claims["nbf"] > now + SKEW):
        yield "it is not valid yet (nbf); see whether both clocks are right"


def _is_number(value: object) -> bool:
    """Whether it is a time; neither NaN is, which is less than nothing, nor infinity."""
    return isinstance(value, int | float) and value is not True and abs(value) < _LATEST


def person_of(claims: Mapping[str, Any], admission: Admission) -> Person:
    """Return who claims speak of; they are checked already."""
    email, name = _text(claims, "email"), _text(claims, "name")
    printable = "".join(each for each in name if each.isprintable())
    return Person(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=normal_email(email),
        is_verified=claims.get("email_verified") is True,
        name=printable[:_LONGEST_NAME],
        groups=_groups(claims, admission.groups_claim),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the groups in a claim, whose name may be a path as `realm_access.roles`."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(each for each in listed[:_MOST_GROUPS] if isinstance(each, str))


def check_person(person: Person, admission: Admission) -> None:
    """Raise `SignOnRefused` for somebody whose email may not come in."""
    domains = {each.lower().lstrip("@") for each in admission.email_domains}
    if not is_email(person.email):
        message = "The provider tells no email; ask for the scope email (oidc.scopes)."
        raise SignOnRefused(SignOnProblem.NO_EMAIL, message)
    if not domains:
        return
    if not person.is_verified:
        message = f"The provider has not verified {person.email}, and oidc.email_domains is set."
        raise SignOnRefused(SignOnProblem.EMAIL_UNVERIFIED, message)
    if person.email.rpartition("@")[2] not in domains:
        message = f"{person.email} is of no domain of oidc.email_domains."
        raise SignOnRefused(SignOnProblem.OTHER_DOMAIN, message)


def role_of(person: Person, admission: Admission) -> Role:
    """Return the role that may most of those of somebody's groups. Raises `SignOnRefused`."""
    roles = [role for group, role in admission.roles if group in person.groups]
    if roles:
        return max(roles, key=lambda role: len(PERMISSIONS[role]))
    if admission.default_role is None:
        message = f"{person.email} is in no group of oidc.roles, and oidc.default_role is not set."
        raise SignOnRefused(SignOnProblem.NO_GROUP, message)
    return admission.default_role


def memberships(person: Person, admission: Admission) -> dict[str, bool]:
    """Return for each project that a group opens whether it is open to somebody."""
    opened: dict[str, bool] = {}
    for group, project in admission.projects:
        opened[project] = opened.get(project, False) or group in person.groups
    return opened
