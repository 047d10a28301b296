"""The prompt's cache: what a mark writes, and what a later request finds again.

Law: without marks nothing is cached; a mark finds what was written at its place, or at one of the
20 before it, and a change anywhere before a place makes it another one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

from longwire.emulator.items import Item
from longwire.emulator.messages.context import Message, blocks_of
from longwire.emulator.messages.errors import refused
from longwire.emulator.messages.marks import LIFETIMES
from longwire.emulator.messages.requests import Request
from longwire.emulator.oracle import encode

LOOKBACK = 20
IN_RUNS = ("tool_use", "tool_result")
"""Blocks that count as one where they stand side by side."""
BYTES_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a prompt: its content without its mark, and how long the mark keeps it."""

    content: bytes
    kind: str
    lifetime: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens a prompt is: read from the cache, written to it, and beside it."""

    fresh: int
    read: int
    written: int
    written_long: int = 0
    """Those of the written that are kept for an hour."""

    @property
    def total(self) -> int:
        """All of the prompt."""
        return self.fresh + self.read + self.written

    def members(self) -> dict[str, Any]:
        """The members of a `usage` that speak of the prompt."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.read,
        }

    def creation(self) -> dict[str, int]:
        """What was written, by how long it is kept."""
        return {
            "ephemeral_5m_input_tokens": self.written - self.written_long,
            "ephemeral_1h_input_tokens": self.written_long,
        }


def segments_of(request: Request) -> list[Segment]:
    """The prompt in the order of the cache: tools, system, then the messages."""
    body = request.body
    found = [segment(tool, "tool") for tool in body.get("tools") or ()]
    found += [segment(block, "system") for block in blocks_of(body.get("system"))]
    settings = [body.get("tool_choice"), body.get("thinking"), body.get("output_config")]
    found.append(Segment(encode(settings), "settings", None))
    for message in request.messages:
        found += segments_of_message(message)
    if (mark := body.get("cache_control")) is not None:
        last = found.pop()
        found.append(Segment(last.content, last.kind, lifetime_of(mark)))
    return found


def segments_of_message(message: Message) -> Iterator[Segment]:
    """The blocks of a message, each with the role that says it."""
    for block in message["content"]:
        inner = [each.get("cache_control") for each in blocks_of(block.get("content"))]
        marks = [block.get("cache_control"), *inner]
        mark = next((each for each in marks if each is not None), None)
        yield segment(block | {"cache_control": mark}, block["type"], message["role"])


def segment(block: Item, kind: str, role: str = "") -> Segment:
    """One block without its mark."""
    kept = {name: value for name, value in block.items() if name != "cache_control"}
    mark = block.get("cache_control")
    return Segment(encode([role, unmarked(kept)]), kind, lifetime_of(mark) if mark else None)


def unmarked(block: Item) -> Item:
    """A block whose inner blocks have no marks."""
    if not isinstance(block.get("content"), list):
        return block
    inner = [
        {name: value for name, value in each.items() if name != "cache_control"}
        for each in block["content"]
    ]
    return block | {"content": inner}


def lifetime_of(mark: Mapping[str, Any]) -> float:
    """How many seconds a mark keeps what it writes."""
    return LIFETIMES[mark.get("ttl", "5m")]


@dataclass(slots=True)
class PromptCache:
    """Until when each prefix is kept, by account and model."""

    until: dict[tuple[str, str, bytes], float] = field(default_factory=dict)

    def used(self, request: Request, segments: list[Segment], now: float) -> Usage:
        """Look a prompt up and write its marks."""
        sizes = [
            size // BYTES_A_TOKEN for size in accumulate(len(each.content) for each in segments)
        ]
        marks = [place for place, each in enumerate(segments) if each.lifetime is not None]
        total = tokens_of(segments)
        if not marks:
            return Usage(total, 0, 0)
        keys = [
            (request.account, request.body["model"], prefix)
            for prefix in prefixes(segments[: marks[-1] + 1])
        ]
        found = [place for mark in marks for place in reachable(segments, mark)]
        hits = [place for place in found if self.until.get(keys[place], now) > now]
        read = sizes[max(hits)] if hits else 0
        for place in {*marks, *hits[-1:]}:
            lifetime = segments[place].lifetime or LIFETIMES["5m"]
            self.until[keys[place]] = max(self.until.get(keys[place], now), now + lifetime)
        written = sizes[marks[-1]] - read
        is_long = segments[marks[-1]].lifetime == LIFETIMES["1h"]
        return Usage(total - read - written, read, written, written if is_long else 0)


def tokens_of(segments: list[Segment]) -> int:
    """How many tokens a prompt is."""
    return sum(len(each.content) for each in segments) // BYTES_A_TOKEN + 1


def check_fits(tokens: int, wanted: int, window: int | None) -> None:
    """A prompt of so many tokens, and the answer that is wanted, fit the window of the model."""
    if window is None:
        return
    if tokens > window:
        raise refused(f"prompt is too long: {tokens} tokens > {window} maximum", violation=False)
    if tokens + wanted > window:
        message = f"input length and `max_tokens` exceed context limit: {tokens} + {wanted} >"
        mend = "decrease input length or `max_tokens` and try again"
        raise refused(f"{message} {window}, {mend}", violation=False)


def prefixes(segments: list[Segment]) -> Iterator[bytes]:
    """The digest of the prompt up to each of its blocks."""
    running = hashlib.sha256()
    for each in segments:
        running.update(len(each.content).to_bytes(8, "big") + each.content)
        yield running.digest()


def reachable(segments: list[Segment], mark: int) -> Iterator[int]:
    """The places that a mark looks back to, its own first."""
    yield mark
    left = LOOKBACK
    for later, earlier in pairwise(range(mark, -1, -1)):
        pair = segments[later].kind, segments[earlier].kind
        left -= not (pair[0] == pair[1] and pair[0] in IN_RUNS)
        if left < 0:
            return
        yield earlier
