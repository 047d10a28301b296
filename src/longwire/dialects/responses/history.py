"""The input of a turn as items, and the digest of everything else in its body.

Law: the client's items are split, never decoded and encoded again; what is sent on are their own
bytes. The prefix of a known history is verified by one digest over raw bytes.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from blake3 import blake3
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import CanonicalItem, Digest, Member, PrefixMark
from longwire.dialects.canonical import digest_bytes
from longwire.dialects.raw_json import split_items
from longwire.dialects.responses.items import canonical_item, raw_digest, user_message
from longwire.dialects.responses.members import digested

_WHITESPACE = b" \t\r\n"
_MOST_REFERENCES = 4
_FILE = re.compile(rb'"file_id"\s*:\s*"([^"\\]+)"')
_BARE_REFERENCE = re.compile(rb'\{"id": ?"([^"\\]+)"\}')
"""An item that is an id and nothing else: the type of a reference may be left out."""

_ORIGIN = Digest(b"longwire chain, no items")

NEVER_COMPARED = frozenset(
    {
        "metadata",
        "stream_options",
        "client_metadata",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "max_output_tokens",
        "temperature",
        "top_p",
        "generate",
    }
)
"""Top-level members that may change between turns of one chain."""


class InputHistory:
    """The `input` member of one body; see `core.rules.turn.History` for its methods."""

    def __init__(self, raw: bytes | None) -> None:
        """Take `input` as raw JSON: an array, a string, or None where the body has none.

        Raises `InvalidRequest` when it is neither.
        """
        self._raw = raw
        self._is_array = raw is not None and raw[:1] == b"["
        if raw is not None and raw[:1] not in (b"[", b'"'):
            raise InvalidRequest("'input' must be a string or an array of items.", param="input")
        self._hasher = blake3()
        self._digests: dict[int, Digest] = {}
        self._split_from = -1
        self._split_items: list[Raw] = []
        self._canonical: dict[int, CanonicalItem] = {}
        self._links: list[Digest] = []
        self._references: tuple[str, ...] | None = None

    def _reach(self, index: int) -> None:
        """Have the items from `index` on split; after a mark was found, earlier ones are not."""
        if self._split_from < 0 or index < self._split_from:
            self._split_from, self._split_items = 0, self._decode_items()

    def _decode_items(self) -> list[Raw]:
        if self._raw is None:
            return []
        return split_items(self._raw) if self._is_array else [Raw(user_message(self._raw))]

    def __len__(self) -> int:
        if self._split_from < 0:
            self._reach(0)
        return self._split_from + len(self._split_items)

    @property
    def has_ids(self) -> bool:
        """Whether any item carries an `id` or refers to one."""
        return any(item.id is not None for item in self.canonical_items())

    @cached_property
    def has_encrypted(self) -> bool:
        """Whether any item seems to carry encrypted content: a mention of it is enough."""
        return self._raw is not None and b'"encrypted_content"' in self._raw

    @property
    def references(self) -> tuple[str, ...]:
        """Name the items and files that only an upstream has; in a text, quotes are escaped."""
        if self._references is None:
            self._references = self._find_references()
        return self._references

    def _find_references(self) -> tuple[str, ...]:
        raw = self._raw
        if raw is None or not self._is_array:
            return ()
        found = [identity.decode() for identity in _BARE_REFERENCE.findall(raw)]
        if b'"item_reference"' in raw:
            found += [item.reference for item in self.canonical_items() if item.reference]
        if b'"file_id"' in raw:
            found += [identity.decode() for identity in _FILE.findall(raw)]
        return tuple(found[-_MOST_REFERENCES:])

    @property
    def root(self) -> str:
        """Digest the first item, which no turn of a conversation changes."""
        return self.canonical_item(0).sent.hex() if len(self) else ""

    def canonical_item(self, index: int) -> CanonicalItem:
        """Return the canonical form of one item."""
        known = self._canonical.get(index)
        if known is None:
            self._reach(index)
            raw = bytes(self._split_items[index - self._split_from])
            known = self._canonical[index] = canonical_item(raw)
        return known

    def canonical_items(self, start: int = 0) -> list[CanonicalItem]:
        """Return the canonical items from `start` on."""
        known, canonical = self._canonical.get, self.canonical_item
        return [known(index) or canonical(index) for index in range(start, len(self))]

    def digest(self, count: int) -> Digest:
        """Return the chain digest of the first `count` items."""
        while len(self._links) < count:
            last = self._links[-1] if self._links else _ORIGIN
            self._links.append(digest_bytes(last, self.canonical_item(len(self._links)).sent))
        return self._links[count - 1] if count else _ORIGIN

    def extend(self, digest: Digest, items: Sequence[CanonicalItem]) -> Digest:
        """Continue a chain digest over the items that follow."""
        for item in items:
            digest = digest_bytes(digest, item.sent)
        return digest

    def after(
        self, mark: PrefixMark, expected: Sequence[CanonicalItem] = ()
    ) -> list[CanonicalItem] | None:
        """Return the items behind `mark`, or None when the bytes up to it differ.

        Those that are `expected` there, in this order, are known again by their bytes.
        """
        raw = self._raw
        if raw is None or not self._is_array or len(raw) <= mark.size:
            return None
        if self._digest_bytes_to(mark.size) != mark.digest:
            return None
        rest = raw[mark.size :].lstrip(_WHITESPACE)
        if mark.items and rest[:1] == b",":
            rest = rest[1:]
        elif mark.items and rest[:1] != b"]":
            return None
        self._split_from, self._split_items = mark.items, split_items(b"[" + rest)
        for index, (item, known) in enumerate(zip(self._split_items, expected, strict=False)):
            if known.raw == raw_digest(item):
                self._canonical[mark.items + index] = known
        return self.canonical_items(mark.items)

    def mark(self) -> PrefixMark | None:
        """Mark the whole input, so that a later one that begins with it is known by one digest."""
        if self._raw is None or not self._is_array:
            return None
        size = len(self._raw) - 1
        if self._raw[size - 1] in _WHITESPACE:
            size = len(self._raw[:size].rstrip(_WHITESPACE))
        return PrefixMark(size, self._digest_bytes_to(size), len(self))

    def _digest_bytes_to(self, size: int) -> Digest:
        known = self._digests.get(size)
        if known is None:
            done = max(self._digests, default=0)
            view = memoryview(self._raw or b"")
            if size < done:
                return Digest(blake3(view[:size]).digest())
            self._hasher.update(view[done:size])
            known = self._digests[size] = Digest(self._hasher.digest())
        return known

    def suffix(self, start: int) -> bytes:
        """Return the items from `start` on as a raw JSON array; a text input stays what it is."""
        if not self._is_array:
            return self._raw or b"[]"
        self._reach(start)
        return b"[" + b",".join(self._split_items[start - self._split_from :]) + b"]"


class BodyProperties:
    """The members that must be equal to continue; see `core.rules.turn.Properties`."""

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self._members = {
            name: members[name]
            for name in sorted(members)
            if name not in NEVER_COMPARED and members[name] != b"null"
        }

    @cached_property
    def raw(self) -> Digest:
        """Digest the members as written."""
        parts: list[bytes] = []
        for name, value in self._members.items():
            parts += (name.encode(), value)
        return digest_bytes(*parts)

    @property
    def canonical(self) -> Digest:
        """Digest the members whatever their key order and whitespace."""
        return self._digested[0]

    @property
    def members(self) -> tuple[Member, ...]:
        """Name the members, each with digests of what it is made of."""
        return self._digested[1]

    @cached_property
    def _digested(self) -> tuple[Digest, tuple[Member, ...]]:
        """Digest each member, and all of them; both tell the same values apart."""
        each = [digested(name, bytes(raw)) for name, raw in self._members.items()]
        return digest_bytes(*[whole for whole, _ in each]), tuple([member for _, member in each])
