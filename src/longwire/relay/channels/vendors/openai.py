"""OpenAI, and who speaks as it does: nothing beyond the dialect."""

from collections.abc import Iterable
from importlib.metadata import version

from longwire.core.errors import LongwireError
from longwire.core.events import Event
from longwire.core.rules.turn import Scope, Turn
from longwire.dialects.codex.client import with_turn_state
from longwire.relay.channels.vendors.ports import NO_HEADERS, Beginning, Headers, Notice, Vendor
from longwire.upstream.ports import Call, Stream

_NOTHING = Beginning(NO_HEADERS)


class OpenAI:
    """A channel of the type `openai`."""

    __slots__ = ("headers",)
    handshake_headers = NO_HEADERS
    default_headers = NO_HEADERS
    takes_background = True
    lists_for_codex = False
    sends_notices = False

    def __init__(self) -> None:
        self.headers: Headers = {"user-agent": f"longwire/{version('longwire')}"}

    def adapt(self, turn: Turn) -> Turn:
        """Return the turn as it is."""
        return turn

    def address(
        self, call: Call, _scope: Scope | None, _headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call without the routing token that another upstream gave a Codex client."""
        del over_http
        turn = with_turn_state(call.turn, "")
        return call if turn is call.turn else Call(turn, call.key, call.headers, call.reason)

    def begin(self, _stream: Stream, _scope: Scope | None, _running: Iterable[Vendor]) -> Beginning:
        """Learn nothing."""
        return _NOTHING

    def observe(self, event: Event, _scope: Scope | None, _running: Iterable[Vendor]) -> Notice:
        """Learn nothing."""
        return Notice(event)

    def observe_handshake(self, headers: Headers) -> None:
        """Learn nothing."""

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn nothing."""
