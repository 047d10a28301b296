"""The table of faults, played: what the client gets, and that its session goes on right after.

Law: after any fault the next turn is shown exactly its history, and the one after it continues.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from longwire.app import opening
from longwire.emulator import Emulator, Fault, IssuerOptions, Options, Script, digest
from tests.conftest import Gateway, serving
from tests.journeys import accounts
from tests.journeys.accounts import ADA
from tests.journeys.agent import user
from tests.journeys.conftest import (
    Clock,
    become,
    leased,
    set_clock,
    settings_of,
    websocket_channel,
)
from tests.journeys.faults import ROWS, Answered, Broken, Ended, Fate, Result, Row, Told

pytestmark = pytest.mark.table

PATIENT = {"first_event_timeout": "20s", "idle_event_timeout": "20s", "handshake_timeout": "10s"}
IMPATIENT = {**dict.fromkeys(PATIENT, "400ms"), "handshake_timeout": "1s"}
TERMINALS = ("response.completed", "response.incomplete", "response.cancelled", "response.failed")
SESSIONS = count(1)
MEMBERS = {"model": "gpt-5.5", "store": False, "include": ["reasoning.encrypted_content"]}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a client got: how it `ended` (a response's status, or `error`) and how it travelled."""

    ended: str
    code: str | None = None
    status: int = 200
    retry_after: str | None = None
    way: str = ""
    transport: str = ""
    output: tuple = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of turn: streamed or JSON, in a session that is known upstream or not."""

    streams: bool
    is_known: bool


KINDS = [Kind(*values) for values in product((True, False), repeat=2)]


@dataclass(slots=True)
class Stage:
    """An upstream, and a gateway for each transport, temper, and one with an account.

    `clock` is what they cool by.
    """

    emulator: Emulator
    http: aiohttp.ClientSession
    clock: Clock = field(default_factory=Clock)
    gateways: dict[tuple[str, bool, bool], Gateway] = field(default_factory=dict)


@dataclass(slots=True)
class Conversation:
    """A client of one session that asks over plain HTTP."""

    stage: Stage
    gateway: Gateway
    kind: Kind
    session: str
    history: list = field(default_factory=list)

    async def turn(self, script: Script | None = None) -> Heard:
        """Ask the next question; an answer that is none leaves no trace in the history."""
        asked = [*self.history, user(f"question {len(self.history)}")]
        body = {**MEMBERS, "input": asked, "stream": self.kind.streams}
        if script is not None:
            body["metadata"] = {"emulator": msgspec.json.encode(script).decode()}
        headers = {**self.gateway.headers, "session-id": self.session}
        url = f"{self.gateway.url}/v1/responses"
        async with self.stage.http.post(url, json=body, headers=headers) as reply:
            heard = heard_in(reply, await reply.read(), is_stream=self.kind.streams)
        if heard.ended in ("completed", "incomplete"):
            self.history = [*asked, *heard.output]
            assert digest(asked) == self.stage.emulator.turns[-1].digest
        return heard

    @property
    def live(self) -> int:
        """Count the connections of this session that may still be lent."""
        entries = self.gateway.app.pool.ledger.entries()
        return sum(entry.key.session == self.session for entry in entries)


def heard_in(reply: aiohttp.ClientResponse, content: bytes, *, is_stream: bool) -> Heard:
    """Read an answer; whatever it is, it is well formed."""
    if reply.status != 200:
        error = json.loads(content)["error"]
        assert {"message", "type", "param", "code"} <= set(error)
        return Heard("error", error["code"], reply.status, reply.headers.get("retry-after"))
    response = last_of(content) if is_stream else json.loads(content)
    return Heard(
        response["status"],
        (response.get("error") or {}).get("code"),
        way=" ".join(
            reply.headers[name]
            for name in ("x-longwire-continuity", "x-longwire-reason")
            if name in reply.headers
        ),
        transport=reply.headers["x-longwire-transport"],
        output=tuple(response.get("output") or ()),
    )


def last_of(content: bytes) -> dict:
    """Return the response of a stream's end: one terminal, and events numbered without gaps."""
    blocks = [block for block in content.split(b"\n\n") if block and not block.startswith(b":")]
    events = [json.loads(block.partition(b"\ndata: ")[2]) for block in blocks]
    assert [*range(len(events))] == [event["sequence_number"] for event in events]
    ends = [event for event in events if event["type"] in TERMINALS]
    assert [events[-1]] == ends
    return ends[0]["response"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages(tmp_path_factory) -> AsyncIterator[dict[Kind, Stage]]:
    """Everything that the whole table is played on, once for each kind of turn."""
    async with AsyncExitStack() as stack:
        yield {kind: await build(stack, tmp_path_factory.mktemp("stage")) for kind in KINDS}


async def build(stack: AsyncExitStack, folder: Path) -> Stage:
    """Start an upstream and its gateways; they end with `stack`."""
    options = Options(issuer=IssuerOptions(people=(ADA,)))
    emulator = await stack.enter_async_context(Emulator(options, Script(deltas=2)))
    made = Stage(emulator, await stack.enter_async_context(aiohttp.ClientSession()))
    for transport, waits in product(("websocket", "auto"), (False, True)):
        channel = websocket_channel(emulator.url, transport=transport)
        sessions = IMPATIENT if waits else PATIENT
        gateway = await stack.enter_async_context(
            serving(settings_of(emulator.url, channels=(channel,), sessions=sessions))
        )
        made.gateways[transport, waits, False] = gateway
    for transport in ("websocket", "auto"):
        own = folder / transport
        own.mkdir()
        gateway = await stack.enter_async_context(with_account(emulator, own, transport))
        made.gateways[transport, False, True] = gateway
    for gateway in made.gateways.values():
        set_clock(gateway.app.relay, made.clock)
        # An endpoint that has answered once is known to let frames through.
        first = Conversation(made, gateway, Kind(streams=False, is_known=False), "first")
        assert "completed" == (await first.turn()).ended
    return made


@asynccontextmanager
async def with_account(emulator: Emulator, folder: Path, transport: str) -> AsyncIterator[Gateway]:
    """A gateway whose channel speaks for an account."""
    settings = accounts.settings_of(emulator, folder, sessions=PATIENT)
    async with accounts.opened(settings) as store:
        await accounts.signed_in(store, emulator, ADA, transport=transport)
    async with serving(settings, opening(settings)) as gateway:
        yield gateway


def name_of(row: Row, fault: Fault | None) -> str:
    """Name a case shortly."""
    if fault is None:
        return row.what.strip("`")
    parts = (
        row.has_account and "account",
        fault.at,
        fault.act,
        fault.code,
        fault.status,
        fault.act == "error" and fault.shape,
    )
    return " ".join(str(part) for part in parts if part)


CASES = [
    pytest.param(row, fault, id=name_of(row, fault))
    for row in ROWS
    for fault in (row.faults or (None,))
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("transport", ["websocket", "auto"])
@pytest.mark.parametrize(("row", "fault"), CASES)
async def test_every_fault_has_its_row(stages, row, fault, transport):
    """Streamed or not, a first turn or a later one: the client gets what the table says."""
    result = row.auto if transport == "auto" else row.websocket
    async with asyncio.TaskGroup() as group:
        for kind, stage in stages.items():
            gateway = stage.gateways[transport, row.waits, row.has_account]
            talk = Conversation(stage, gateway, kind, f"s-{next(SESSIONS)}")
            group.create_task(play(talk, row, fault, result))


async def play(talk: Conversation, row: Row, fault: Fault | None, result: Result) -> None:
    """Let one session have its trouble, then two plain turns."""
    emulator = talk.stage.emulator
    opened, struck = emulator.counters.sockets_opened, emulator.faults.struck
    as_usual = await prepare(talk, row)
    if fault is not None:
        emulator.faults.add(fault)
    heard = await talk.turn(row.script if fault is None else None)
    wanted = expected(result, as_usual, streams=talk.kind.streams)
    assert (talk.kind, wanted) == (talk.kind, heard)
    await become(lambda: emulator.faults.struck == struck + (fault is not None))
    await become(lambda: talk.live == connections(row))
    talk.stage.clock.pass_by(86_400)
    turns = [await talk.turn(), await talk.turn()]
    ways, over = [row.after or as_usual, "continued"], "websocket"
    if row.stays_over_http and heard.transport == "http":
        ways, over = ["fresh http_transport"] * 2, "http"
    assert (talk.kind, ways) == (talk.kind, [turn.way for turn in turns])
    assert [("completed", over)] * 2 == [(turn.ended, turn.transport) for turn in turns]
    assert 2 >= emulator.counters.sockets_opened - opened
    await become(lambda: leased(talk.gateway) == 0)
    assert ([], []) == (emulator.violations, emulator.faults.armed)


async def prepare(talk: Conversation, row: Row) -> str:
    """Make a session known if it is to be; say how its next turn travels if nothing strikes."""
    if not talk.kind.is_known:
        return "fresh new_session"
    assert "fresh new_session" == (await talk.turn()).way
    if row.fate is not Fate.NEVER_OPENED:
        return "continued"
    talk.stage.emulator.drop_connections()
    await become(lambda: talk.live == 0)
    return "fresh connection_lost"


def expected(result: Result, as_usual: str, *, streams: bool) -> Heard:
    """Say what a client hears where the table names a result."""
    match result:
        case Answered(reason, transport):
            way = f"fresh {reason}" if reason else as_usual
            return Heard("completed", way=way, transport=transport)
        case Told(status, code, retry_after):
            return Heard("error", code, status, retry_after)
        case Broken(status, code) if not streams:
            return Heard("error", code, status)
        case Broken(_, code):
            return Heard("failed", code, way=as_usual, transport="websocket")
        case Ended(status, code):
            return Heard(status, code, way=as_usual, transport="websocket")


def connections(row: Row) -> int:
    """Count what a session has left: the connection that was struck, and the one after it."""
    return (row.fate in (Fate.REMEMBERS, Fate.FORGETS)) + row.is_sent_again


def test_the_table_names_every_act_at_every_point():
    """What the emulator can do to a turn, the table has a row for."""
    played = {(fault.at, fault.act) for row in ROWS for fault in row.faults}
    points = ("before_create", "after_create", "after_created", "mid_delta", "after_item")
    acts = ("close", "reset", "hang", "silence", "half", "binary", "error", "extra_event")
    wanted = set(product((*points, "before_terminal", "after_terminal"), (*acts, "huge_event")))
    assert set() == wanted - played
    assert {"refuse", "hang", "reset"} == {act for at, act in played if at == "handshake"}
