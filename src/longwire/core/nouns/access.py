"""Who may do what: roles and their permissions, and what an API key grants on the data plane.

Law: field by field, the admin API lets a role do what the table below says, and no more.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from longwire.core.errors import FieldProblem
from longwire.core.nouns.secret import Secret


class Role(StrEnum):
    """What a user is to the whole gateway."""

    OWNER = "owner"
    ADMIN = "admin"
    VIEWER = "viewer"
    MEMBER = "member"


class Permission(StrEnum):
    """One thing that the admin API lets somebody do, as `noun:verb`."""

    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    KEYS_OWN = "keys:own"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    OWNERS_WRITE = "owners:write"
    TURNS_READ = "turns:read"
    BODIES_READ = "bodies:read"
    SESSIONS_READ = "sessions:read"
    SESSIONS_CLOSE = "sessions:close"
    USAGE_READ = "usage:read"
    BUDGETS_WRITE = "budgets:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    AUDIT_READ = "audit:read"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"


_VIEWED = frozenset(
    {
        Permission.CHANNELS_READ,
        Permission.KEYS_READ,
        Permission.PROJECTS_READ,
        Permission.TURNS_READ,
        Permission.SESSIONS_READ,
        Permission.USAGE_READ,
        Permission.SETTINGS_READ,
    }
)

_OWN = frozenset(
    {
        Permission.KEYS_READ,
        Permission.KEYS_OWN,
        Permission.PROJECTS_READ,
        Permission.TURNS_READ,
        Permission.SESSIONS_READ,
        Permission.USAGE_READ,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.MEMBER: _OWN,
    Role.VIEWER: _VIEWED,
    Role.ADMIN: frozenset(Permission) - {Permission.OWNERS_WRITE},
    Role.OWNER: frozenset(Permission),
}
"""A viewer sees keys, turns and usage of their own projects alone, admins and owners all.

A member sees their own keys alone, and what these were used for, and makes them themselves.
"""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, as the audit log names them; `address` is where the request came from.

    The command line acts as `Actor("", "command line")`.
    """

    id: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """Most requests and tokens a minute, and turns at once; None for no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_turns: int | None = None


@dataclass(frozen=True, slots=True)
class Budgets:
    """Most tokens, and cost in billionths of a US dollar, per UTC day and month; None for any."""

    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    cost_per_day: int | None = None
    cost_per_month: int | None = None


GREATEST = 2**63 - 1
"""The greatest number that is kept."""


def check_limits(place: str, limits: Rates | Budgets) -> Iterator[FieldProblem]:
    """Yield what is wrong with limits that stand at a `place` of their noun."""
    for name, limit in asdict(limits).items():
        field = f"{place}.{field_name(name)}"
        most = most_text(is_money=name.startswith("cost"))
        if limit is not None and not 1 <= limit <= GREATEST:
            bound = "1 or more" if limit < 1 else f"{most} at most"
            yield FieldProblem(field, f"must be {bound}; leave it empty for no limit")


def most_text(*, is_money: bool) -> str:
    """Return the most that a limit may be, in words: what a column of the database holds."""
    return f"{GREATEST // 10**9:,} US dollars" if is_money else f"{GREATEST:,}"


def field_name(name: str) -> str:
    """Return how the admin API writes the name of a field."""
    first, *rest = name.split("_")
    return "".join((first, *map(str.title, rest)))


@dataclass(frozen=True, slots=True)
class Grant:
    """What an API key opens: models by name or pattern, channels by id; none of them means all.

    It `shows_reasoning` to clients of Chat Completions, whose API has no members for it. The key is
    that of a user, or nobody's.
    """

    key_id: str = ""
    project_id: str = ""
    user_id: str | None = None
    models: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rates: Rates = Rates()
    budgets: Budgets = Budgets()
    keeps_bodies: bool = False
    shows_reasoning: bool = False

    def allows_model(self, model: str) -> bool:
        """Whether turns may ask for a model."""
        return not self.models or any(fnmatchcase(model, each) for each in self.models)

    def allows_channel(self, channel_id: str) -> bool:
        """Whether turns may go to a channel."""
        return not self.channels or channel_id in self.channels


EVERYTHING = Grant()
"""What a caller may who has no key of the gateway's own: no wall but the scope."""


class KeyStatus(StrEnum):
    """Whether an API key is accepted."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept: its HMAC digests, never the key. Times in ms since 1970 UTC.

    `prefix` is the beginning of the key, for people to tell keys apart. After a rotation the
    `previous_digest` is accepted until `previous_until`.
    """

    id: str
    name: str
    prefix: str
    digest: bytes
    grant: Grant
    status: KeyStatus = KeyStatus.ENABLED
    expires_at: int | None = None
    previous_digest: bytes | None = None
    previous_until: int | None = None
    created_at: int = 0
    last_used_at: int | None = None
    revision: int = 0
    is_declared: bool = False


def is_accepted(key: ApiKey, now: int) -> bool:
    """Whether a key opens anything at a time, in ms since 1970 UTC."""
    return key.status is KeyStatus.ENABLED and (key.expires_at is None or now < key.expires_at)


KeyDigest = Callable[[str], bytes]
"""Digests an API key to what is kept of it, 32 bytes."""


def digest_with(pepper: bytes) -> KeyDigest:
    """Return the HMAC-SHA256 with a pepper: without it a stolen table can be tried on nothing."""
    return lambda key: hmac.digest(pepper, key.encode("utf-8", "surrogateescape"), "sha256")


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """An API key and, this once, its secret."""

    key: ApiKey
    secret: Secret
