"""Faults on demand: at which point of a turn or connection the emulator does what.

Law: a fault strikes `times` times after letting `skip` chances pass, in the order of arming.
"""

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from longwire.emulator.errors import Rejected
from longwire.emulator.events import plain
from longwire.emulator.options import Size, Transport
from longwire.emulator.wire import BINARY, Outlet, frame

Point = Literal[
    "handshake", "before_create", "after_create", "after_created", "mid_delta",
    "after_item", "before_terminal", "after_terminal", "idle", "models", "count",
]  # fmt: skip
Act = Literal[
    "refuse", "hang", "reset", "close", "error", "binary", "half", "extra_event",
    "done_alias", "slow_drip", "huge_event", "silence", "raw",
]  # fmt: skip
BEFORE_ANY_ANSWER = ("handshake", "models", "count")
AT_HANDSHAKE = ("refuse", "hang", "reset", "error")
WEBSOCKET_ACTS = ("binary", "silence")
HTTP_ACTS = ("raw",)
DISTURBING = ("binary", "extra_event", "huge_event", "slow_drip", "done_alias", "raw")


class Fault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault; `times=0` strikes for ever. `code` is the close code or the error's code.

    With a `key` it strikes those alone who call with it.
    """

    at: Point
    act: Act
    times: Size = 1
    skip: Size = 0
    route: Transport | None = None
    key: str | None = None
    after_ms: Size = 0
    code: int | str | None = None
    status: int | None = None
    message: str | None = None
    headers: dict[str, str] = {}
    body: str | dict[str, Any] | None = None
    shape: Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] = "a"
    event: dict[str, Any] | None = None
    size: Size = 20 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.at in BEFORE_ANY_ANSWER and self.act not in AT_HANDSHAKE:
            raise ValueError(f"act: {self.act} does not work at {self.at}")
        if self.at not in BEFORE_ANY_ANSWER and self.act == "refuse":
            raise ValueError("act: refuse works at handshake, models and count only")
        if self.act == "done_alias" and self.at != "before_terminal":
            raise ValueError("act: done_alias works at before_terminal only")
        if self.act == "close" and isinstance(self.code, str) and not self.code.isdecimal():
            raise ValueError("code: a close code is a number")

    def error_frame(self) -> dict[str, Any]:
        """The error in one of the shapes seen in the wild, lettered as in the reference page."""
        code, message = str(self.code or "server_error"), self.message or "An injected error."
        status, kind = self.status or 500, "server_error"
        error = self.body or {"type": kind, "code": code, "message": message, "param": None}
        nested = {"type": "error", "status": status, "error": error}
        flat = {"type": "error", "code": code, "message": message}
        failure = {"id": "resp_injected", "object": "response", "status": "failed"}
        cause = {"error": {"code": code, "message": message}}
        shapes: dict[str, dict[str, Any]] = {
            "a": nested | ({"headers": self.headers} if self.headers else {}),
            "b": {"type": "error", "status_code": status, "error": error},
            "c": nested | {"headers": self.headers or {"retry-after": "1"}},
            "d": {"type": "error", "error": error},
            "e": flat | {"param": None, "sequence_number": 0},
            "f": flat | {"error_type": kind, "status_code": status},
            "g": {"type": "response.failed", "response": failure | cause},
            "h": nested | {"error": {"detail": message}},
            "i": nested | {"error": {"type": kind, "message": message}},
            "j": nested | {"error": {"type": code, "message": message}},
            "k": {"type": "response.error", "error": error},
        }
        return shapes[self.shape]

    def refusal(self) -> Rejected:
        """The same as an HTTP answer."""
        error = Rejected(self.message or "An injected error.", violation=False)
        error.status, error.headers = self.status or 500, dict(self.headers)
        own = {"code": self.code or "server_error", "type": "server_error"}
        error.error = self.body if isinstance(self.body, dict) else error.error | own
        return error


@dataclass(slots=True)
class Armed:
    """A fault and what is left of it."""

    fault: Fault
    skip: int
    times: float


@dataclass(slots=True)
class Faults:
    """The armed faults, and how often any of them struck."""

    armed: list[Armed] = field(default_factory=list)
    struck: int = 0

    def add(self, *faults: Fault) -> None:
        """Arm faults behind those that are armed already."""
        self.armed += [Armed(fault, fault.skip, fault.times or math.inf) for fault in faults]

    def clear(self) -> None:
        """Disarm all."""
        self.armed.clear()

    def take(self, point: Point, transport: Transport, key: str = "") -> Fault | None:
        """The fault that strikes who calls with a key at this point now, if any."""
        for armed in self.armed:
            if armed.fault.at != point or armed.fault.route not in (None, transport):
                continue
            if armed.fault.key not in (None, key):
                continue
            if armed.fault.act in (WEBSOCKET_ACTS if transport == "http" else HTTP_ACTS):
                continue
            if armed.skip:
                armed.skip -= 1
                continue
            armed.times -= 1
            if armed.times <= 0:
                self.armed.remove(armed)
            self.struck += 1
            return armed.fault
        return None


def parsed(text: str) -> Fault:
    """A fault from `at=mid_delta,act=close,code=1000`; raises ValueError naming the field."""
    pairs = [pair.partition("=")[::2] for pair in text.split(",")]
    return msgspec.convert({key.strip(): value for key, value in pairs}, Fault, strict=False)


def key_of(request: web.Request) -> str:
    """The key that a request came with, in the header of whatever API."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    names = ("x-api-key", "x-goog-api-key")
    return bearer or next((request.headers[name] for name in names if name in request.headers), "")


