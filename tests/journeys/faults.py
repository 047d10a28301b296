"""Every fault that concerns a turn, and what becomes of it: the table that the matrix plays.

Law: whatever strikes before the first event and may be made good is not seen by the client; all
else ends in a well-formed error. `docs/reference/faults.md` is drawn from this.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from longwire.emulator import Fault, Script

AS_USUAL = ""
"""The way of a turn that nothing befell: it continues, or is the first of its session."""


class Fate(Enum):
    """What becomes of the connection that a fault strikes."""

    REMEMBERS = "kept, remembers"
    FORGETS = "kept, forgets"
    CLOSED = "closed"
    NEVER_OPENED = "never opened"


@dataclass(frozen=True, slots=True)
class Answered:
    """The client gets its answer, in full for this `reason` or as usual."""

    reason: str = AS_USUAL
    transport: str = "websocket"

    def __str__(self) -> str:
        """Say it in a cell of the page."""
        over = " over HTTP" if self.transport == "http" else ""
        return f"the answer{over}" + (f" (`fresh` `{self.reason}`)" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Told:
    """The client gets an error as HTTP status before anything else."""

    status: int
    code: str | None
    retry_after: str | None = None

    def __str__(self) -> str:
        """Say it in a cell of the page."""
        kept = ", `retry-after` kept" if self.retry_after else ""
        return f"{self.status} {_named(self.code)}{kept}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A stream ends with `response.failed` and this code; a JSON answer is an HTTP error."""

    status: int
    code: str | None

    def __str__(self) -> str:
        """Say it in a cell of the page."""
        return f"stream: `response.failed` with {_named(self.code)}; JSON: {self.status}"


@dataclass(frozen=True, slots=True)
class Ended:
    """The upstream's own ending, unchanged: the last event of a stream, or 200 with a status."""

    status: str
    code: str | None = None

    def __str__(self) -> str:
        """Say it in a cell of the page."""
        error = f" with {_named(self.code)}" if self.code else ""
        return f"`response.{self.status}`{error}; JSON: 200 with that status"


Result = Answered | Told | Broken | Ended


