"""What a connection holds against what a turn brings: continue, begin anew, or send it as it is.

Law: what the model sees is exactly what the client meant. Equality is proven by digests of
canonical items, never assumed; where a doubt is left, the turn begins anew in full.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from longwire.core.rules.change import Change
from longwire.core.rules.turn import CanonicalItem, Digest, Member, PrefixMark, Turn

NOTHING_HELD = Digest(b"")
"""The digest of a chain that no history can match."""

ITEM_DIGEST = 8
"""Bytes of an item's digest that serve to find it again, never to decide."""

MOST_ITEMS = 1024
"""So many items of a chain can be found again, the first ones."""


class Reason(StrEnum):
    """Why a turn travels in full."""

    NEW_SESSION = "new_session"
    NEW_BRANCH = "new_branch"
    HISTORY_REWRITTEN = "history_rewritten"
    PROPERTIES_CHANGED = "properties_changed"
    TURN_FAILED = "turn_failed"
    ANSWER_CUT = "answer_cut"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_EXPIRED = "connection_expired"
    CONNECTION_EVICTED = "connection_evicted"
    UPSTREAM_FORGOT = "upstream_forgot"
    SEALED_ELSEWHERE = "sealed_elsewhere"
    REPLAYED = "replayed"
    HTTP_TRANSPORT = "http_transport"
    NATIVE_API = "native_api"
    TRANSLATED = "translated"
    ONE_SHOT = "one_shot"
    WARM_UP = "warm_up"


@dataclass(frozen=True, slots=True)
class Chain:
    """What a connection remembers of its last complete turn: digests, and no text.

    `sent` items of the client digest to `digest`; then come the `replies`, the response's output
    items; `mark` covers the same `sent` items as raw bytes. Where the input was not the whole
    history (the turn carried an id or a conversation of its own), it digests to `NOTHING_HELD`.

    To say later where another turn differs it keeps 16 bytes for each of the first `MOST_ITEMS`
    items sent: `items` are their digests in a row, `kinds` their words, which all chains share.
    `members` are those of the request, some 100 bytes each and for each tool.
    """

    response_id: str
    sent: int
    digest: Digest
    replies: tuple[CanonicalItem, ...]
    properties_raw: Digest
    properties: Digest
    mark: PrefixMark | None
    items: bytes = b""
    kinds: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def length(self) -> int:
        """Count all items the upstream holds for this chain."""
        return self.sent + len(self.replies)


@dataclass(frozen=True, slots=True)
class Continue:
    """Send the chain's id as `previous_response_id` and the items from index `start` on."""

    chain: Chain
    start: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """Send everything, without `previous_response_id`; what `change` made that so, if known."""

    reason: Reason
    change: Change | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AsGiven:
    """Send the turn with the client's own `previous_response_id` or conversation, untouched."""


Decision = Continue | Fresh | AsGiven


def words_of(decision: Decision) -> tuple[str, str | None, str]:
    """Return how a turn is sent in the words of the response headers, why in full, what changed."""
    match decision:
        case Continue():
            return "continued", None, ""
        case Fresh(reason, change):
            return "fresh", reason.value, str(change or "")
        case AsGiven():
            return "as-given", None, ""


def decide(chain: Chain, turn: Turn, *, may_omit_reasoning: bool = True) -> Continue | Fresh | None:
    """Decide how `turn` may travel where `chain` is held; None when the two have no common history.

    Continuing needs an equal history with at least one item more, and equal properties. A client
    that named this very response needs neither: the API lets it change all but the history. Where
    a client `may_omit_reasoning`, the upstream keeps what the client left out of the last reply.
    """
    if turn.refers_outside:
        return None
    held = held_items(chain, turn, may_omit_reasoning=may_omit_reasoning)
    if held is None:
        return None
    if turn.source.previous_response_id != chain.response_id and not has_same_properties(
        chain, turn
    ):
        return Fresh(Reason.PROPERTIES_CHANGED)
    return Continue(chain, held)


