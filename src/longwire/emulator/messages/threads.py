"""Message threads: conversations that are kept here, so that a client sends only what is new.

Law: a thread is one line; each answer is continued once, within its time, or not at all.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from longwire.emulator.errors import Rejected
from longwire.emulator.messages.context import Message
from longwire.emulator.messages.errors import extra, refused, required
from longwire.emulator.options import Json, Options

LONGEST = 3600.0
FIXED = ("system", "tools")
"""Members that a thread keeps from its beginning."""
WORDS = {
    "thread_not_found": "The thread was not found; it may have expired.",
    "thread_already_continued": "The message was already continued; a thread is one line.",
    "thread_continue_in_flight": "The message is being continued by another request.",
    "thread_unsupported_request": "This request cannot be part of a thread.",
}


@dataclass(slots=True)
class Thread:
    """A conversation up to one answer, and what became of it."""

    fixed: dict[str, Json]
    messages: list[Message]
    begun: float
    used: float
    state: Literal["open", "in flight", "continued"] = "open"


@dataclass(slots=True)
class Threads:
    """The threads by account and by the id of the answer they end with."""

    held: dict[tuple[str, str], Thread] = field(default_factory=dict)

    def take(self, account: str, previous: str, lifetime: float) -> Thread:
        """The thread that goes on, in flight from now; raises `Rejected`."""
        thread, now = self.held.get((account, previous)), now_of_loop()
        if thread is None or now - thread.used > lifetime or now - thread.begun > LONGEST:
            raise broken("thread_not_found", "not_found_error")
        if thread.state == "continued":
            raise broken("thread_already_continued", "conflict_error")
        if thread.state == "in flight":
            raise broken("thread_continue_in_flight", "conflict_error")
        thread.state = "in flight"
        return thread

    def keep(self, account: str, identity: str, thread: Thread) -> None:
        """Hold a conversation under the id of its last answer."""
        now = now_of_loop()
        self.held = {key: old for key, old in self.held.items() if now - old.begun <= LONGEST}
        self.held[account, identity] = thread


def now_of_loop() -> float:
    """The time of the loop that serves."""
    return asyncio.get_running_loop().time()


def broken(code: str, kind: str, **details: Json) -> Rejected:
    """A refusal that a client answers with the whole conversation."""
    return refused(WORDS[code], kind, details={"error_code": code, **details}, violation=False)


def check_thread(thread: Mapping[str, Any], options: Options) -> None:
    """A thread is begun, or goes on behind a message, where threads are kept at all."""
    if options.threads == "unknown":
        raise extra("thread")
    if options.threads == "unsupported":
        raise broken("thread_unsupported_request", "invalid_request_error", unsupported=["thread"])
    kind = thread.get("type")
    if kind not in ("create", "continue"):
        raise refused(
            f"thread: Input tag '{kind}' found using 'type' does not match any of the expected"
            " tags: 'create', 'continue'"
        )
    if kind == "continue" and not isinstance(thread.get("previous_message_id"), str):
        raise required("thread.continue.previous_message_id")


def check_fixed(body: Mapping[str, Any], thread: Thread) -> None:
    """What a thread keeps may be repeated, but not changed."""
    for name in FIXED:
        if body.get(name) is not None and unmarked(body[name]) != unmarked(thread.fixed[name]):
            raise refused(
                f"thread: `{name}` is fixed when a thread is created; to change tools, send"
                " `tool_addition` or `tool_removal` blocks in a `system` message."
            )


def unmarked(value: Json) -> Json:
    """System or tools without their marks; a text is one block."""
    if not isinstance(value, list):
        return [{"type": "text", "text": value}]
    return [{k: v for k, v in each.items() if k != "cache_control"} for each in value]
