"""Which channels may serve a model, in which order, and in which API each asks its upstream.

Law: a session exists only where the Responses API is spoken, so that one comes first; what it
cannot say goes to the client's own API, which says it in its own words.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from functools import cached_property

from blake3 import blake3

from longwire.core.rules.turn import PENALTIES, Source

RESPONSES = "responses"
_BY_FIDELITY = (RESPONSES, "messages", "generate_content", "chat_completions")
"""The APIs by how much of a turn they can say."""

_PENALIZING = ("generate_content", "chat_completions")
"""The APIs that know penalties."""

_OTHERS = "others"
_BAND_DIGITS = 1
"""Digits after the point by which accounts with about as much left are equal."""


@dataclass(frozen=True)
class Route:
    """A channel as routing sees it: `models` are names or patterns such as `gpt-5-*`.

    `channel` is its id, `name` what people call it; without one the id is shown. A channel with
    accounts has a route for each `account`.
    """

    channel: str
    models: tuple[str, ...] = ("*",)
    weight: float = 1.0
    is_enabled: bool = True
    name: str = ""
    account: str = ""

    @cached_property
    def id(self) -> str:
        """Return what no other route is called."""
        return f"{self.channel}/{self.account}" if self.account else self.channel

    @cached_property
    def label(self) -> str:
        """Return what people call the channel."""
        return self.name or self.channel

    def serves(self, model: str) -> bool:
        """Whether a model's name is among the patterns; "" is one that the request leaves open."""
        if not model:
            return True
        for pattern in self.models:
            if pattern in ("*", model) or fnmatchcase(model, pattern):
                return True
        return False


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
        reasons = dict.fromkeys(f"{channel}: {reason}" for channel, reason in self.refusals)
        return "; ".join(reasons)


def choose(
    routes: Iterable[Route], model: str, allows: Callable[[str], bool] = lambda _: True
) -> Choice:
    """Tell the channels that serve `model` from those that do not, or that are not allowed.

    A channel that the caller may not use is never named.
    """
    served: list[Route] = []
    refusals: list[tuple[str, str]] = []
    for route in routes:
        if not allows(route.channel):
            refusals.append((_OTHERS, "not for this key"))
        elif not route.is_enabled:
            refusals.append((route.label, "disabled"))
        elif not route.serves(model):
            refusals.append((route.label, "does not serve it"))
        else:
            served.append(route)
    return Choice(tuple(served), tuple(refusals))


def order(
    routes: Sequence[Route],
    session: str,
    *,
    belongs: Callable[[str], bool],
    is_trusted: Callable[[str], bool],
    is_home: Callable[[str], bool] = lambda _: False,
    headroom: Callable[[str], float] = lambda _: 1.0,
) -> tuple[str, ...]:
    """Order routes, by their ids, for one turn: trusted before cooling down, then by its chain.

    A turn `belongs` to a route that holds what it goes on from.
    Among equals each session keeps one channel as its home, and homes are shared out by weight
    (weighted rendezvous hashing); the rest follows in the order in which it would take over. In a
    channel with accounts a session stays at its home, the one that served it last; without one it
    goes where the most is left, and where about as much is left, homes are shared out evenly.
    """

    def rank(route: Route) -> tuple[bool, bool, float, bool, float, float]:
        own = route.id
        return (
            not is_trusted(own),
            not belongs(own),
            _distance(session, route.channel) / route.weight,
            not is_home(own),
            -round(headroom(own), _BAND_DIGITS) if route.account else 0.0,
            _distance(session, own),
        )

    return tuple(route.id for route in sorted(routes, key=rank))


def _distance(session: str, name: str) -> float:
    text = f"{len(session)}:{session}{name}"
    digest = blake3(text.encode("utf-8", "surrogateescape")).digest(length=8)
    return -math.log((int.from_bytes(digest) + 1) / (2**64 + 1))


class Manner(Enum):
    """How a turn is said to an upstream, and why so."""

    SESSION = "the upstream speaks the Responses API, where sessions exist"
    NATIVE = "the upstream speaks the client's own API: passed on as it is"
    TRANSLATED = "the upstream speaks neither the Responses API nor the client's own"


@dataclass(frozen=True, slots=True)
class Way:
    """How a channel serves a turn: the `api` that its upstream is asked in, and the manner."""

    api: str
    manner: Manner


IN_SESSION = Way(RESPONSES, Manner.SESSION)
"""The way of all turns of an upstream of the Responses API."""

UNSENT = Way("", Manner.SESSION)
"""The way of a turn that was said to no upstream."""


def sayable_in(source: Source) -> Collection[str]:
    """Return the APIs in which all of a turn can be said that changes the answer."""
    if source.refusal is not None:
        return ()
    if source.wishes and any(each.kind in PENALTIES for each in source.wishes):
        return _PENALIZING
    return _BY_FIDELITY


def way_of(
    own: str, offered: Collection[str], sayable: Collection[str], *, is_read: bool, may_drop: bool
) -> Way | None:
    """Choose the way of a client's turn, whose `own` API may be among the `offered` ones.

    The former is as the turn log names it.

    In APIs that are `sayable` nothing is lost that changes the answer. What else `is_read` can be
    said in part, which does where the channel `may_drop` the rest. None where nothing does.
    """
    if RESPONSES in sayable and RESPONSES in offered:
        return IN_SESSION
    own = own if own in offered else own.partition("/")[0]
    if own in offered:
        return Way(own, Manner.NATIVE)
    apis = [api for api in _BY_FIDELITY if api in offered]
    api = next((api for api in apis if api in sayable), None)
    if api is None and is_read and may_drop:
        api = next(iter(apis), None)
    if api is None:
        return None
    return IN_SESSION if api == RESPONSES else Way(api, Manner.TRANSLATED)
