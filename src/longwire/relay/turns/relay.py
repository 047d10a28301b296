"""Where turns come in from the server's side."""

from collections.abc import Mapping

from longwire.core.rules.session import session_id
from longwire.core.rules.turn import Principal, Turn
from longwire.relay.request import TurnRequest
from longwire.relay.turns.running import RunningTurn, TurnContext


class Relay:
    """Sends turns upstream, each by the snapshot that the routing table has when it begins."""

    __slots__ = ("context",)

    def __init__(self, context: TurnContext) -> None:
        self.context = context

    def open(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str], request_id: str = ""
    ) -> RunningTurn:
        """Return a turn to be entered; `headers` are the caller's, with names in lower case."""
        context = self.context
        extra = context.routing.snapshot.session_headers
        session = session_id(headers, turn.session_hints, extra)
        started = context.accounting.clock()
        request = TurnRequest(turn, caller, session, request_id, headers, started)
        return RunningTurn(request, context)
