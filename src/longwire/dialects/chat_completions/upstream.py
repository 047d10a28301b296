"""Chat Completions as the API of an upstream."""

from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.call import call_of
from longwire.dialects.ports import Headers, Terms, UpstreamCall


class ChatUpstream:
    """Says turns in Chat Completions."""

    def translate(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn. Raises `InvalidRequest` for what cannot be said."""
        return call_of(turn, terms)
