"""What the dialects have in common: the ports to who calls us and whom we call, and errors.

A dialect reads its requests as those of the Responses API, and writes that API's events as its own;
towards an upstream it does the reverse. So all that stands between knows one form alone.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

import msgspec

from longwire.core.errors import LongwireError, UpstreamRejected
from longwire.core.events import Event
from longwire.core.nouns.access import Grant
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Continue
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.threads import ThreadFault
from longwire.core.rules.turn import Turn
from longwire.dialects.profiles.profile import GENERIC, Profile

Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})
_TYPES = {4: "invalid_request_error", 5: "server_error"}
"""OpenAI's types of errors by the first digit of their status."""


AdaptInput = Callable[[bytes], bytes]
"""Returns an input, as raw JSON, as an upstream takes it. Raises `InvalidRequest`."""


class ErrorRule(NamedTuple):
    """What one error of an upstream means, known by its `code`, or by its `text` where it has none.

    `status` holds where the upstream names none. Without a `trouble` the status decides what
    it is. `ends_connection`: a WebSocket that brought it serves nothing more. `source` says where
    it was seen.
    """

    code: str
    status: int
    source: str
    trouble: Trouble | None = None
    text: re.Pattern[str] | None = None
    ends_connection: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as the caller gets it: `body` is what an upstream said, in its own words.

    `original` is its error as it wrote it, where the caller speaks its API.
    """

    status: int
    code: str
    message: str
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    original: Event | None = None

    def envelope(self) -> bytes:
        """Return the JSON body."""
        if self.body is not None:
            return self.body
        kind = _TYPES.get(self.status // 100)
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return msgspec.json.encode({"error": error})


class Answer(Protocol):
    """One answer in its client's dialect: as a stream, or whole.

    It `is_cut` once the gateway itself has ended it: its stream is complete then, without a
    terminal of the upstream's.
    """

    @property
    def is_cut(self) -> bool:
        """Whether nothing more is to be sent."""

    def keep_alive(self) -> bytes:
        """Return what bridges silence in a stream."""

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as the client's stream has them; behind the terminal's nothing follows.

        Raises `UpstreamError` for what the client gets as an error with its own status, as long as
        nothing was returned before.
        """

    def encode_plain(self, frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Encode frames that nobody decoded before, up to one that is no plain output; count them.

        Finished items among them are kept in the aggregate here.
        """

    def whole(self, terminal: Event) -> bytes:
        """Return the body of an answer that does not stream. Raises `UpstreamError` for none."""

    def failure(self, problem: Problem) -> bytes:
        """Return what ends a stream under way that broke off."""


Decode = Callable[[bytes, Headers, Grant], Turn]
"""Decodes the body of a request that came with these headers, by a key that opens this.

It raises `InvalidRequest`, which names the field.
"""

PassesOn = Callable[[str], bool]
"""Whether turns of a model can only be passed on, so that nothing else of them need be read."""

Skim = Callable[[bytes, Headers, Grant, PassesOn], Turn]
"""Decodes likewise; of a turn that can only be passed on, its model and its session alone."""


class ClientDialect(Protocol):
    """An API as its clients read it: answers and errors.

    `fields` are those of other APIs by what they are called in this one; see `own_fields`.
    """

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """What fields of other APIs are called here."""

    def answer(self, turn: Turn, aggregate: Aggregate, headers: Headers) -> Answer:
        """Return what encodes the answer to a turn, which came with these headers."""

    def refusal(self, problem: Problem, request_id: str) -> Problem:
        """Return a problem as its client gets it, with a body of this dialect."""

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply: which request it is, and what is left of limits."""


class Reading(Protocol):
    """One answer of an upstream, read as events of the Responses API as its body comes.

    What breaks an answer is an event of the kind `ERROR`, an error's envelope. An answer that is
    passed on has events with `wire`, the upstream's own bytes; what they say is read all the same:
    when the answer opens, that there is output, its terminal with what it cost.
    """

    def feed(self, chunk: bytes) -> list[Event]:
        """Read more of a stream, cut anywhere. Raises `ValueError` for an event too large."""

    def end(self) -> list[Event]:
        """Read the end of a stream: its terminal, where only the end says that it was one."""

    def whole(self, body: bytes) -> list[Event]:
        """Read an answer that comes whole."""


class Thread(Protocol):
    """A turn as part of a thread that its upstream keeps: what is held there is not sent again."""

    def begin(self) -> "UpstreamCall":
        """Say all of the turn, as the beginning of a thread."""

    def go_on(self, decision: Continue) -> "UpstreamCall | None":
        """Say what is new of the turn; None where a thread cannot take it."""

    def fault(self, rejection: UpstreamRejected) -> ThreadFault | None:
        """Return what an error says of the thread; None where it is about something else."""


class Fallback(NamedTuple):
    """What stands for an answer's id, and for when it was made, where its upstream names none.

    The time is in seconds since 1970 UTC.
    """

    id: str
    created_at: int


class Upload(Protocol):
    """A body that its client may still send, while it goes upstream; each attempt reads it anew."""

    @property
    def failure(self) -> LongwireError | None:
        """Why it cannot be read to its end, if it cannot."""

    def __len__(self) -> int:
        """Return how many bytes it has, all in all."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Give it from its beginning, as it arrives. Raises its `failure`."""


class Media(NamedTuple):
    """The media types of a body and of the answers that are wanted, where they may be any."""

    content_type: str
    accept: str


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """A turn as an upstream of another API than Responses gets it, and what reads its answer.

    `reading` takes what the answer may not bring. `suffix` stands behind the path of the
    endpoint, with a query where it needs one. With `media` neither body nor answer need be JSON:
    whatever comes is read as a stream. `dropped` names what the API has no equivalent for. Where
    the turn `is_passed_on`, its client speaks this API, too. A `thread` says the same as part
    of one.
    """

    body: bytes | Upload
    reading: Callable[[Fallback], Reading]
    suffix: str = ""
    headers: Headers = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    is_passed_on: bool = False
    thread: Thread | None = None
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator has settled about a channel's other APIs.

    `may_drop`: what changes the answer and has no equivalent is left out rather than refused.
    """

    profile: Profile = GENERIC
    may_drop: bool = False


class UpstreamDialect(Protocol):
    """An API as its upstreams take it; `headers` are the caller's, with names in lower case."""

    def translate(self, turn: Turn, headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn in this API. Raises `Unsayable` for what it has no words for."""

    def pass_on(self, turn: Turn, headers: Headers, terms: Terms) -> UpstreamCall:
        """Pass the body of a client of this API on, by the name that its model has upstream."""
