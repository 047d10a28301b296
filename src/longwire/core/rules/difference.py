"""Where a turn that travels in full differs from what was held: the first item, and properties.

Law: the item that is named is the first one that is not equal, and what is equal is never named.
It is looked for only where a turn begins anew, so that one that continues pays nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from longwire.core.rules.change import Change, Edit, ItemChange, shown_name
from longwire.core.rules.continuity import (
    ITEM_DIGEST,
    MOST_ITEMS,
    NOTHING_HELD,
    Chain,
    Fresh,
    Reason,
    has_same_properties,
    is_replay,
)
from longwire.core.rules.turn import CanonicalItem, Member, Turn

_BY_CLIENT: Final = frozenset(
    {
        Reason.NEW_SESSION,
        Reason.NEW_BRANCH,
        Reason.HISTORY_REWRITTEN,
        Reason.PROPERTIES_CHANGED,
        Reason.TURN_FAILED,
        Reason.ANSWER_CUT,
    }
)
"""Reasons beside which something may have changed; of a connection that is gone nothing is said."""


class _Following(NamedTuple):
    """The items of a turn, and the digests of those that a chain may have kept, in a row."""

    turn: Turn
    items: Sequence[CanonicalItem]
    digests: bytes


def explained(
    reason: Reason, chains: Iterable[Chain], turn: Turn, *, may_omit_reasoning: bool = True
) -> Fresh:
    """Return why a turn travels in full, with what changed against the nearest of the chains.

    The nearest is that with the longest history in common, of equal ones the first. In an implicit
    session, whose conversations have nothing to do with each other, more than half must be equal.
    """
    candidates = [each for each in chains if each.digest != NOTHING_HELD]
    if not candidates or reason not in _BY_CLIENT or turn.refers_outside:
        return Fresh(reason)
    items = turn.history.canonical_items()
    digests = b"".join([item.sent[:ITEM_DIGEST] for item in items[:MOST_ITEMS]])
    following = _Following(turn, items, digests)
    best, nearest, item = (-1, False), None, None
    for chain in candidates:
        found = _first_difference(chain, following, may_omit_reasoning=may_omit_reasoning)
        equal = chain.length if found is None else found.index
        rank = equal, has_same_properties(chain, turn)
        is_related = reason is not Reason.NEW_SESSION or equal * 2 > chain.length
        if is_related and rank > best:
            best, nearest, item = rank, chain, found
    if nearest is None:
        return Fresh(reason)
    change = Change(item, _changed_properties(nearest, turn))
    return Fresh(reason, change if change != Change() else None)


def _first_difference(
    chain: Chain, following: _Following, *, may_omit_reasoning: bool
) -> ItemChange | None:
    """Return the first item of the turn that is not what the chain holds, None for none."""
    items, known = following.items, len(chain.kinds)
    common = _equal_items(chain.items, following.digests)
    if common < known:
        return _among_sent(chain, following, common)
    is_whole = known == chain.sent or (
        len(items) >= chain.sent and following.turn.history.digest(chain.sent) == chain.digest
    )
    if not is_whole:
        return ItemChange(known, len(items), is_later=True)
    rest, replies = items[chain.sent :], chain.replies
    if may_omit_reasoning and not any(each.is_reasoning for each in rest):
        replies = tuple(each for each in replies if not each.is_reasoning)
    return _among_replies(chain.sent, replies, rest)


def _equal_items(ours: bytes, theirs: bytes) -> int:
    """Count the items that both begin with."""
    low, high = 0, min(len(ours), len(theirs)) // ITEM_DIGEST
    while low < high:
        middle = (low + high + 1) // 2
        if ours[: middle * ITEM_DIGEST] == theirs[: middle * ITEM_DIGEST]:
            low = middle
        else:
            high = middle - 1
    return low


def _among_sent(chain: Chain, following: _Following, index: int) -> ItemChange:
    """Say what became of an item that the client had sent itself."""
    items = following.items
    if index >= len(items):
        return ItemChange(index, len(items), chain.kinds[index], Edit.REMOVED)
    ours, theirs = _digest(chain.items, index), _digest(following.digests, index)
    edit = Edit.CHANGED
    if not _goes_on(chain, following, index + 1):
        is_reply = any(is_replay(each, items[index]) for each in chain.replies)
        is_gone = is_reply or _stands_behind(chain.items, theirs, index)
        edit = _edit(is_gone=is_gone, is_kept=_stands_behind(following.digests, ours, index))
    kind = items[index].kind if edit is Edit.INSERTED else chain.kinds[index]
    return ItemChange(index, len(items), kind, edit)


def _goes_on(chain: Chain, following: _Following, index: int) -> bool:
    """Whether an item is the one that is held at its place."""
    if index < len(chain.kinds):
        return _digest(chain.items, index) == _digest(following.digests, index)
    if index > chain.sent or index >= len(following.items) or not chain.replies:
        return False
    return is_replay(chain.replies[0], following.items[index])


def _among_replies(
    sent: int, replies: Sequence[CanonicalItem], rest: Sequence[CanonicalItem]
) -> ItemChange | None:
    """Say what became of the first item of the last reply that was not sent back as it was."""
    for index, ours in enumerate(replies):
        if index < len(rest) and is_replay(ours, rest[index]):
            continue
        later = replies[index + 1 :]
        is_kept = any(is_replay(ours, each) for each in rest[index + 1 :])
        is_gone = index >= len(rest) or any(is_replay(each, rest[index]) for each in later)
        edit = _edit(is_gone=is_gone, is_kept=is_kept)
        kind, count = ours.kind, sent + len(rest)
        if edit is Edit.INSERTED:
            return ItemChange(sent + index, count, rest[index].kind, edit)
        return ItemChange(sent + index, count, kind, edit, of_reply=True)
    return None


def _edit(*, is_gone: bool, is_kept: bool) -> Edit:
    """Name an edit by whether what stands there was held further on, and what was held comes so."""
    if is_gone:
        return Edit.MOVED if is_kept else Edit.REMOVED
    return Edit.INSERTED if is_kept else Edit.CHANGED


def _digest(digests: bytes, index: int) -> bytes:
    return digests[index * ITEM_DIGEST : (index + 1) * ITEM_DIGEST]


def _stands_behind(digests: bytes, digest: bytes, index: int) -> bool:
    """Whether an item comes again behind an index."""
    at = digests.find(digest, (index + 1) * ITEM_DIGEST)
    while at >= 0 and at % ITEM_DIGEST:
        at = digests.find(digest, at + 1)
    return at >= 0


def _changed_properties(chain: Chain, turn: Turn) -> tuple[str, ...]:
    """Name the properties of a turn that are not those of a chain, by their paths."""
    if has_same_properties(chain, turn):
        return ()
    before = {each.name: each for each in chain.members}
    now = {each.name: each for each in turn.properties.members}
    changed: list[str] = []
    for name in sorted(before.keys() | now.keys()):
        changed += _member_changes(before.get(name), now.get(name))
    return tuple(changed)


def _member_changes(before: Member | None, now: Member | None) -> list[str]:
    if before is None or now is None:
        known = before or now
        word = "added" if before is None else "removed"
        return [f"{shown_name(known.name)} {word}"] if known else []
    if before.whole == now.whole:
        return []
    named = shown_name(now.name)
    if before.are_tools and now.are_tools:
        return _tool_changes(before, now) or [named]
    return _part_changes(before, now) or [named]


def _part_changes(before: Member, now: Member) -> list[str]:
    """Name what differs among the values of an object; nothing where one of them is none."""
    if not before.parts or not now.parts or before.are_tools or now.are_tools:
        return []
    had, has = dict(_parts(before)), dict(_parts(now))
    changed = []
    for key in sorted(had.keys() | has.keys()):
        if had.get(key) != has.get(key):
            word = " added" * (key not in had) + " removed" * (key not in has)
            changed.append(f"{shown_name(now.name)}.{shown_name(key)}{word}")
    return changed


def _tool_changes(before: Member, now: Member) -> list[str]:
    """Name the tools that were changed, added or removed, else that they are in another order.

    Of several of one name so many are changed as there were others of it before.
    """
    had, has = _parts(before), _parts(now)
    equal, gone = Counter(had) & Counter(has), Counter(had) - Counter(has)
    replaced = Counter(name for name, _ in gone.elements())
    changed = []
    for index, tool in enumerate(has):
        name = tool[0]
        if equal[tool]:
            equal[tool] -= 1
            continue
        word = "" if replaced[name] else " added"
        replaced[name] -= bool(replaced[name])
        changed.append(f'{now.name}[{index}] "{shown_name(name)}"{word}')
    for index, tool in enumerate(had):
        name = tool[0]
        if gone[tool] and replaced[name] > 0:
            gone[tool] -= 1
            replaced[name] -= 1
            changed.append(f'{now.name}[{index}] "{shown_name(name)}" removed')
    if not changed and sorted(had) == sorted(has) and had != has:
        return [f"{now.name} reordered"]
    return changed


def _parts(member: Member) -> list[tuple[str, bytes]]:
    return [(name, _digest(member.digests, index)) for index, name in enumerate(member.parts)]
