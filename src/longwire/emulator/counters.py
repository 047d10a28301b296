"""What happened: counters, the clients' violations and the recent turns."""

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from longwire.emulator.cache import Caller


class Counters(Struct, kw_only=True):
    """Totals since the start or the last reset. Bytes are payload bytes without framing."""

    sockets_opened: int = 0
    sockets_closed: int = 0
    sockets_open: int = 0
    sockets_peak: int = 0
    handshakes_refused: int = 0
    http_requests: int = 0
    compactions: int = 0
    creates: int = 0
    creates_full: int = 0
    creates_continued: int = 0
    creates_warm_up: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    items_in: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    not_found: int = 0
    in_flight_peak: int = 0
    cancelled: int = 0
    faults: int = 0

    def snapshot(self) -> dict[str, int]:
        """A copy by name."""
        return msgspec.structs.asdict(self)

    def socket_opened(self) -> None:
        """One more WebSocket."""
        self.sockets_opened += 1
        self.sockets_open += 1
        self.sockets_peak = max(self.sockets_peak, self.sockets_open)

    def socket_closed(self) -> None:
        """One WebSocket less."""
        self.sockets_closed += 1
        self.sockets_open -= 1


class Turn(Struct, kw_only=True):
    """One `response.create` or POST.

    `status` is that of the response, `error:<code>`, `cut` or `spoiled` by a fault, `cancelled` by
    the client, or `unfinished` when the script left the terminal out. `thoughts` counts what came
    back and the digest leaves out: thinking of Messages, messages of Chat Completions with
    reasoning, signatures of Gemini.
    """

    number: int
    api: str = "responses"
    transport: str
    route: str
    connection: int
    fingerprint: str
    bytes_in: int
    lane: str | None = None
    model: str = ""
    store: bool = True
    warm_up: bool = False
    previous_response_id: str | None = None
    response_id: str | None = None
    items_in: int = 0
    items_rendered: int = 0
    continued: bool = False
    input_tokens: int = 0
    cached_tokens: int = 0
    thoughts: int = 0
    digest: str = ""
    status: str = "in_progress"

    def line(self) -> str:
        """The turn in one line for people."""
        lane = f"/{self.lane}" if self.lane else ""
        way = "continued" if self.continued else "full"
        return (
            f"{self.number} {self.transport}#{self.connection}{lane} {way} {self.status}:"
            f" {self.bytes_in} bytes, {self.items_in} of {self.items_rendered} items,"
            f" {self.cached_tokens} of {self.input_tokens} tokens cached"
        )


class Journal:
    """The counters, violations and turns of one emulator."""

    def __init__(self, recent_turns: int, on_turn: Callable[[str], object] | None) -> None:
        self.on_turn = on_turn
        self.counters = Counters()
        self.violations: list[str] = []
        self.number = 0
        self.turns: deque[Turn] = deque(maxlen=recent_turns)

    def reset(self) -> None:
        """Forget what happened; sockets that are open now stay counted."""
        fresh = Counters(sockets_open=self.counters.sockets_open)
        for name, value in fresh.snapshot().items():
            setattr(self.counters, name, value)
        self.violations.clear()
        self.turns.clear()

    def violation(self, where: str, message: str, content: bytes = b"") -> None:
        """Something a correct client would never send, with the start of what it sent."""
        excerpt = content[:300].decode("utf-8", "backslashreplace")
        self.violations.append(f"{where}: {message}" + (f" | {excerpt}" if excerpt else ""))

    def sent(self, size: int) -> None:
        """Payload bytes that left."""
        self.counters.bytes_out += size

    def finished(self, turn: Turn) -> None:
        """Tell the line of a turn that has ended to whoever listens."""
        if self.on_turn is not None:
            self.on_turn(turn.line())

    def turn(self, caller: Caller, size: int, body: dict[str, Any]) -> Turn:
        """Begin the record of one turn."""
        self.number += 1
        self.counters.creates += 1
        lane, previous = body.get("stream_id"), body.get("previous_response_id")
        items = body.get("input")
        turn = Turn(
            number=self.number,
            api=caller.api,
            transport=caller.transport,
            route=caller.route,
            connection=caller.connection,
            fingerprint=caller.fingerprint,
            bytes_in=size,
            lane=lane if isinstance(lane, str) else None,
            model=str(body.get("model") or ""),
            store=body.get("store") is not False,
            warm_up=body.get("generate") is False,
            previous_response_id=previous if isinstance(previous, str) else None,
            items_in=len(items) if isinstance(items, list) else int(items is not None),
        )
        self.turns.append(turn)
        return turn
