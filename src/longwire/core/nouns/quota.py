"""How much of a subscription is used, as its provider says, and what that means for its turns.

Law: what is known of a window holds until the window resets; an unknown window refuses nobody.
Times are arguments, in seconds since 1970 UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

_T = TypeVar("_T")
_FULL = 100.0
_SHORTEST_SHARE = 0.05
_NOTHING_KNOWN = 1.0
_NEWS = 1.0
_LATEST: Final = 253_402_300_799.0
"""The last second that a date can name: none is later, and no number is greater."""


@dataclass(frozen=True, slots=True)
class Window:
    """One limit: how much of it is used, in percent; `minutes` is how long a window lasts."""

    used_percent: float
    minutes: int | None = None
    resets_at: float | None = None

    def used(self, now: float) -> float:
        """Return the percentage used by now: none of a window that was reset meanwhile."""
        if self.resets_at is not None and now >= self.resets_at:
            return 0.0
        return min(max(self.used_percent, 0.0), _FULL)

    def headroom(self, now: float) -> float:
        """Return the share that is left, over the share of the window's time that is left.

        1 is a use that would last evenly until the reset; above it, quota would be left over.
        """
        left = 1.0 - self.used(now) / _FULL
        if self.minutes is None or self.resets_at is None or now >= self.resets_at:
            return left
        share = (self.resets_at - now) / (self.minutes * 60.0) if self.minutes > 0 else 1.0
        return left / min(max(share, _SHORTEST_SHARE), 1.0)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a provider said last of an account, at `seen_at`; all windows count.

    `limit_reached`: it refuses turns until a window resets. `credits_left` is a balance in the
    provider's own words, "" where it tells none. `refused_until` is what a refusal said itself.
    """

    plan: str = ""
    primary: Window | None = None
    secondary: Window | None = None
    limit_reached: bool = False
    credits_left: str = ""
    seen_at: float = 0.0
    refused_until: float | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every limit that is known."""
        return tuple(each for each in (self.primary, self.secondary) if each is not None)

    def used(self, now: float) -> float:
        """Return how much of the fullest window is used by now, in percent."""
        return max((each.used(now) for each in self.windows), default=0.0)

    def headroom(self, now: float) -> float:
        """Return the headroom of the tightest window; 1 where nothing is known."""
        return min((each.headroom(now) for each in self.windows), default=_NOTHING_KNOWN)

    def refused(self, until: float, now: float, plan: str = "") -> "Quota":
        """Return what is known after a turn was refused until a time."""
        return replace(
            self, limit_reached=True, refused_until=until, seen_at=now, plan=plan or self.plan
        )

    def blocked_until(self, now: float) -> float | None:
        """Return when turns can be served again; None for now.

        A limit that was reached holds until the last full window resets, or, where no window is
        full, until the first one does. What a refusal said itself comes before all windows.
        """
        if self.limit_reached and self.refused_until is not None:
            return self.refused_until if self.refused_until > now else None
        ahead = [
            (each.used(now), each.resets_at)
            for each in self.windows
            if each.resets_at is not None and each.resets_at > now
        ]
        full = [at for used, at in ahead if used >= _FULL]
        if full:
            return max(full)
        if not self.limit_reached:
            return None
        return min((at for _, at in ahead), default=None)

    def is_news(self, known: "Quota") -> bool:
        """Whether it differs from what is known by a percent, or in what it refuses."""
        if (self.plan, self.limit_reached) != (known.plan, known.limit_reached):
            return True
        pairs = ((self.primary, known.primary), (self.secondary, known.secondary))
        return any(_differ(new, old) for new, old in pairs)


def _differ(new: Window | None, old: Window | None) -> bool:
    if new is None or old is None:
        return new is not old
    return abs(new.used_percent - old.used_percent) >= _NEWS


def quota_of(values: object) -> Quota:
    """Return a quota from the values of its fields, as `asdict` gives them; others are passed over.

    Raises `ValueError` for what another version, or another hand, wrote otherwise.
    """
    fields = _fields(values)
    return Quota(
        plan=_read(fields, "plan", str, ""),
        primary=_window_of(fields.get("primary")),
        secondary=_window_of(fields.get("secondary")),
        limit_reached=_read(fields, "limit_reached", bool, default=False),
        credits_left=_read(fields, "credits_left", str, ""),
        seen_at=_number(fields.get("seen_at", 0.0)),
        refused_until=_number_or_none(fields.get("refused_until")),
    )


def _window_of(values: object) -> Window | None:
    if not values:
        return None
    fields = _fields(values)
    minutes = _number_or_none(fields.get("minutes"))
    return Window(
        _number(fields.get("used_percent")),
        None if minutes is None else int(minutes),
        _number_or_none(fields.get("resets_at")),
    )


def _fields(values: object) -> Mapping[str, object]:
    if isinstance(values, Mapping):
        return values
    raise ValueError(f"{values!r} has no fields")


def _read(fields: Mapping[str, object], name: str, kind: type[_T], default: _T) -> _T:
    value = fields.get(name, default)
    if isinstance(value, kind):
        return value
    raise ValueError(f"{name} is {value!r}")


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LATEST:
        return value
    raise ValueError(f"{value!r} is no number of seconds, minutes or percent")


class QuotaTracker:
    """What is known of one account's quota now; `is_unsaved` until somebody has kept it.

    `tell` takes it each time that it is news to others.
    """

    __slots__ = ("_known", "is_unsaved", "quota", "tell")

    def __init__(
        self, quota: Quota | None = None, tell: Callable[[Quota], None] = lambda _: None
    ) -> None:
        self.quota = quota or Quota()
        self.is_unsaved = False
        self.tell = tell
        self._known = self.quota

    def observe(self, quota: Quota) -> None:
        """Take what the provider says now; of what it is silent about, the last word stands."""
        held = self.quota
        self.quota = replace(
            quota,
            plan=quota.plan or held.plan,
            primary=quota.primary or held.primary,
            secondary=quota.secondary or held.secondary,
            credits_left=quota.credits_left or held.credits_left,
        )
        self.is_unsaved = True
        if self.quota.is_news(self._known):
            self._known = self.quota
            self.tell(self.quota)

    def take_over(self, quota: Quota) -> None:
        """Take what somebody else has seen, where that is newer."""
        if quota.seen_at > self.quota.seen_at:
            self.quota = self._known = quota
