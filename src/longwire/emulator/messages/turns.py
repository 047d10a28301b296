"""One turn of Messages from its body to its last event.

Law: a thread goes on only behind an answer that came to its end and was no refusal.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from longwire.emulator.cache import Caller
from longwire.emulator.counters import Turn
from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.faults import Cut, Spoiled, strike
from longwire.emulator.messages.answer import Answer
from longwire.emulator.messages.caching import PromptCache, check_fits, segments_of, tokens_of
from longwire.emulator.messages.context import Message
from longwire.emulator.messages.conversation import (
    context_of,
    conversation,
    mark_of,
    model_request,
)
from longwire.emulator.messages.errors import kind_of, refused
from longwire.emulator.messages.events import Story, event
from longwire.emulator.messages.odd_streams import at_end, oddly
from longwire.emulator.messages.order import THOUGHTS, of_type
from longwire.emulator.messages.requests import Request
from longwire.emulator.messages.threads import FIXED, Thread, Threads, check_thread
from longwire.emulator.model import Model
from longwire.emulator.requests import Body
from longwire.emulator.scenes import staged
from longwire.emulator.turns import World, perform
from longwire.emulator.wire import Outlet

INCOMPLETE = ("max_tokens", "model_context_window_exceeded", "pause_turn")


@dataclass(slots=True)
class Memory:
    """What is kept between the requests of Messages."""

    threads: Threads = field(default_factory=Threads)
    prompts: PromptCache = field(default_factory=PromptCache)
    paused: set[bytes] = field(default_factory=set)
    """The last blocks of answers that paused."""


@dataclass(slots=True)
class Exchange:
    """One request being answered."""

    world: World
    memory: Memory
    caller: Caller
    body: Body
    record: Turn
    outlet: Outlet
    streams: bool
    before: Thread | None = None
    """The thread that goes on."""

    async def run(self) -> None:
        """Answer; raises Rejected for a refusal, Cut or Spoiled for what a fault did."""
        try:
            await strike(self.world.faults, "after_create", self.outlet)
            story, events = self._begin()
            size = self.record.bytes_in
            await perform(events, story.script, size, self.outlet, self.world.faults)
        except (asyncio.CancelledError, ConnectionError):
            self.record.status = "cancelled"
            self.world.journal.counters.cancelled += 1
            raise
        except (Rejected, Spoiled, Cut) as reason:
            self._note(reason)
            raise
        finally:
            if self.before is not None and self.before.state == "in flight":
                self.before.state = "continued"

    def _begin(self) -> tuple[Story, Iterator[Event]]:
        world, record, counters = self.world, self.record, self.world.journal.counters
        self.before = self._continued()
        account, paused = self.caller.account, self.memory.paused
        request = conversation(self.body, account, self.before, paused)
        own = model_request(request, world.script)
        context = context_of(own.items)
        own = replace(own, script=staged(world.script, context.scene))
        segments = segments_of(request)
        window = world.options.context_window
        check_fits(tokens_of(segments), request.body["max_tokens"], window)
        usage = self.memory.prompts.used(request, segments, self.caller.lanes.clock())
        counters.items_in += record.items_in
        counters.creates_full += self.before is None
        counters.creates_continued += self.before is not None
        record.continued = self.before is not None
        record.items_rendered = len(context.digests)
        record.digest = context.digest
        record.response_id = "msg_" + world.issue().removeprefix("resp_")
        record.input_tokens, record.cached_tokens = usage.total, usage.read
        record.thoughts = sum(len(of_type(each, *THOUGHTS)) for each in request.messages)
        tells_usage = world.options.message_usage == "always"
        story = Story(record.response_id, own.model, own.script, usage, tells_usage)
        events = self._events(story, request, Model(own, context, request.account, context.digest))
        shown = oddly(events, story, world.options) if self.streams else at_end(events, story)
        return story, shown

    def _events(self, story: Story, request: Request, model: Model) -> Iterator[Event]:
        script, context = story.script, model.context
        answer = Answer(request, script, model.digest)
        yield from story.opening()
        for item in model.answer() if script.output else ():
            for block, arguments in answer.blocks(item):
                yield from story.block(block, arguments)
            context.add(item)
            if answer.stop_sequence is not None:
                break
        status, _, code = script.finish.partition(":")
        if status in ("failed", "cancelled"):
            yield self._failure(story, code)
            return
        if script.end_without_terminal:
            self.record.status = "unfinished"
            return
        story.stop = answer.reason(is_cut=model.is_cut)
        reason = story.stop["stop_reason"]
        self.record.status = "incomplete" if reason in INCOMPLETE else "completed"
        self._keep(story, request)
        yield from story.ending()

    def _failure(self, story: Story, code: str) -> Event:
        """An error in the middle of a stream, or in place of an answer."""
        self.record.status = "failed"
        error = refused(f"The scripted failure {code}.", kind_of(code, 500), violation=False)
        if isinstance(story.script.error, dict):
            error.error = story.script.error
        if not self.streams:
            raise error
        return event("error", error=error.error)

    def _continued(self) -> Thread | None:
        """The thread that the request goes on with; raises `Rejected`."""
        thread = self.body.get("thread")
        if thread is None:
            return None
        check_thread(thread, self.world.options)
        if thread["type"] == "create":
            return None
        previous, lifetime = thread["previous_message_id"], self.world.options.thread_lifetime
        return self.memory.threads.take(self.caller.account, previous, lifetime)

    def _keep(self, story: Story, request: Request) -> None:
        """Hold the conversation with its answer, where the request wants that."""
        answer: Message = {"role": "assistant", "content": [*story.content]}
        if story.stop["stop_reason"] == "pause_turn" and story.content:
            self.memory.paused.add(mark_of(answer))
        if self.body.get("thread") is None or story.stop["stop_reason"] == "refusal":
            return
        now = self.caller.lanes.clock()
        fixed = {name: request.body.get(name) for name in FIXED}
        begun = now if self.before is None else self.before.begun
        thread = Thread(fixed, [*request.messages, answer], begun, now)
        self.memory.threads.keep(request.account, story.message_id, thread)

    def _note(self, reason: Rejected | Spoiled | Cut) -> None:
        """Say how the turn ended; a thread that a refusal did not let go on stays open."""
        if not isinstance(reason, Rejected):
            self.record.status = type(reason).__name__.lower()
            return
        self.record.status = f"error:{reason.label}"
        if self.before is not None:
            self.before.state = "open"
