"""One turn from its request to its terminal, the same for all transports.

Law: the new context is committed before the terminal is written, and a turn that does not reach a
good terminal evicts the parent it continued.
"""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from longwire.emulator.cache import Caller, Held, Prompt, Prompts, Store
from longwire.emulator.counters import Journal, Turn
from longwire.emulator.errors import Rejected, previous_response_not_found
from longwire.emulator.events import Event, Story, Telling
from longwire.emulator.faults import Cut, Faults, Point, Spoiled, strike
from longwire.emulator.items import Item
from longwire.emulator.model import Model, callable_tools
from longwire.emulator.options import Options, Script
from longwire.emulator.oracle import encode
from longwire.emulator.rendering import Context, Gate, turn_state
from longwire.emulator.requests import Body, Request
from longwire.emulator.scenes import staged
from longwire.emulator.wire import Outlet

POINTS: dict[str, Point] = {
    "created": "after_created",
    "delta": "mid_delta",
    "item": "after_item",
    "terminal": "after_terminal",
}

CODEX_SOCKET = ("codex", "websocket")
MOST_PROMPTS = 64


@dataclass(slots=True)
class World:
    """All that the connections of one emulator share.

    `used` is how much of the short window an account of the Codex backend has used, in percent.
    """

    options: Options
    script: Script
    faults: Faults
    journal: Journal
    store: Store
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    responses: int = 0
    prompts: dict[tuple[str, str], Prompts] = field(default_factory=dict)
    """What stateless APIs cache, by API and account."""
    used: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: 1.0))

    def issue(self) -> str:
        """A new response id."""
        self.responses += 1
        return f"resp_{self.run}{self.responses:032x}"

    def cached_prompts(self, api: str, account: str) -> Prompts:
        """What an API without sessions caches for an account."""
        return self.prompts.setdefault((api, account), Prompts(MOST_PROMPTS))

    def issued(self, response_id: str) -> bool:
        """Whether `issue` ever gave this id away."""
        number = response_id.removeprefix(f"resp_{self.run}")
        try:
            return number != response_id and 0 < int(number, 16) <= self.responses
        except ValueError:
            return False


Tell = Callable[[Request, str], Telling]
"""The story of an answer, from its request and its id."""


