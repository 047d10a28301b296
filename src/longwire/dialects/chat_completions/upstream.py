"""Chat Completions as its upstreams take it."""

from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions import passing
from longwire.dialects.chat_completions.call import call_of
from longwire.dialects.ports import Headers, Terms, UpstreamCall


class ChatUpstream:
    """An upstream of Chat Completions; stateless."""

    def translate(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn. Raises `Unsayable` for what cannot be said."""
        return call_of(turn, terms)

    def pass_on(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Pass the body of a client of this API on."""
        return passing.pass_on(turn, terms.profile)
