"""OpenAI, and who speaks as it does: nothing beyond the dialect."""

from collections.abc import Iterable
from importlib.metadata import version

from longwire.core.errors import LongwireError
from longwire.core.rules.turn import Scope, Turn
from longwire.dialects.codex.rules import with_turn_state
from longwire.relay.channels.vendors.ports import NO_HEADERS, Headers, Vendor
from longwire.upstream.ports import Call, Stream


class OpenAI:
    """A channel of the type `openai`."""

    __slots__ = ("headers",)
    handshake_headers = NO_HEADERS
    default_headers = NO_HEADERS
    takes_background = True
    lists_for_codex = False
    needs_credentials = False

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

    def observe(self, stream: Stream, _scope: Scope | None, _running: Iterable[Vendor]) -> Stream:
        """Return the stream as it is."""
        return stream

    def observe_handshake(self, headers: Headers) -> None:
        """Learn nothing."""

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn nothing."""
