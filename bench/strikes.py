"""The upstream of the soak: faults that strike a chosen turn, and a witness of what arrived.

Law: what was sent on for one caller and session is never seen beside another's on one connection.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from longwire.emulator import Emulator, Fault
from longwire.emulator import Turn as Record
from longwire.emulator.cache import Caller
from longwire.emulator.faults import WEBSOCKET_ACTS
from longwire.emulator.options import Transport

MARKER = re.compile(r"mark-k\d+-c\d+-")
_OWNER = re.compile(r"-c\d+-")
EARLY = ("handshake", "before_create", "after_create")
"""Points before the first event; at the first two the emulator knows no turn yet."""
UNAIMED = EARLY[:2]
LATE = ("after_created", "mid_delta", "after_item", "before_terminal")
AFTER = ("after_terminal", "idle")
_HARMLESS = ("extra_event", "done_alias", "huge_event")
_REPLAYED_CODES = ("previous_response_not_found", "websocket_connection_limit_reached")
_SLOW = ("hang", "silence")
_ACTS = ("reset", "close", "error", "binary", "half", "extra_event", "huge_event", "slow_drip")
_STATUSES = (400, 401, 404, 426, 429, 500, 503)
_turn: ContextVar[int] = ContextVar("turn", default=0)


class Strikes:
    """Takes the place of the emulator's faults: each is aimed at one turn, and strikes it once.

    A fault at a point where the emulator does not know the turn yet strikes whoever comes: the
    turn it is meant for has to be alone then.
    """

    def __init__(self) -> None:
        self.aimed: dict[int, Fault] = {}
        self.unaimed: list[tuple[int, Fault]] = []
        self.struck: dict[int, Fault] = {}
        self.deaf = 0
        """Connections to which the upstream may not listen any more, so that it sees no end."""

    def take(self, point: str, transport: Transport, _key: str = "") -> Fault | None:
        """Return the fault that strikes here; see `longwire.emulator.faults.Faults`."""
        number, fault = _turn.get(), self.aimed.get(_turn.get())
        if point in UNAIMED:
            number, fault = self.unaimed[0] if self.unaimed else (0, None)
        skips = transport == "http" and fault is not None and fault.act in WEBSOCKET_ACTS
        if fault is None or fault.at != point or skips:
            return None
        self.aimed.pop(number, None)
        self.unaimed.clear()
        self.struck[number] = fault
        self.deaf += fault.act in _SLOW
        return fault

    def aim(self, number: int, fault: Fault) -> None:
        """Let a fault strike turn `number`."""
        if fault.at in UNAIMED:
            self.unaimed = [(number, fault)]
        else:
            self.aimed[number] = fault

    def forget(self, number: int) -> None:
        """Disarm what did not strike turn `number`; a fault after its end may still do so."""
        if number in self.aimed and self.aimed[number].at not in AFTER:
            del self.aimed[number]
        self.unaimed.clear()


class Witness:
    """Sees every request of one emulator: to whom it belongs, and whose words are in it."""

    def __init__(self, emulator: Emulator) -> None:
        self._note = emulator.journal.turn
        emulator.journal.turn = self._turn  # type: ignore[method-assign]
        self.records: dict[int, list[Record]] = defaultdict(list)
        self.owners: dict[int, set[str]] = defaultdict(set)
        self.leaks: list[str] = []

    def _turn(self, caller: Caller, size: int, body: dict[str, Any]) -> Record:
        record = self._note(caller, size, body)
        told: Mapping[str, str] = body.get("metadata") or {}
        number = int(told.get("turn", 0))
        _turn.set(number)
        self.records[number].append(record)
        if caller.transport == "websocket":
            self._watch(caller, told)
        words = json.dumps(body.get("input"))
        if foreign := foreign_words(words, told.get("conversation", "")):
            self.leaks.append(f"turn {number} of {told.get('owner')} was sent with {foreign}")
        return record

    def _watch(self, caller: Caller, told: Mapping[str, str]) -> None:
        owners = self.owners[caller.connection]
        owners.add(f"{told.get('owner')} {told.get('session')} {caller.fingerprint}")
        if len(owners) > 1:
            self.leaks.append(f"connection {caller.connection} carried {sorted(owners)}")


def foreign_words(text: str, conversation: str) -> set[str]:
    """Return the markers in a text that were planted in other conversations."""
    return {word for word in MARKER.findall(text) if _OWNER.findall(word) != [conversation]}


def fault(chance: random.Random, *, has_http: bool) -> Fault:
    """Draw a fault: any act at any point where the emulator knows it.

    A failed handshake makes the gateway use HTTP for a minute where it can: rare there.
    """
    kind = chance.random()
    point = chance.choice(EARLY if kind < 0.5 else LATE if kind < 0.85 else AFTER)  # noqa: PLR2004
    if point == "handshake" and has_http and chance.random() < 0.98:  # noqa: PLR2004
        point = "after_create"
    if point == "handshake":
        act = chance.choice(("refuse", "reset", "error", "error", "hang"))
        return Fault(at=point, act=act, status=chance.choice(_STATUSES))
    acts = (*_ACTS, "done_alias") if point == "before_terminal" else _ACTS
    act = chance.choice(_SLOW) if chance.random() < 0.06 else chance.choice(acts)  # noqa: PLR2004
    members: dict[str, Any] = {"size": chance.choice((20_000, 300_000))}
    if act == "close":
        members["code"] = chance.choice((None, 1000, 1001, 1009, 1011, 1012, 1013))
    if act == "error":
        members |= _error(chance)
    if act == "extra_event" and point in AFTER and chance.random() < 0.5:  # noqa: PLR2004
        members["event"] = {"type": "response.output_text.delta", "delta": "nobody's"}
    return Fault(at=point, act=act, **members)


def _error(chance: random.Random) -> dict[str, Any]:
    status = chance.choice(_STATUSES)
    code = chance.choice((*_REPLAYED_CODES, "server_error", "rate_limit_exceeded"))
    shape = chance.choice("abcdefghijk" if code not in _REPLAYED_CODES else "abcdef")
    return {"status": 400 if code in _REPLAYED_CODES else status, "code": code, "shape": shape}


def may_show(fault: Fault, *, has_http: bool, refers: bool) -> bool:
    """Whether a client may notice a fault: all before the first event is made good if it can be.

    `has_http`: the channel has HTTP to fall back on. `refers`: the turn names a response of its
    own, which a new connection may not know.
    """
    if fault.act == "slow_drip":
        return True  # it may take longer than the gateway's patience, and a pong may fall into it
    if fault.at in AFTER or fault.act in _HARMLESS:
        return False
    if fault.at in LATE:
        return True
    if refers:
        return True
    if fault.at == "handshake":
        is_answered = fault.act in ("refuse", "error") and fault.status not in (404, 426)
        return is_answered or not has_http
    return fault.act == "error" and fault.code not in _REPLAYED_CODES
