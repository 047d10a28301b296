"""The way of one continued turn, from its bytes to the frame upstream, is as short as it was.

Measured is a real turn over real sockets, not the source: so nothing here names a module, and code
may move. Whoever shortens the way lowers its bound here; a bound is never raised. `pytest -s`
prints what was found.
"""

import gc
import json
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import pytest

from longwire.app import opening
from longwire.emulator import Emulator, IssuerOptions, Options, Script
from tests.conftest import serving
from tests.journeys.accounts import ADA, opened, settings_of, signed_in
from tests.journeys.wire import Wire, wire

MOST_MODULES = 30
MOST_CLASSES = 27
MOST_CLASSES_OF_STATE = 3
"""Bounds that are lowered, never raised."""

GATEWAY, EMULATOR, RELAY = "longwire.", "longwire.emulator.", "longwire.relay."
SERVERS = (GATEWAY, "uvicorn.")
GENERATED = "<string>"
"""The file of what a dataclass writes for itself."""
CONSTRUCTORS = ("__init__", "__new__")
SENDS = ("send", "sendmsg")
END = b"\r\n0\r\n\r\n"
SLOW = Script(delay_ms=10)
"""What lets turns be looked at while they stream."""


class Way:
    """What a turn calls, as `sys.setprofile` tells of it.

    It begins with `data_received` of the server's protocol. Up to the first write to the socket of
    the upstream, `modules` are those in which a function is called, and `classes` those of which a
    method is: the class of its `self`, or its `cls`. Counted are functions that stand in the
    source; what a dataclass writes for itself is nothing to read, and only in `with_generated`.
    `built` are all classes of which an instance is constructed, until this is looked at.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.has_begun = self.is_sent = False
        self.modules: set[str] = set()
        self.classes: set[str] = set()
        self.with_generated: set[str] = set()
        self.built: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Take note of one call."""
        if event == "c_call":
            self.is_sent = self.is_sent or (self.has_begun and self._is_upstream(argument))
        elif event == "call":
            module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
            begins = name == "data_received" and module.startswith(SERVERS)
            self.has_begun = self.has_begun or (begins and not module.startswith(EMULATOR))
            if self.has_begun and is_of_gateway(module):
                self._enter(frame, module)

    def _enter(self, frame: FrameType, module: str) -> None:
        owner, code = owner_of(frame), frame.f_code
        if owner and code.co_name in CONSTRUCTORS:
            self.built.add(owner)
        if self.is_sent:
            return
        if owner:
            self.with_generated.add(owner)
        if code.co_filename != GENERATED:
            self.modules.add(module)
            if owner:
                self.classes.add(owner)

    def _is_upstream(self, function: object) -> bool:
        """Whether a function of C writes to the upstream."""
        target = getattr(function, "__self__", None)
        is_write = getattr(function, "__name__", "") in SENDS and isinstance(target, socket.socket)
        return is_write and target.getpeername()[1] == self._upstream


def is_of_gateway(module: str) -> bool:
    """Whether a module is the gateway's own."""
    return module.startswith(GATEWAY) and not module.startswith(EMULATOR)


def owner_of(frame: FrameType) -> str:
    """The full name of the gateway's class whose method a frame runs, "" for none."""
    first = frame.f_code.co_varnames[:1]
    if not frame.f_code.co_argcount or first not in (("self",), ("cls",)):
        return ""
    target = frame.f_locals.get(first[0])
    owner = target if isinstance(target, type) else type(target)
    return full_name(owner) if is_of_gateway(owner.__module__) else ""


def full_name(owner: type) -> str:
    """The name of a class with its module."""
    return f"{owner.__module__}.{owner.__qualname__}"


@contextmanager
def walked(upstream: int) -> Iterator[Way]:
    """The way of what this thread does meanwhile."""
    way = Way(upstream)
    sys.setprofile(way)
    try:
        yield way
    finally:
        sys.setprofile(None)


def alive() -> Counter[str]:
    """Count the instances of the gateway's classes; looking is no part of a way."""
    profile = sys.getprofile()
    sys.setprofile(None)
    gc.collect()
    counts = Counter(map(type, gc.get_objects()))
    sys.setprofile(profile)
    owners = {owner: n for owner, n in counts.items() if is_of_gateway(str(owner.__module__))}
    return Counter({full_name(owner): n for owner, n in owners.items()})


