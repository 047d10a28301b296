"""The values everybody passes: a turn, who calls, and the key of its session.

A `Turn` carries its request as raw JSON, so what nobody acts on arrives exactly as it was sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Final, NamedTuple, NewType, Protocol

from longwire.core.errors import CallerError
from longwire.core.nouns.access import EVERYTHING, Grant
from longwire.core.rules.limits import Subject

Scope = NewType("Scope", str)
"""The wall between principals: `api_key:<id>` or `user:<id>`; set by the server alone."""

Digest = NewType("Digest", bytes)
"""A blake3 digest, 32 bytes."""


@dataclass(frozen=True)
class Principal:
    """Who calls. Without a `scope` nothing is ever pooled for this caller."""

    name: str
    scope: Scope | None = None
    grant: Grant = EVERYTHING

    @cached_property
    def subject(self) -> Subject:
        """Whose limits hold for its turns."""
        grant = self.grant
        return Subject(f"key:{grant.key_id}", self.name, grant.rates, grant.budgets)


class SessionKey(NamedTuple):
    """Where a connection may be lent: equal keys may share, different ones never do.

    `endpoint` names one start of a channel, `<channel id>@<random hex>`: what its connections
    depend on (URL, credential, TLS, proxy) changes only with it. `session` is "" for the implicit
    session of a scope; `identity` digests the forwarded headers that name an upstream identity.
    """

    endpoint: str
    scope: Scope
    session: str = ""
    identity: str = ""

    @property
    def is_implicit(self) -> bool:
        """Whether the caller named no session: then only equal history selects a connection."""
        return not self.session


@dataclass(frozen=True, slots=True)
class PrefixMark:
    """How much of an `input` array is known byte for byte: `items` in its first `size` bytes."""

    size: int
    digest: Digest
    items: int


@dataclass(frozen=True, slots=True)
class CanonicalItem:
    """One item in canonical form, as digests.

    `sent` stands for the item in the spelling it was sent in; `core` for what no client rewrites;
    `optional` holds what some clients drop on replay, to be equal where both sides have it;
    of `anchors`, names among `optional`, both sides share at least one where any is set.
    `reference` is the id that an `item_reference` points to, `id` the item's own. `raw` digests
    its very bytes: equal means the same item, unequal means nothing. Some clients leave out all
    that `is_reasoning`. `kind` names it for people, by one word of a table: "function_call_output".

    Of `{"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA", "summary": []}` the core
    is that it is a reasoning item; `optional` has its id and its encrypted content, either of
    which anchors it. A client that sends it back without the id means the same item.
    """

    sent: Digest
    core: Digest
    optional: tuple[tuple[str, bytes], ...] = ()
    anchors: tuple[str, ...] = ()
    id: str | None = None
    reference: str | None = None
    raw: bytes = field(default=b"", compare=False)
    is_reasoning: bool = False
    kind: str = field(default="item", compare=False)


Image = Callable[[Sequence[bytes]], tuple[CanonicalItem, ...] | None]
"""Returns what a client will send back of a response's output items, which come as raw JSON.

