"""The rendered context: all items the model sees, checked as they are added.

Law: an item enters a context only after the checks a real upstream makes on it. Of an item its
digest, size and id are kept, so that a long conversation stays small.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from longwire.emulator.errors import Rejected, detail
from longwire.emulator.items import Item, check_shape
from longwire.emulator.options import Json, Options, Route
from longwire.emulator.oracle import combined, encode, item_digest
from longwire.emulator.scenes import scene_of

MAX_CODEX_ID = 64
AT_ITS_END = 1 << 30
"""Rounds of a context that was compacted: no client compacts a turn for ever."""
PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fc",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctc",
}
BEHIND_REASONING = ("message", "function_call", "custom_tool_call", "web_search_call")
CALLS = {"function_call": "function call", "custom_tool_call": "custom tool call"}


@dataclass(slots=True)
class Context:
    """Everything rendered so far. A context that is held by a cache is never changed: `fork` it."""

    digests: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    calls: dict[str, str] = field(default_factory=dict)
    """Kind of each call by its call id."""
    unanswered: dict[str, str] = field(default_factory=dict)
    tools: list[Item] = field(default_factory=list)
    """Tools that arrived as `additional_tools` items."""
    rounds: int = 0
    """Tool rounds since the last user message."""
    last: str = ""
    """Kind of the last item."""
    format: Item | None = None
    """The format of answers that the last `configuration_update` says."""
    scene: str = ""
    """What the last message of the user that says so makes the model do."""
    reasoning: set[str] = field(default_factory=set)
    """Ids and encrypted content of the reasoning items."""

    def fork(self) -> "Context":
        """A copy that may grow on its own."""
        return replace(
            self,
            digests=[*self.digests],
            sizes=[*self.sizes],
            ids={*self.ids},
            calls={**self.calls},
            unanswered={**self.unanswered},
            tools=[*self.tools],
            reasoning={*self.reasoning},
        )

    @property
    def digest(self) -> str:
        """The oracle's digest of the whole context."""
        return combined(self.digests)

    def add(self, item: Item) -> None:
        """Append one item; raises `Rejected` for duplicates and for outputs without a call."""
        kind = item.get("type") or "message"
        identity = item.get("id")
        if identity is not None and identity in self.ids:
            raise duplicate(identity)
        if kind in CALLS:
            self._call(kind, item["call_id"])
        elif kind.removesuffix("_output") in CALLS:
            self._answer(kind, item["call_id"])
        elif kind == "message" and item["role"] in ("user", "assistant"):
            self.require_answers()
        if kind == self.last == "configuration_update":
            message = "Two 'configuration_update' items stand side by side; send one."
            raise Rejected(message, code="invalid_value", param="input")
        if kind == "message" and item["role"] == "user":
            self._hear(scene_of(item["content"]))
        if kind == "configuration_update":
            self.format = (item.get("text") or {}).get("format") or self.format
        if kind == "reasoning":
            self.reasoning |= {item.get("id") or "", item.get("encrypted_content") or ""}
        if kind == "compaction":
            self.rounds = AT_ITS_END
        self.tools += item["tools"] if kind == "additional_tools" else ()
        self.last = kind
        self.digests.append(item_digest(item))
        self.sizes.append(len(encode(item)))
        self.ids.update(() if identity is None else (identity,))

    def require_answers(self) -> None:
        """Every call must have its output before the conversation goes on."""
        for call_id, kind in self.unanswered.items():
            raise Rejected(f"No tool output found for {CALLS[kind]} {call_id}.", param="input")

    def _hear(self, scene: str) -> None:
        """A question begins new rounds, but not where a scene goes on."""
        if scene or not self.scene:
            self.scene, self.rounds = scene, 0

    def _call(self, kind: str, call_id: str) -> None:
        if call_id in self.calls:
            raise duplicate(call_id)
        self.calls[call_id] = self.unanswered[call_id] = kind

    def _answer(self, kind: str, call_id: str) -> None:
        call = kind.removesuffix("_output")
        if self.calls.get(call_id) != call:
            message = f"No tool call found for {CALLS[call]} output with call_id {call_id}."
            raise Rejected(message, param="input")
        if call_id not in self.unanswered:
            raise duplicate(call_id)
        del self.unanswered[call_id]
        self.rounds += not self.last.endswith("_output")


