"""Which channels may serve a model, in which order, and why each other one may not."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from blake3 import blake3


@dataclass(frozen=True, slots=True)
class Route:
    """A channel as routing sees it: `models` are names or patterns such as `gpt-5-*`.

    `channel` is its id, `name` what people call it; without one the id is shown.
    """

    channel: str
    models: tuple[str, ...] = ("*",)
    weight: float = 1.0
    is_enabled: bool = True
    name: str = ""

    @property
    def label(self) -> str:
        """Return what people call the channel."""
        return self.name or self.channel

    def serves(self, model: str) -> bool:
        """Whether a model's name is among the patterns."""
        return any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class Choice:
    """The channels that may serve, and for every other one the reason of its refusal."""

    candidates: tuple[Route, ...]
    refusals: tuple[tuple[str, str], ...]

    @property
    def explanation(self) -> str:
        """Say in one phrase why nobody was left."""
        if not self.refusals:
            return "no channel is configured"
        return "; ".join(f"{channel}: {reason}" for channel, reason in self.refusals)


def choose(
    routes: Iterable[Route], model: str, allows: Callable[[str], bool] = lambda _: True
) -> Choice:
    """Tell the channels that serve `model` from those that do not, or that are not allowed."""
    served: list[Route] = []
    refusals: list[tuple[str, str]] = []
    for route in routes:
        if not route.is_enabled:
            refusals.append((route.label, "disabled"))
        elif not route.serves(model):
            refusals.append((route.label, "does not serve it"))
        elif not allows(route.channel):
            refusals.append((route.label, "not for this key"))
        else:
            served.append(route)
    return Choice(tuple(served), tuple(refusals))


def order(
    routes: Sequence[Route],
    session: str,
    *,
    holds: Callable[[str], bool],
    is_trusted: Callable[[str], bool],
) -> tuple[str, ...]:
    """Order channels for one turn: trusted before cooling down, then where its chain is.

    Among equals each session keeps one channel as its home, and homes are shared out by weight
    (weighted rendezvous hashing); the rest follows in the order in which it would take over.
    """

    def rank(route: Route) -> tuple[bool, bool, float]:
        name = route.channel
        return (not is_trusted(name), not holds(name), _distance(session, route))

    return tuple(route.channel for route in sorted(routes, key=rank))


def _distance(session: str, route: Route) -> float:
    text = f"{len(session)}:{session}{route.channel}"
    digest = blake3(text.encode("utf-8", "surrogateescape")).digest(length=8)
    share = (int.from_bytes(digest) + 1) / (2**64 + 1)
    return -math.log(share) / route.weight
