"""OpenAI, and who speaks as it does: nothing beyond the dialect, but for ids of other vendors.

Some check how the id of an item begins, some take any. Which kind an upstream is, its refusal says.
What is seen of a key's rates sends new sessions elsewhere, and refuses none: they fill up again.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version

from longwire.core.errors import LongwireError, UpstreamRejected
from longwire.core.events import Event
from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.turn import Scope, Turn
from longwire.dialects.codex.client import with_turn_state
from longwire.dialects.ports import NO_HEADERS, Headers
from longwire.dialects.rate_headers import decode_rates
from longwire.dialects.responses.errors import trouble_of
from longwire.dialects.responses.item_ids import without_foreign_ids
from longwire.relay.channels.vendors.ports import Beginning, Notice, Vendor
from longwire.upstream.ports import Call, Stream

_NOTHING = Beginning(NO_HEADERS)


class OpenAI:
    """A channel of the type `openai`; what is left of the rates of its key goes to a `quota`."""

    __slots__ = ("_checks_ids", "_quota", "headers")
    handshake_headers = NO_HEADERS
    default_headers = NO_HEADERS
    takes_background = True
    lists_for_codex = False
    sends_notices = False

    def __init__(self, quota: QuotaTracker | None = None) -> None:
        self.headers: Headers = {"user-agent": f"longwire/{version('longwire')}"}
        self._checks_ids = False
        self._quota = quota

    def refusal(self, _turn: Turn) -> None:
        """Refuse nothing."""

    def adapt(self, turn: Turn) -> Turn:
        """Return the turn as it is."""
        return turn

    def address(
        self, call: Call, _scope: Scope | None, _headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call without what other vendors gave a client: a routing token, ids."""
        del over_http
        turn = with_turn_state(call.turn, "")
        if turn is call.turn and not self._checks_ids:
            return call
        adapt_input = without_foreign_ids if self._checks_ids else None
        return replace(call, turn=turn, adapt_input=adapt_input)

    def begin(self, stream: Stream, _scope: Scope | None, _running: Iterable[Vendor]) -> Beginning:
        """Learn of the rates; the headers of a WebSocket's handshake are learned of once."""
        if self._quota is not None and stream.delivery.transport != "websocket":
            self.observe_handshake(stream.headers)
        return _NOTHING

    def observe(self, event: Event, _scope: Scope | None, _running: Iterable[Vendor]) -> Notice:
        """Learn nothing."""
        return Notice(event)

    def observe_handshake(self, headers: Headers) -> None:
        """Learn of the rates."""
        if self._quota is not None and (rates := decode_rates(headers, time.time())) is not None:
            self._quota.observe(rates)

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn that it checks ids, from its refusal of one, and of the rates."""
        if not isinstance(failure, UpstreamRejected):
            return
        if trouble_of(failure) is Trouble.FOREIGN_ID:
            self._checks_ids = True
        self.observe_handshake(failure.headers)