@dataclass(frozen=True, slots=True)
class Gate:
    """What one request may put into a context: its route, account, store flag and known items."""

    options: Options
    route: Route
    account: str
    store: bool
    find: Callable[[str], Mapping[str, Any] | None]
    """A stored item of this account by its id."""

    def render(self, parent: Context, items: Sequence[Any]) -> Context:
        """`parent` extended by the request's items; raises `Rejected`."""
        context = parent.fork()
        for index, item in enumerate(items):
            admitted = self._admit(item, f"input[{index}]")
            self._check_reasoning(admitted, context)
            context.add(admitted)
        context.require_answers()
        return context

    def _admit(self, item: Json, where: str) -> Item:
        check_shape(item, where)
        kind = item.get("type") or "message"
        identity = item.get("id")
        if self.route == "codex":
            check_codex(item)
        elif self.options.check_ids and kind != "item_reference":
            check_id(item, where)
        if kind == "item_reference" or (
            kind == "reasoning" and identity and not item.get("encrypted_content")
        ):
            return self._stored(item["id"])
        if self.options.check_encrypted and item.get("encrypted_content"):
            self._check_encrypted(item, where)
        return dict(item)

    def _check_reasoning(self, item: Item, context: Context) -> None:
        """An item by its id comes behind the reasoning that led to it (earendil-works/pi#1878)."""
        identity, kind = item.get("id") or "", item.get("type") or "message"
        needs = self.options.needs_reasoning and kind in BEHIND_REASONING
        owed = reasoning_of(self.account, identity) if needs else None
        if owed is None or {owed, mint(self.account, owed)} & context.reasoning:
            return
        message = (
            f"Item '{identity}' of type '{kind}' was provided without its required 'reasoning'"
            f" item: '{owed}'."
        )
        raise Rejected(message, param="input")

    def _stored(self, identity: str) -> Item:
        found = self.find(identity) if self.store else None
        if found is not None:
            return dict(found)
        hint = (
            ""
            if self.store
            else " Items are not persisted when `store` is set to false. Try again with `store` set"
            " to true, or remove this item from your input."
        )
        status = self.options.unstored_reference_status
        raise Rejected(f"Item with id '{identity}' not found.{hint}", param="input", status=status)

    def _check_encrypted(self, item: Item, where: str) -> None:
        content = item["encrypted_content"]
        nonce = opened(self.account, content)
        if nonce is None:
            message = f"The encrypted content {content[:12]}… could not be verified."
            raise Rejected(message, code="invalid_encrypted_content", param=where)
        if self.options.paired_ids and nonce != fingerprint(item.get("id") or ""):
            message = f"Encrypted content item_id did not match the target item id at {where}."
            raise Rejected(message, code="invalid_encrypted_content", param=where)


def check_codex(item: Item) -> None:
    """The Codex backend's own limits."""
    if item.get("role") == "system":
        raise detail("System messages are not allowed")
    identity, kind = item.get("id") or "", item.get("type") or "message"
    if len(identity) > MAX_CODEX_ID:
        raise detail(f"Invalid item id, longer than 64 characters: {identity[:80]}")
    if identity and not identity.startswith(PREFIXES.get(kind, "")):
        raise detail(f"Invalid item id, expected one that begins with '{PREFIXES[kind]}'")


def check_id(item: Item, where: str) -> None:
    """An id that was given here begins as its type does."""
    identity, prefix = item.get("id"), PREFIXES.get(item.get("type") or "message", "")
    if identity is not None and not identity.startswith(prefix):
        message = f"Invalid '{where}.id': '{identity}'. Expected an ID that begins with '{prefix}'."
        raise Rejected(message, code="invalid_value", param=f"{where}.id", violation=False)


def duplicate(identity: str) -> Rejected:
    """An item the context already has."""
    message = f"Duplicate item found with id {identity}. Remove duplicate items and try again."
    return Rejected(message, param="input")


def fingerprint(identity: str) -> bytes:
    """The part of encrypted content that stands for the item's id."""
    return hashlib.sha256(identity.encode()).digest()[:12]


def mint(account: str, identity: str) -> str:
    """Encrypted content that only this account may send back."""
    nonce = fingerprint(identity)
    seal = hmac.digest(account.encode(), nonce, "sha256")[:12]
    return "gAAAAA" + base64.urlsafe_b64encode(nonce + seal).decode()


def identify(account: str, base: str, prefix: str, number: int) -> str:
    """An id of an item of the response that has 24 characters as its `base`.

    It shows to this account's reasoning that it came with it: "" is for items without any.
    """
    seal = hmac.digest(account.encode(), base.encode(), "sha256").hex()[:8]
    own = hashlib.sha256(f"{base}{prefix}{number}".encode()).hexdigest()[:16]
    return f"{prefix}_{seal}{base}{own}"


def reasoning_of(account: str, identity: str) -> str | None:
    """The id of the reasoning that an item came with, None where it came with none."""
    rest = identity.partition("_")[2]
    owed = identify(account, rest[8:32], "rs", 0)
    return owed if owed[3:35] == rest[:32] else None


def turn_state(account: str) -> str:
    """The routing token of an account."""
    return "turn-" + hmac.digest(account.encode(), b"turn state", "sha256").hex()[:32]


def opened(account: str, content: str) -> bytes | None:
    """The nonce inside content minted for this account, else None."""
    try:
        sealed = base64.urlsafe_b64decode(content.removeprefix("gAAAAA"))
    except ValueError:
        return None
    expected = hmac.digest(account.encode(), sealed[:12], "sha256")[:12]
    return sealed[:12] if hmac.compare_digest(sealed[12:], expected) else None
