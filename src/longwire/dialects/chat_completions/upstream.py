"""Chat Completions as its upstreams take it."""

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions import passing
from longwire.dialects.ports import Headers, Terms, UpstreamCall


class ChatUpstream:
    """An upstream of Chat Completions."""

    def translate(self, turn: Turn, _headers: Headers, _terms: Terms) -> UpstreamCall:
        """Say a turn of another API in this one. Raises `InvalidRequest`."""
        msg = f"A request of '{turn.source.api}' is not said in this API; ask another model."
        raise InvalidRequest(msg, param="model")

    def pass_on(self, turn: Turn, _headers: Headers, _terms: Terms) -> UpstreamCall:
        """Pass the body of a client of this API on."""
        return passing.pass_on(turn)