@dataclass(slots=True)
class Exchange:
    """One request being answered; `tell` says the answer in another API than Responses."""

    world: World
    caller: Caller
    request: Request
    record: Turn
    outlet: Outlet
    tell: Tell | None = None
    kept: list[Item] = field(default_factory=list)

    async def run(self) -> None:
        """Answer; raises Rejected for a refusal, Cut or Spoiled for what a fault did."""
        try:
            await strike(self.world.faults, "after_create", self.outlet)
            await self._play(self._begin())
        except (asyncio.CancelledError, ConnectionError):
            self.record.status = "cancelled"
            self.world.journal.counters.cancelled += 1
            raise
        except (Rejected, Spoiled, Cut) as reason:
            self.record.status = (
                f"error:{reason.label}"
                if isinstance(reason, Rejected)
                else type(reason).__name__.lower()
            )
            self._evict_parent()
            raise

    def _begin(self) -> Iterator[Event]:
        counters = self.world.journal.counters
        parent = parent_of(self.world, self.caller, self.request.previous)
        context = rendered(self.world, self.caller, self.request, parent)
        script = staged(self.request.script, context.scene)
        self.request = request = replace(self.request, script=script)
        counters.items_in += len(request.items)
        counters.creates_full += parent is None
        counters.creates_continued += parent is not None
        counters.creates_warm_up += not request.generates
        self.record.items_rendered = len(context.digests)
        self.record.store = request.store
        self.record.continued = parent is not None
        self.record.digest = context.digest
        self.record.response_id = self.world.issue()
        story = (self.tell or self._story)(request, self.record.response_id)
        return self._events(story, context, storable=parent is None or parent.stored)

    def _story(self, request: Request, response_id: str) -> Telling:
        return Story(
            request=request,
            options=self.world.options,
            response_id=response_id,
            created_at=int(time.time()),
            keeps_output=request.body.get("stream") is not True and self.caller.transport == "http",
        )

    def _events(self, story: Telling, context: Context, *, storable: bool) -> Iterator[Event]:
        request = self.request
        self._measure(context)
        if isinstance(story, Story) and (self.caller.route, self.caller.transport) == CODEX_SOCKET:
            account = self.caller.account
            yield from story.vendor(turn_state(account), self.world.used[account])
        if request.generates or self.world.options.warm_up == "full":
            yield from story.opening()
        model = Model(request, context, self.caller.account, self.record.digest)
        for item in model.answer() if request.generates and request.script.output else ():
            yield from story.item(item)
            context.add(item)
            if request.store:
                self.kept.append(item)
        if model.is_cut:
            script = msgspec.structs.replace(request.script, finish="incomplete")
            self.request = story.request = replace(request, script=script)
        if request.script.end_without_terminal:
            self.record.status = "unfinished"
            self._evict_parent()
            return
        self._commit(story, context, stored=storable and request.store)
        yield from story.ending()

    def _measure(self, context: Context) -> None:
        preamble = preamble_of(self.request.body)
        prompt = Prompt(context.sizes, context.digests, preamble)
        cached = self.caller.prompts.shared(prompt)
        self.caller.prompts.keep(self.request.lane, prompt)
        self.record.input_tokens = tokens_of(preamble, context)
        self.record.cached_tokens = cached // 4

    def _commit(self, story: Telling, context: Context, *, stored: bool) -> None:
        finish = self.request.script.finish
        self.record.status = finish.partition(":")[0]
        record = self.record
        story.usage = usage(record.input_tokens, record.cached_tokens, story.output_bytes // 4)
        if finish not in ("completed", "incomplete"):
            self._evict_parent()
            return
        held = Held(story.response_id, context, stored, self.caller.lanes.clock())
        self.caller.lanes.keep(self.request.lane, held)
        if stored and isinstance(story, Story):
            sent = [item for item in self.request.items if isinstance(item, dict)]
            items = [item for item in sent if item.get("type") != "item_reference"] + self.kept
            response = msgspec.json.encode(story.response(finish))
            self.world.store.keep(self.caller.account, held, response, items)

    def _evict_parent(self) -> None:
        self.caller.lanes.evict(self.request.lane, self.request.previous)

    async def _play(self, events: Iterator[Event]) -> None:
        size = self.record.bytes_in
        await perform(events, self.request.script, size, self.outlet, self.world.faults)


async def perform(
    events: Iterator[Event], script: Script, size: int, outlet: Outlet, faults: Faults
) -> None:
    """Send the events of an answer to a request of this size, at the pace of the script."""
    upload_ms = script.upload_ms_per_kib * size / 1024
    if script.first_event_ms or upload_ms:
        await asyncio.sleep((script.first_event_ms + upload_ms) / 1000)
    for event in events:
        outgoing = event
        if event.mark == "terminal":
            fault = await strike(faults, "before_terminal", outlet)
            outgoing = event.alias() if fault and fault.act == "done_alias" else event
        await outlet.send(outgoing)
        if script.delay_ms and event.mark != "terminal":  # with that the turn is over
            await outlet.flush()
            await asyncio.sleep(script.delay_ms / 1000)
        if event.mark:
            await strike(faults, POINTS[event.mark], outlet)
    await outlet.flush()


def parent_of(world: World, caller: Caller, previous: str | None) -> Held | None:
    """The response that is continued; raises `Rejected` for one that is not held."""
    if previous is None:
        return None
    held, counters = caller.lanes.find(previous), world.journal.counters
    if held is None and not world.options.zdr and caller.route == "public":
        held = world.store.find(caller.account, previous)
    counters.cache_hits += held is not None
    counters.cache_misses += held is None
    if held is None:
        counters.not_found += 1
        raise previous_response_not_found(previous, issued=world.issued(previous))
    return held


def rendered(world: World, caller: Caller, request: Request, parent: Held | None) -> Context:
    """The context that a request's items make of its parent's; raises `Rejected`."""
    gate = Gate(
        world.options,
        caller.route,
        caller.account,
        request.store,
        lambda identity: world.store.items.get((caller.account, identity)),
    )
    context = gate.render(parent.context if parent else Context(), request.items)
    check_choice(request.body, context)
    return context


def count_tokens(world: World, caller: Caller, request: Request) -> int:
    """How many tokens the input of a request is; nothing is answered or kept."""
    parent = parent_of(world, caller, request.previous)
    return tokens_of(preamble_of(request.body), rendered(world, caller, request, parent))


def check_choice(body: Body, context: Context) -> None:
    """A function that has to be called is one of those there are."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") not in ("function", "custom"):
        return
    offered = [*(body.get("tools") or ()), *context.tools]
    if choice.get("name") not in [tool[1] for each in offered for tool in callable_tools(each)]:
        message = f"Tool choice '{choice.get('name')}' not found in 'tools' parameter."
        raise Rejected(message, param="tool_choice")


def preamble_of(body: Body) -> bytes:
    """What stands before the items in a prompt: tools, instructions and effort."""
    effort = (body.get("reasoning") or {}).get("effort")
    return encode([body.get("tools"), body.get("instructions"), effort])


def tokens_of(preamble: bytes, context: Context) -> int:
    """How many tokens a prompt is."""
    return (len(preamble) + sum(context.sizes)) // 4 + 1


def usage(input_tokens: int, cached_tokens: int, output_tokens: int) -> dict[str, Any]:
    """The `usage` object; the cached tokens are a part of the input."""
    uncached = input_tokens - cached_tokens
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cached_tokens, "cache_write_tokens": uncached},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": output_tokens // 4},
        "total_tokens": input_tokens + output_tokens,
    }