For a client of another API than the upstream's that is the output as this API has shown it; None
where the gateway itself has cut the answer, so that the upstream holds more than its client saw.
"""


class History(Protocol):
    """The input of a turn, item by item; implemented where JSON is known."""

    def __len__(self) -> int:
        """Count the items; a text input is one item."""

    @property
    def has_ids(self) -> bool:
        """Whether any item carries an `id`, or refers to one, that an upstream may already hold."""

    @property
    def has_encrypted(self) -> bool:
        """Whether any item carries content that one account alone can read."""

    @property
    def references(self) -> tuple[str, ...]:
        """The ids of items and files that it names without bringing them, the last ones at most."""

    @property
    def root(self) -> str:
        """Where the conversation begins: the digest of its first item, "" where it has none."""

    def after(
        self, mark: PrefixMark, expected: Sequence[CanonicalItem] = ()
    ) -> Sequence[CanonicalItem] | None:
        """Return the items behind `mark`, or None when the bytes up to it differ.

        Those that are `expected` there, in this order, are known again by their bytes.
        """

    def canonical_items(self, start: int = 0) -> Sequence[CanonicalItem]:
        """Return the canonical items from index `start` on."""

    def digest(self, count: int) -> Digest:
        """Return the chain digest of the first `count` items as sent."""

    def extend(self, digest: Digest, items: Sequence[CanonicalItem]) -> Digest:
        """Continue a chain digest over the items that follow."""

    def mark(self) -> PrefixMark | None:
        """Mark the whole input, or None when it is not an array."""

    def suffix(self, start: int) -> bytes:
        """Return the items from index `start` on as a raw JSON array."""


class Member(NamedTuple):
    """One member of a request in digests of eight bytes: of the whole, and of its parts in a row.

    Parts are the values of an object by key, or tools by name; other values have none.
    """

    name: str
    whole: bytes
    are_tools: bool = False
    parts: tuple[str, ...] = ()
    digests: bytes = b""


class Properties(Protocol):
    """Everything in a request that must be equal to continue: all but its input, minus a list."""

    @property
    def raw(self) -> Digest:
        """The digest of the members as they were written: equal means equal, unequal means ask."""

    @property
    def canonical(self) -> Digest:
        """The digest that ignores key order and whitespace: this one decides."""

    @property
    def members(self) -> tuple[Member, ...]:
        """What they are made of, in the order of names: it tells where two of them differ."""


class Purpose(Enum):
    """What a turn is for."""

    ANSWER = "a response"
    WARM_UP = "nothing yet: it prepares what follows, over WebSocket alone"
    COMPACTION = "a shorter history: one answer over HTTP, and no chain begins with it"
    COUNT = "how many tokens it would be: likewise"
    PASSED = "none of a conversation: one request over HTTP in an API that is left as it is"


UNARY = frozenset({Purpose.COMPACTION, Purpose.COUNT})
"""What is one answer over HTTP, and has no other form."""


class Wish(NamedTuple):
    """What a client wishes of its answer that the Responses API has no word for.

    `kind` is what it is in any API, `name` the member that it came in, `value` its raw JSON.
    """

    kind: str
    name: str
    value: bytes


STOP: Final = "stop"
"""A kind of wish: texts that end the answer, as an array. The gateway cuts there itself, too."""

SEED: Final = "seed"
"""One that can be done without."""

PENALTIES: Final = ("frequency_penalty", "presence_penalty")
"""Those without which it is another answer."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a turn came from: the `api` as the turn log names it, and its request of so many bytes.

    `previous_response_id` is what the client itself named. Where the gateway put the history of
    that response in the place of the id, the first `recalled` items of the input are that history.

    A dialect that is not the upstream's keeps the client's own `body`, the names of the members it
    has `dropped`, for they have no equivalent, and `options`, which its answer needs and nobody
    else understands. The first `leading` items of the input are its instructions. A side call is an
    agent's own question beside its conversation. In a thread the next turn names the response of
    this one, which nothing but its connection remembers.

    A `refusal` says what of the request changes the answer and cannot be said in the Responses API:
    an upstream of the client's own API may serve it, or one where that is dropped. Where it
    `is_unread`, nothing but the model was understood, and only the former may. Its `wishes` are for
    upstreams whose API has words for them. One that `has_audio` is for those that hear it.
    """

    api: str
    body_size: int = 0
    by_websocket: bool = False
    previous_response_id: str | None = None
    recalled: int = 0
    body: bytes = b""
    dropped: tuple[str, ...] = ()
    options: object = None
    leading: int = 0
    is_side_call: bool = False
    is_in_thread: bool = False
    refusal: CallerError | None = None
    is_unread: bool = False
    wishes: tuple[Wish, ...] = ()
    has_audio: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One request, with where it came from beside what it says.

    `members` are the top-level members of the body as raw JSON, without `input`, `stream`,
    `background` and `previous_response_id`; `input` is raw JSON or None where the body has none.
    What the rules ask of a body is read once, where it is decoded. Where it `is_stored`, its
    response can be named later. `image` tells what its client will send back of the response.
    """

    source: Source
    model: str
    members: Mapping[str, bytes]
    input: bytes | None
    history: History
    properties: Properties
    image: Image
    purpose: Purpose = Purpose.ANSWER
    streams: bool = False
    runs_in_background: bool = False
    has_tools: bool = False
    is_stored: bool = False
    previous_response_id: str | None = None
    conversation: str | None = None
    session_hints: tuple[str, ...] = ()

    @property
    def is_self_contained(self) -> bool:
        """Whether any upstream account could serve it: nothing in it is one account's alone."""
        return not self.refers_outside and not self.history.has_encrypted

    @property
    def named(self) -> tuple[str, ...]:
        """The ids of what it names and one upstream holds: a response, items, files."""
        ids = (self.previous_response_id, self.conversation, *self.history.references)
        return tuple(filter(None, ids))

    @property
    def is_one_shot(self) -> bool:
        """Whether it looks like a single question: no tools, no history, no WebSocket for more."""
        source = self.source
        if source.by_websocket or source.is_in_thread or self.has_tools or self.refers_outside:
            return False
        return len(self.history) - source.leading <= 1

    @property
    def refers_outside(self) -> bool:
        """Whether its input is not the whole history: then it travels as its client wrote it."""
        return self.previous_response_id is not None or self.conversation is not None


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A turn with who sent it: what stays the same from its arrival to its row in the log.

    `session` is the id it was sent with, "" for none; `id` is what its answer calls the request;
    `started` is when it came, in seconds. `headers` are all of the caller's, names in lower case;
    those that are `forwarded` go upstream, and `identity` digests them.
    """

    turn: Turn
    caller: Principal
    session: str = ""
    id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    started: float = 0.0
    forwarded: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""

    @property
    def conversation(self) -> tuple[Scope | None, str]:
        """What stays the same from turn to turn, whatever channel serves it."""
        return self.caller.scope, self.session or self.turn.history.root


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response as the upstream counted them, or estimated.

    Of the input some were `cached`, and some `cache_write` put into a cache; of the output some are
    `reasoning`. Some of the input may be `media`: sound or pictures have prices of their own.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write: int = 0
    media: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Add up the tokens of two attempts."""
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.cache_write + other.cache_write,
            self.media + other.media,
        )
