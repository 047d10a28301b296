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
from operator import itemgetter
from typing import NamedTuple

from blake3 import blake3

from longwire.core.rules.turn import PENALTIES, Source

RESPONSES = "responses"
_BY_FIDELITY = (RESPONSES, "messages", "generate_content", "chat_completions")
"""The APIs by how much of a turn they can say."""

_SAYING_MORE = ("generate_content", "chat_completions")
"""The APIs that know penalties, and take audio."""

_OTHERS = "others"
_GONE = "a target of it"
_BAND_DIGITS = 1
"""Digits after the point by which accounts with about as much left are equal."""

_NEARLY_EMPTY = 0.1
"""A key that has less left of its rates gets no new sessions, while others have more."""


@dataclass(frozen=True)
class Route:
    """A channel as routing sees it: `models` are names or patterns such as `gpt-5-*`.

    `channel` is its id, `name` what people call it; without one the id is shown. A channel with
    accounts or several keys has a route for each of them, the `account`; `share` is how much of
    the channel's sessions that one gets. Of keys all that counts is that they are not used up. As
    a target of a model it asks for another `model` there, stands in an `order`, and may be there
    for a `fallback`, by its name.
    """

    channel: str
    models: tuple[str, ...] = ("*",)
    weight: float = 1.0
    is_enabled: bool = True
    name: str = ""
    account: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    order: int = 0
    fallback: str = ""
    share: float = 1.0
    is_key: bool = False

    @cached_property
    def id(self) -> str:
        """Return what no other route is called."""
        own = f"{self.channel}/{self.account}" if self.account else self.channel
        return f"{own}={self.model}" if self.model else own

    @cached_property
    def place(self) -> str:
        """Return what sessions are shared out to: the channel, with a model of its own there."""
        return f"{self.channel}={self.model}" if self.model else self.channel

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


class Refusal(Enum):
    """Why a channel does not serve a turn, as callers and operators read it."""

    KEY = "not for this key"
    MISSING = "there is no such channel"
    DISABLED = "disabled"
    NOT_SERVED = "does not serve it"
    CONDITION = "its condition is not met"
    TWICE = "stands before it already"
    UNSAYABLE = "cannot be told this request"
    VENDOR = "its upstream never answers such a request"
    ELSEWHERE = "another one holds what the turn names"
    ACCOUNT = "its account must sign in again, or has used up its quota"
    LIMIT = "at its limit"
    BOUND = "the turn can only be read where it was made"
    BACKGROUND = "does not answer in the background"


_UNNAMED = {Refusal.KEY: _OTHERS, Refusal.MISSING: _GONE}


class Refused(NamedTuple):
    """A channel that does not serve a turn, and why; `detail` is what of that."""

    route: Route
    cause: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The channels that may serve, and for every other one the reason of its refusal."""

    candidates: tuple[Route, ...]
    refusals: tuple[Refused, ...]

    @property
    def explanation(self) -> str:
        """Say in one phrase why nobody was left.

        Channels that are not for the key stay unnamed, as ids and tags of channels that are gone.
        """
        if not self.refusals:
            return "no channel is configured"
        reasons = dict.fromkeys(
            f"{_UNNAMED.get(cause, route.label)}: {cause.value}"
            for route, cause, _ in self.refusals
        )
        return "; ".join(reasons)


def choose(
    routes: Iterable[Route], model: str, allows: Callable[[str], bool] = lambda _: True
) -> Choice:
    """Tell the channels that serve `model` from those that do not, or that are not allowed.

    A channel that the caller may not use is never named.
    """
    served: list[Route] = []
    refusals: list[Refused] = []
    for route in routes:
        if not allows(route.channel):
            refusals.append(Refused(route, Refusal.KEY))
        elif not route.is_enabled:
            refusals.append(Refused(route, Refusal.DISABLED))
        elif not route.serves(model):
            refusals.append(Refused(route, Refusal.NOT_SERVED))
        else:
            served.append(route)
    return Choice(tuple(served), tuple(refusals))


class Standing(Enum):
    """Why a channel that may serve a turn comes where it does, seen from the one before it."""

    FIRST = "comes first"
    RESTING = "rests after failures"
    ORDER = "comes later in the model's order"
    FALLBACK = "is a fallback"
    HISTORY = "the history of the session is elsewhere"
    DRAWN = "another one was drawn for the session by weight"
    HOME = "another account served the session last"
    HEADROOM = "another account has more left"


_BY_RANK = (
    Standing.RESTING,
    Standing.ORDER,
    Standing.HISTORY,
    Standing.DRAWN,
    Standing.HOME,
    Standing.HEADROOM,
    Standing.DRAWN,
)
"""What each member of a rank says where it is the first to differ."""

Rank = tuple[bool, int, bool, float, bool, float, float]


def standing(first: tuple[Rank, Route], other: tuple[Rank, Route]) -> Standing:
    """Return why a ranked route does not come before the first one."""
    pairs = zip(first[0], other[0], _BY_RANK, strict=True)
    found = next((why for one, two, why in pairs if one != two), Standing.FIRST)
    is_fallback = other[1].fallback != first[1].fallback
    return Standing.FALLBACK if found is Standing.ORDER and is_fallback else found


def ranked(
    routes: Sequence[Route],
    session: str,
    *,
    belongs: Callable[[str], bool],
    is_trusted: Callable[[str], bool],
    is_home: Callable[[str], bool] = lambda _: False,
    headroom: Callable[[str], float] = lambda _: 1.0,
) -> list[tuple[Rank, Route]]:
    """Rank routes for one turn: trusted before cooling down, then by a model's order, the chain.

    A turn `belongs` to a route that holds what it goes on from.
    Among equals each session keeps one channel as its home, and homes are shared out by weight
    (weighted rendezvous hashing); the rest follows in the order in which it would take over. In a
    channel with accounts a session stays at its home, the one that served it last; without one it
    goes where the most is left, and where about as much is left, homes are shared out evenly.
    """

    def rank(route: Route) -> tuple[Rank, Route]:
        own = route.id
        return (
            (
                not is_trusted(own),
                route.order,
                not belongs(own),
                _distance(session, route.place) / route.weight,
                not is_home(own),
                _use(route, headroom),
                _distance(session, own) / route.share,
            ),
            route,
        )

    return sorted(map(rank, routes), key=itemgetter(0))


def _use(route: Route, headroom: Callable[[str], float]) -> float:
    """Return how much of an account is used up; of a key only whether it nearly is."""
    if route.is_key:
        return float(headroom(route.id) < _NEARLY_EMPTY)
    return -round(headroom(route.id), _BAND_DIGITS) if route.account else 0.0


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
    if source.has_audio or any(each.kind in PENALTIES for each in source.wishes):
        return _SAYING_MORE
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