def held_items(chain: Chain, turn: Turn, *, may_omit_reasoning: bool = True) -> int | None:
    """Count the leading items of the turn that the chain holds; None unless it holds all but new.

    There must be a new one, unless the client named the chain's response. The raw bytes of the
    prefix are the fast path; where they differ, canonical items decide.
    """
    following = turn.history.after(chain.mark, chain.replies) if chain.mark else None
    if following is None:
        following = _after_canonical(chain, turn)
    if following is None:
        return None
    replies, new = chain.replies, turn.source.previous_response_id != chain.response_id
    if len(following) >= len(replies) + new and all(map(is_replay, replies, following)):
        return chain.length
    shown = _shown(replies, following) if may_omit_reasoning else None
    return None if shown is None or len(following) < shown + new else chain.sent + shown


def _after_canonical(chain: Chain, turn: Turn) -> Sequence[CanonicalItem] | None:
    history = turn.history
    if len(history) < chain.sent or history.digest(chain.sent) != chain.digest:
        return None
    return history.canonical_items(chain.sent)


def _shown(replies: Sequence[CanonicalItem], following: Sequence[CanonicalItem]) -> int | None:
    """Count the replies that a client sent back which left out their reasoning, all of it.

    None where it did not: anything else is missing or changed, or some reasoning came along.
    """
    left_out = [each.id for each in replies if each.is_reasoning]
    shown = [each for each in replies if not each.is_reasoning]
    if not left_out or len(following) < len(shown) or not all(map(is_replay, shown, following)):
        return None
    for each in following[len(shown) :]:
        if each.is_reasoning or (each.reference is not None and each.reference in left_out):
            return None
    return len(shown)


def is_replay(ours: CanonicalItem, theirs: CanonicalItem) -> bool:
    """Whether `theirs` is the client's replay of our output item, in whatever spelling.

    What no client rewrites must be equal; what some drop must be equal where both have it; and
    what anchors an item (a reasoning item's encrypted content or id) may not be dropped whole.
    """
    if theirs.reference is not None:
        return theirs.reference == ours.id
    if ours is theirs:
        return True
    if ours.core != theirs.core:
        return False
    mine, other = dict(ours.optional), dict(theirs.optional)
    for name, value in mine.items():
        if other.get(name, value) != value:
            return False
    is_anchored = False
    for name in ours.anchors:
        if name in mine and name in other:
            return True
        is_anchored = is_anchored or name in mine
    return not is_anchored


def has_same_properties(chain: Chain, turn: Turn) -> bool:
    """Whether everything but the input is equal: by raw bytes at first, else canonically."""
    if chain.properties_raw == turn.properties.raw:
        return True
    return chain.properties == turn.properties.canonical


def extend(
    turn: Turn, response_id: str, replies: tuple[CanonicalItem, ...], previous: Chain | None
) -> Chain:
    """Return what a connection remembers after `turn` was answered with `replies`.

    `previous` is the chain the turn continued; its digests are carried on, so that the cost is
    that of the new items. Items the client sent count in the form in which it sent them.
    """
    history = turn.history
    mark = None if turn.refers_outside else history.mark()
    digest, items = NOTHING_HELD, b""
    kinds: tuple[str, ...] = ()
    if previous is not None and not turn.refers_outside:
        added = history.canonical_items(previous.sent)
        digest = history.extend(previous.digest, added)
        items, kinds = _outlined(added, previous.items, previous.kinds)
    elif not turn.refers_outside:
        digest = history.digest(len(history))
        items, kinds = _outlined(history.canonical_items())
    is_unchanged = previous is not None and previous.properties_raw == turn.properties.raw
    return Chain(
        response_id=response_id,
        sent=len(history),
        digest=digest,
        replies=replies,
        properties_raw=turn.properties.raw,
        properties=previous.properties if previous and is_unchanged else turn.properties.canonical,
        mark=mark,
        items=items,
        kinds=kinds,
        members=previous.members if previous and is_unchanged else turn.properties.members,
    )


def _outlined(
    added: Sequence[CanonicalItem], items: bytes = b"", kinds: tuple[str, ...] = ()
) -> tuple[bytes, tuple[str, ...]]:
    """Return what a chain keeps of its items, now that some were added."""
    digests, words = bytearray(items), list(kinds)
    for item in added[: MOST_ITEMS - len(kinds)]:
        digests += item.sent[:ITEM_DIGEST]
        words.append(item.kind)
    return bytes(digests), tuple(words)
