"""Signing in by a provider of OpenID Connect: who may, and what they are then."""

from dataclasses import dataclass
from enum import StrEnum

from longwire.core.errors import CallerError
from longwire.core.nouns.access import Role
from longwire.core.nouns.secret import Secret


class SignOnProblem(StrEnum):
    """Why somebody does not come in; the web interface has words and the mend for each."""

    PROVIDER_AWAY = "provider_away"
    PROVIDER_REFUSED = "provider_refused"
    BEGIN_AGAIN = "begin_again"
    BAD_TOKEN = "bad_token"  # noqa: S105 - no secret
    NO_EMAIL = "no_email"
    EMAIL_UNVERIFIED = "email_unverified"
    OTHER_DOMAIN = "other_domain"
    NO_GROUP = "no_group"
    NO_USER = "no_user"
    EMAIL_TAKEN = "email_taken"
    DISABLED = "disabled"
    NO_OWNER_YET = "no_owner_yet"
    TOO_MANY = "too_many"


class SignOnRefused(CallerError):
    """Somebody does not come in; the message says it to the operator, in the log."""

    code = "sign_on_refused"

    def __init__(self, problem: SignOnProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Client:
    """As whom the gateway is known to a provider; without a secret it is a public client."""

    issuer: str
    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may come in, and as what: groups of the provider to roles and to projects.

    Without a `default_role` somebody in none of the groups of `roles` stays out. `email_domains`
    are those that may come, all for none. `links_by_email`: who has the verified email of a user is
    that user.
    """

    groups_claim: str = "groups"
    roles: tuple[tuple[str, Role], ...] = ()
    default_role: Role | None = None
    projects: tuple[tuple[str, str], ...] = ()
    email_domains: tuple[str, ...] = ()
    creates_users: bool = True
    links_by_email: bool = False


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """How people sign in by a provider; `is_only` leaves passwords to owners, for an emergency."""

    client: Client
    admission: Admission
    label: str = "Single sign-on"
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who a provider says has come: a subject of an issuer, which is never anybody else's."""

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a user is to a provider. Times in ms since 1970 UTC."""

    id: str
    user_id: str
    issuer: str
    subject: str
    email: str
    created_at: int
    last_sign_in_at: int
