"""How much of a subscription is used, as its provider tells it, and what that means for its turns.

Law: what was told of a window holds until the window resets; what was never told refuses nobody.
Times are arguments, in seconds since 1970 UTC.
"""

from dataclasses import dataclass

_FULL = 100.0


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


@dataclass(frozen=True, slots=True)
class Quota:
    """What a provider told last of an account, at `seen_at`; all windows count.

    `limit_reached`: it refuses turns until a window resets. `credits_left` is a balance in the
    provider's own words, "" where it tells none.
    """

    plan: str = ""
    primary: Window | None = None
    secondary: Window | None = None
    limit_reached: bool = False
    credits_left: str = ""
    seen_at: float = 0.0

    def used(self, now: float) -> float:
        """Return how much of the fullest window is used by now, in percent."""
        windows = (each for each in (self.primary, self.secondary) if each is not None)
        return max((each.used(now) for each in windows), default=0.0)

    def blocked_until(self, now: float) -> float | None:
        """Return when turns can be served again; None for now.

        A limit that was reached holds until the last full window resets, or, where no window is
        full, until the first one does.
        """
        windows = [each for each in (self.primary, self.secondary) if each is not None]
        ahead = [
            (each.used(now), each.resets_at)
            for each in windows
            if each.resets_at is not None and each.resets_at > now
        ]
        full = [at for used, at in ahead if used >= _FULL]
        if full:
            return max(full)
        if not self.limit_reached:
            return None
        return min((at for _, at in ahead), default=None)
