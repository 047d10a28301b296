"""What the upstream remembers: per connection one response per lane, and the stored responses.

Law: with `store: false` a response continues only on its connection and only while it is the
newest of its lane; a stored one continues anywhere for its account (OpenAI guide, WebSocket mode).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from longwire.emulator.options import Route, Transport
from longwire.emulator.rendering import Context


@dataclass(frozen=True, slots=True)
class Held:
    """A response that can be continued."""

    response_id: str
    context: Context
    stored: bool
    """True when this response and all before it were stored."""
    used_at: float


@dataclass(slots=True)
class Lanes:
    """The cache of one connection. `clock` gives seconds, `idle` those after which it forgets."""

    clock: Callable[[], float]
    idle: float | None
    held: dict[str | None, Held] = field(default_factory=dict)

    def find(self, response_id: str) -> Held | None:
        """The response if it is the newest of any lane; a fork may name another lane's."""
        for held in self.held.values():
            stale = self.idle is not None and self.clock() - held.used_at > self.idle
            if held.response_id == response_id and not stale:
                return held
        return None

    def keep(self, lane: str | None, held: Held) -> None:
        """The lane's newest response replaces what it held."""
        self.held[lane] = held

    def evict(self, lane: str | None, response_id: str | None) -> None:
        """A continuation failed: its parent goes if it is this lane's, a fork's parent stays."""
        held = self.held.get(lane)
        if held is not None and held.response_id == response_id:
            del self.held[lane]


@dataclass(slots=True)
class Store:
    """Stored responses, oldest dropped beyond `limit`, each visible to its account alone."""

    limit: int
    held: OrderedDict[tuple[str, str], Held] = field(default_factory=OrderedDict)
    responses: dict[tuple[str, str], bytes] = field(default_factory=dict)
    items: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def find(self, account: str, response_id: str) -> Held | None:
        """A stored response that can be continued."""
        return self.held.get((account, response_id))

    def keep(self, account: str, held: Held, response: bytes, items: list[dict[str, Any]]) -> None:
        """Remember the response, its JSON and its items for references to them."""
        key = (account, held.response_id)
        self.held[key] = held
        self.responses[key] = response
        self.items.update({(account, item["id"]): item for item in items if item.get("id")})
        while len(self.held) > self.limit:
            self.drop(*next(iter(self.held)))

    def drop(self, account: str, response_id: str) -> bool:
        """Forget a response; False when there is none."""
        self.responses.pop((account, response_id), None)
        return self.held.pop((account, response_id), None) is not None


@dataclass(slots=True)
class Prompt:
    """What a connection's prompt cache holds: the last context, and what stands before it.

    The `preamble` is the tools, the instructions and the effort of the request, encoded.
    """

    sizes: list[int]
    digests: list[bytes]
    preamble: bytes

    def shared(self, old: "Prompt") -> int:
        """Bytes of the prefix shared with an older prompt; none where the preambles differ."""
        if self.preamble != old.preamble:
            return 0
        pairs = zip(self.digests, old.digests, self.sizes, strict=False)
        same = sum(size for _, _, size in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return same and same + len(self.preamble)


@dataclass(slots=True)
class Prompts:
    """A prompt cache: the newest prompt of each lane, or with `most` the newest ones of all."""

    most: int | None = None
    held: OrderedDict[Any, Prompt] = field(default_factory=OrderedDict)
    count: int = 0

    def shared(self, prompt: Prompt) -> int:
        """Bytes of the longest prefix that is held."""
        return max((prompt.shared(old) for old in self.held.values()), default=0)

    def keep(self, lane: str | None, prompt: Prompt) -> None:
        """Hold a prompt; the oldest one goes where there are too many."""
        self.count += 1
        self.held[lane if self.most is None else self.count] = prompt
        if self.most is not None and len(self.held) > self.most:
            self.held.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what the emulator remembers for that connection."""

    transport: Transport
    route: Route
    account: str
    fingerprint: str
    connection: int
    lanes: Lanes
    check: Callable[[], None] = lambda: None
    """Raises Rejected once the caller's token lives no more."""
    prompts: Prompts = field(default_factory=Prompts)
    api: str = "responses"