class Cut(Exception):
    """A fault ended the connection."""


class Spoiled(Exception):
    """A fault ended the turn with an error; the connection lives on."""


async def strike(faults: Faults, point: Point, outlet: Outlet) -> Fault | None:
    """Let the fault armed for this point do its work; returns it if the turn goes on.

    Raises Cut when the connection is gone, Spoiled when the turn has ended, and Rejected when
    nothing was sent yet over HTTP, so that the error can be an HTTP answer.
    """
    fault = faults.take(point, outlet.transport, key_of(outlet.request))
    if fault is None:
        return None
    await outlet.flush()
    await asyncio.sleep(fault.after_ms / 1000)
    if fault.act in DISTURBING:
        await disturb(fault, outlet)
    else:
        await end(fault, outlet)
    return fault


async def disturb(fault: Fault, outlet: Outlet) -> None:
    """The acts after which the turn goes on."""
    match fault.act:
        case "binary":
            await outlet.raw(frame(BINARY, b'{"type":"response.emulator.binary"}'))
        case "extra_event":
            await outlet.send(plain(fault.event or {"type": "codex.emulator.extra"}))
        case "huge_event":
            padding = {"type": "response.emulator.padding", "padding": "x" * fault.size}
            await outlet.send(plain(padding))
        case "slow_drip":
            outlet.drips = True
        case "raw":
            await outlet.raw(str(fault.body).encode())
        case _:  # the turn itself sends the terminal's alias
            return


def error_event(fault: Fault, outlet: Outlet) -> dict[str, Any]:
    """The error as the API of the turn says it once an answer is under way."""
    if outlet.error is not None:
        return outlet.error(fault.refusal())
    shape = fault if outlet.transport == "websocket" else replace(fault, shape="e")
    return shape.error_frame()


async def end(fault: Fault, outlet: Outlet) -> None:
    """The acts that end the turn or its connection; always raises, or waits for ever."""
    match fault.act:
        case "half":
            content = outlet.encode(plain(error_event(fault, outlet)))
            await outlet.raw(content[: len(content) // 2])
            outlet.reset()
        case "close":
            await outlet.close(None if fault.code is None else int(fault.code))
        case "error":
            if outlet.transport == "http" and not outlet.started and fault.event is None:
                raise fault.refusal()
            await outlet.send(plain(fault.event or error_event(fault, outlet)))
            await outlet.flush()
            raise Spoiled
        case "hang" | "silence":
            if fault.act == "silence":
                outlet.pause()
            await asyncio.Event().wait()
        case _:
            outlet.reset()
    raise Cut