class Agent:
    """A client that resends its whole history over one connection, before one upstream."""

    def __init__(self, connection: Wire, emulator: Emulator) -> None:
        self._connection = connection
        self._history = []
        self.emulator = emulator

    async def turn(self, look: Callable[[], None] = lambda: None) -> bytes:
        """Take a turn, and `look` while it streams; return the head of its answer."""
        self._history.append({"role": "user", "content": f"question {len(self._history)}"})
        body = {"model": "gpt-5.5", "instructions": "Be brief.", "input": self._history}
        body |= {"store": False, "stream": True, "include": ["reasoning.encrypted_content"]}
        self._connection.post(body, session_id="a-session")
        head = await self._connection.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head + await self._connection.until(b"}}")
        await self._connection.until(b"event: response.created\n")
        look()
        rest = await self._connection.until(END)
        events = [line[6:] for line in rest.splitlines() if line.startswith(b"data: ")]
        self._history += json.loads(events[-1])["response"]["output"]
        return head

    async def continued(self, look: Callable[[], None] = lambda: None) -> Way:
        """Take a turn whose history the upstream holds, and return its way."""
        with walked(int(self.emulator.url.rpartition(":")[2])) as way:
            head = await self.turn(look)
        assert b"x-longwire-continuity: continued\r\n" in head
        assert way.is_sent
        return way

    async def looked_at(self) -> tuple[Way, set[str]]:
        """Take a turn; return its way, and of what there is more while it streams."""
        during: Counter[str] = Counter()
        before = alive()
        way = await self.continued(lambda: during.update(alive()))
        after = alive()
        return way, {name for name in during if during[name] > max(before[name], after[name])}


@asynccontextmanager
async def agent_before(emulator, settings, opens=None):
    """An agent before a gateway, whose first turn is over; `opens` opens its store."""
    async with serving(settings, opens) as gateway, wire(gateway.url) as connection:
        agent = Agent(connection, emulator)
        await agent.turn()
        yield agent


@pytest.fixture
async def keyed(tmp_path):
    """An agent before a channel with a key, over WebSocket; no upkeep of a store runs meanwhile."""
    async with Emulator(Options()) as emulator:
        channel = {"name": "main", "base_url": f"{emulator.url}/v1", "api_key": "sk-upstream"}
        channels = ({**channel, "transport": "websocket"},)
        settings = settings_of(emulator, tmp_path, channels=channels)
        async with agent_before(emulator, settings) as agent:
            yield agent


@pytest.fixture
def _only_new_objects():
    """Leave what other tests have built out of what is looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
async def subscribed(tmp_path, _only_new_objects):
    """An agent before a channel with an account, over WebSocket: of all, it keeps most per turn."""
    async with Emulator(Options(issuer=IssuerOptions(people=(ADA,))), SLOW) as emulator:
        settings = settings_of(emulator, tmp_path)
        async with opened(settings) as store:
            await signed_in(store, emulator, ADA)
        async with agent_before(emulator, settings, opening(settings)) as agent:
            yield agent


def listed(**figures: set[str]) -> str:
    """Tell figures with what they count, in full."""
    parts = (
        f"{len(names)} {title}: {', '.join(sorted(names))}" for title, names in figures.items()
    )
    text = "\n".join(parts).replace(GATEWAY, "")
    sys.stdout.write(f"\n{text}\n")
    return text


async def test_the_way_to_the_upstream_is_short(keyed):
    """A continued turn passes no more modules and classes to the upstream's frame than it did.

    Passed is what each of three turns in a row passes: what only happens to run meanwhile is no
    part of the way.
    """
    ways = [await keyed.continued() for _ in range(3)]
    modules = set.intersection(*(way.modules for way in ways))
    classes = set.intersection(*(way.classes for way in ways))
    generated = set.intersection(*(way.with_generated for way in ways)) - classes
    text = listed(modules=modules, classes=classes, classes_of_values_beside=generated)
    assert len(modules) <= MOST_MODULES, text
    assert len(classes) <= MOST_CLASSES, text


async def test_few_objects_hold_the_state_of_a_turn(subscribed):
    """One turn needs instances of no more classes of the relay than it did.

    Counted are classes of which each of three turns constructs an instance, or of which more
    instances live while it streams than before and after it.
    """
    looks = [await subscribed.looked_at() for _ in range(3)]
    built = set.intersection(*(way.built for way, _ in looks))
    living = set.intersection(*(living for _, living in looks))
    state = {name for name in living | built if name.startswith(RELAY)}
    text = listed(
        classes_of_state=state,
        alive_while_it_streams=state & living,
        alive_on_all_floors=living,
        constructed_on_all_floors=built,
    )
    assert state & living, text
    assert len(state) <= MOST_CLASSES_OF_STATE, text
