"""Which channels may serve a model, in which order, and why each other one may not."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Route:
    """A channel as routing sees it: `models` are names or patterns such as `gpt-5-*`."""

    channel: str
    models: tuple[str, ...] = ("*",)
    weight: float = 1
    is_enabled: bool = True

    def serves(self, model: str) -> bool:
        """Whether a model's name is among the patterns."""
        return any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class Choice:
    """The channels to try in order, and for every other one the reason of its refusal."""

    candidates: tuple[str, ...]
    refusals: tuple[tuple[str, str], ...]

    @property
    def explanation(self) -> str:
        """Say in one phrase why nobody was left."""
        if not self.refusals:
            return "no channel is configured"
        return "; ".join(f"{channel}: {reason}" for channel, reason in self.refusals)


def choose(routes: Iterable[Route], model: str) -> Choice:
    """Order the channels that serve `model`: the heavier first, equals as configured."""
    served: list[Route] = []
    refusals: list[tuple[str, str]] = []
    for route in routes:
        if not route.is_enabled:
            refusals.append((route.channel, "disabled"))
        elif not route.serves(model):
            refusals.append((route.channel, "does not serve it"))
        else:
            served.append(route)
    served.sort(key=lambda route: -route.weight)
    return Choice(tuple(route.channel for route in served), tuple(refusals))