def _named(code: str | None) -> str:
    return f"`{code}`" if code else "the upstream's words, without a code"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of trouble: all of its `faults` have the same result.

    `websocket` and `auto` are what the client gets over a channel of that transport; `fate` is
    what becomes of the connection, and `then` how the next turn travels where that does not say.
    `waits`: the gateway has to lose its patience first. `has_account`: the channel speaks for an
    account whose tokens can be renewed. `stays_over_http`: where HTTP serves it, it serves all
    later turns of the session.
    """

    group: str
    what: str
    faults: tuple[Fault, ...]
    websocket: Result
    fate: Fate
    over_auto: Result | None = None
    script: Script = field(default_factory=Script)
    then: str = AS_USUAL
    waits: bool = False
    has_account: bool = False
    stays_over_http: bool = False

    @property
    def auto(self) -> Result:
        """What the client gets where both transports may be used."""
        return self.over_auto or self.websocket

    @property
    def after(self) -> str:
        """How the turn after this one travels; as usual where no connection was opened."""
        if self.then:
            return self.then
        return "continued" if self.is_sent_again else _AFTER[self.fate]

    @property
    def is_sent_again(self) -> bool:
        """Whether the turn ended on another WebSocket than the one that was struck."""
        if not isinstance(self.websocket, Answered):
            return False
        return bool(self.websocket.reason) or self.fate is Fate.NEVER_OPENED


_AFTER = {
    Fate.REMEMBERS: "continued",
    Fate.FORGETS: "fresh turn_failed",
    Fate.CLOSED: "fresh connection_lost",
    Fate.NEVER_OPENED: AS_USUAL,
}


def _at(points: Iterable[str], *acts: dict) -> tuple[Fault, ...]:
    return tuple(Fault(at=point, **act) for point in points for act in acts)


def _errors(points: Iterable[str], shapes: str, **error: object) -> tuple[Fault, ...]:
    return _at(points, *({"act": "error", "shape": shape, **error} for shape in shapes))


BEFORE = ("before_create", "after_create")
WITH_OUTPUT = ("mid_delta", "after_item", "before_terminal")
DURING = ("after_created", *WITH_OUTPUT)
CODES = (1000, 1001, None, 1008, 1011, 1012, 1013)
CLOSES = tuple({"act": "close", "code": code} for code in CODES)
TOO_LARGE = {"act": "close", "code": 1009}
CUTS = (*CLOSES, {"act": "reset"}, {"act": "half"}, {"act": "binary"})
STALLS = ({"act": "hang"}, {"act": "silence"})
LARGE = {"act": "huge_event", "size": 2 * 1024 * 1024}
VENDOR = {"act": "extra_event"}
BARE = "bdefjk"
"""The shapes of an error frame that say its code, and of these the ones without headers; `h` has
words alone, `i` a type instead of the code, and `g` is no error frame but `response.failed`."""

FORGOTTEN = {"code": "previous_response_not_found", "status": 400}
EXPIRED = {"code": "websocket_connection_limit_reached", "status": 400}
DUPLICATE = {
    "code": "invalid_request_error",
    "status": 400,
    "message": "Duplicate item found with id msg_1. Remove duplicate items and try again.",
}
LIMITED = {"code": "rate_limit_exceeded", "status": 429}
FAILING = {"code": "server_error", "status": 500}
UNKNOWN_KEY = {"code": "invalid_api_key", "status": 401}
INVALID = {"code": "invalid_prompt", "status": 400}

_HANDSHAKE = ("handshake",)
_NO_WEBSOCKET = Told(502, "upstream_unavailable")
_OVER_HTTP = Answered("http_transport", "http")
_LOST = Broken(502, "upstream_disconnected")
_AGAIN = Answered("replayed")
_CHANNEL_REFUSED = Told(502, "channel_refused")


def _refused(status: int, **refusal: object) -> dict:
    return {"act": "refuse", "status": status, "code": "the_code", **refusal}


def _handshakes() -> Iterator[Row]:
    group = "The handshake"
    refused = _at(_HANDSHAKE, _refused(401), _refused(402), _refused(403))
    what = "refused with 401, 402, 403: the channel's key may not"
    yield Row(group, what, refused, _CHANNEL_REFUSED, Fate.NEVER_OPENED)
    for status, retry_after in ((429, "7"), (500, None), (503, "7")):
        headers = {"retry-after": retry_after} if retry_after else {}
        yield Row(
            group,
            f"refused with {status}",
            _at(_HANDSHAKE, _refused(status, headers=headers)),
            Told(status, "the_code", retry_after),
            Fate.NEVER_OPENED,
        )
    yield Row(
        group,
        "refused with 404, 405, 426, 501: no WebSocket here",
        _at(_HANDSHAKE, *(_refused(status) for status in (404, 405, 426, 501))),
        _NO_WEBSOCKET,
        Fate.NEVER_OPENED,
        over_auto=_OVER_HTTP,
    )
    yield Row(
        group,
        "the connection is reset",
        _at(_HANDSHAKE, {"act": "reset"}),
        _NO_WEBSOCKET,
        Fate.NEVER_OPENED,
        over_auto=_OVER_HTTP,
    )
    yield Row(
        group,
        "no answer in time",
        _at(_HANDSHAKE, {"act": "hang"}),
        Told(504, "upstream_timeout"),
        Fate.NEVER_OPENED,
        over_auto=_OVER_HTTP,
        waits=True,
    )


def _before() -> Iterator[Row]:
    group = "Before the first event"
    yield Row(group, "the connection ends", _at(BEFORE, *CUTS), _AGAIN, Fate.CLOSED)
    yield Row(group, "silence", _at(BEFORE, *STALLS), _AGAIN, Fate.CLOSED, waits=True)
    yield Row(
        group,
        "the connection ends with 1009: the request is too large for it",
        _at(BEFORE, TOO_LARGE),
        Told(413, "request_too_large"),
        Fate.CLOSED,
        over_auto=_OVER_HTTP,
        stays_over_http=True,
    )
    yield Row(
        group, "an event that belongs to no response", _at(BEFORE, LARGE), _AGAIN, Fate.CLOSED
    )
    yield Row(group, "a frame of the vendor's own", _at(BEFORE, VENDOR), Answered(), Fate.REMEMBERS)
    drip = _at(("after_create",), {"act": "slow_drip"})
    yield Row(group, "the answer comes byte by byte", drip, Answered(), Fate.REMEMBERS)


def _errors_made_good() -> Iterator[Row]:
    group = "An error frame before any output that is made good"
    opened = ("after_created",)
    forgotten = _errors(BEFORE, "abcdefgjk", **FORGOTTEN) + _errors(opened, "ab", **FORGOTTEN)
    again = Answered("upstream_forgot")
    yield Row(group, "a response the gateway named is unknown", forgotten, again, Fate.FORGETS)
    expired = _errors(BEFORE, "abcdefgjk", **EXPIRED) + _errors(opened, "ab", **EXPIRED)
    again = Answered("connection_expired")
    yield Row(group, "the connection is too old", expired, again, Fate.CLOSED)
    held = _errors(BEFORE, "abcdefghijk", **DUPLICATE) + _errors(opened, "ab", **DUPLICATE)
    yield Row(group, "an item is held already", held, _AGAIN, Fate.FORGETS)


def _errors_told() -> Iterator[Row]:
    group = "An error frame before any output that is told"
    for what, error, fate in (
        ("429: a limit is reached", LIMITED, Fate.FORGETS),
        ("500: the upstream fails", FAILING, Fate.FORGETS),
        ("400: the request is refused", INVALID, Fate.FORGETS),
    ):
        kept = Told(error["status"], error["code"], "7")
        later = _errors((*BEFORE, "after_created"), "ac", **error, headers={"retry-after": "7"})
        yield Row(group, what, later, kept, fate)
        bare = _errors(BEFORE, BARE, **error)
        yield Row(group, what, bare, replace(kept, retry_after=None), fate)
        yield from _worded(group, what, error, fate)
        failed = _errors(BEFORE, "g", **error)
        is_own = error is INVALID
        ended = Ended("failed", error["code"]) if is_own else replace(kept, retry_after=None)
        yield Row(group, f"{what}, as `response.failed`", failed, ended, Fate.FORGETS)
    dead = _errors(BEFORE, "abcdefghijk", **UNKNOWN_KEY)
    dead += _errors(("after_created",), "ab", **UNKNOWN_KEY)
    what = "401: the channel's key is refused"
    yield Row(group, what, dead, _CHANNEL_REFUSED, Fate.CLOSED)
    yield from _worded(group, "an unknown response, without its code", FORGOTTEN, Fate.FORGETS)
    yield from _worded(group, "a connection too old, without the code", EXPIRED, Fate.FORGETS)


def _worded(group: str, what: str, error: dict, fate: Fate) -> Iterator[Row]:
    """Tell of error frames with a status and words, but without a code of their own."""
    told = Told(error["status"], None)
    yield Row(group, what, _errors(BEFORE, "h", **error), told, fate)
    told = Told(error["status"], "server_error")
    yield Row(group, what, _errors(BEFORE, "i", **error), told, fate)


def _during() -> Iterator[Row]:
    group = "After the first event"
    cuts = _at(DURING, *CUTS)
    yield Row(group, "the connection ends", cuts, _LOST, Fate.CLOSED)
    stalls = _at(DURING, *STALLS)
    silent = Broken(504, "upstream_timeout")
    yield Row(group, "silence", stalls, silent, Fate.CLOSED, waits=True)
    endless = Script(end_without_terminal=True)
    yield Row(group, "no terminal", (), silent, Fate.CLOSED, script=endless, waits=True)
    for error, then in (
        (FORGOTTEN, "fresh upstream_forgot"),
        (DUPLICATE, AS_USUAL),
        (LIMITED, AS_USUAL),
        (FAILING, AS_USUAL),
        (INVALID, AS_USUAL),
    ):
        yield _error_during(group, error, Fate.FORGETS, then)
    yield _error_during(group, EXPIRED, Fate.CLOSED, "fresh connection_expired")
    what, late = "an error frame, `invalid_api_key`", _errors(WITH_OUTPUT, "ab", **UNKNOWN_KEY)
    yield Row(group, what, late, Broken(502, "channel_refused"), Fate.CLOSED)
    foreign = _errors(DURING, "g", **FAILING)
    yield Row(group, "the end of another response", foreign, _LOST, Fate.CLOSED)
    odd = _at(DURING, VENDOR, LARGE, {"act": "slow_drip"})
    what = "a frame of the vendor's own, an unknown event of 2 MiB, a drip of bytes"
    yield Row(group, what, odd, Answered(), Fate.REMEMBERS)


def _error_during(group: str, error: dict, fate: Fate, then: str = AS_USUAL) -> Row:
    result = Broken(error["status"], error["code"])
    faults = _errors(WITH_OUTPUT, "ab", **error)
    return Row(group, f"an error frame, `{error['code']}`", faults, result, fate, then=then)


def _endings() -> Iterator[Row]:
    group = "The terminal"
    alias = _at(("before_terminal",), {"act": "done_alias"})
    yield Row(group, "`response.done` in its place", alias, Answered(), Fate.REMEMBERS)
    for finish, result, fate in (
        ("incomplete", Ended("incomplete"), Fate.REMEMBERS),
        ("cancelled", Ended("cancelled"), Fate.FORGETS),
        ("failed:server_error", Ended("failed", "server_error"), Fate.FORGETS),
        ("failed:rate_limit_exceeded", Ended("failed", "rate_limit_exceeded"), Fate.FORGETS),
    ):
        what = f"`response.{finish.partition(':')[0]}`"
        yield Row(group, what, (), result, fate, script=Script(finish=finish))


def _after() -> Iterator[Row]:
    group = "Behind the terminal, and between turns"
    ended = _at(("after_terminal", "idle"), *CUTS)
    yield Row(group, "the connection ends", ended, Answered(), Fate.CLOSED)
    late = _errors(("after_terminal", "idle"), "ag", **FAILING)
    late += _at(("after_terminal", "idle"), LARGE)
    yield Row(group, "a late error or event", late, Answered(), Fate.CLOSED)
    expired = _errors(("after_terminal", "idle"), "a", **EXPIRED)
    then = "fresh connection_expired"
    yield Row(group, "the time limit is announced", expired, Answered(), Fate.CLOSED, then=then)
    vendor = _at(("after_terminal", "idle"), VENDOR)
    yield Row(group, "a frame of the vendor's own", vendor, Answered(), Fate.REMEMBERS)
    stalls = _at(("after_terminal",), *STALLS)
    yield Row(
        group,
        "silence from then on",
        stalls,
        Answered(),
        Fate.REMEMBERS,
        then="fresh replayed",
        waits=True,
    )


def _with_an_account() -> Iterator[Row]:
    group = "With an account"
    own = {"has_account": True}
    refused = _at(_HANDSHAKE, _refused(401))
    what = "a handshake refused with 401: its tokens are renewed"
    yield Row(group, what, refused, Answered(), Fate.NEVER_OPENED, **own)
    dead = _errors(BEFORE, "abcdefghijk", **UNKNOWN_KEY)
    dead += _errors(("after_created",), "ab", **UNKNOWN_KEY)
    what = "401: its tokens are renewed"
    yield Row(group, what, dead, Answered("connection_lost"), Fate.CLOSED, **own)
    what, late = "401 behind output", _errors(WITH_OUTPUT, "ab", **UNKNOWN_KEY)
    yield Row(group, what, late, Broken(502, "channel_refused"), Fate.CLOSED, **own)
    for status, fate in ((402, Fate.FORGETS), (403, Fate.CLOSED)):
        barred = _errors(BEFORE, "ab", code="the_code", status=status)
        what = f"{status}: it is barred, and there is no other"
        yield Row(group, what, barred, _CHANNEL_REFUSED, fate, **own)


ROWS: list[Row] = [
    *_handshakes(),
    *_before(),
    *_errors_made_good(),
    *_errors_told(),
    *_during(),
    *_endings(),
    *_after(),
    *_with_an_account(),
]
