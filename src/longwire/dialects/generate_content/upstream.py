"""Gemini's `generateContent` as an API of upstreams."""

from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content import passing
from longwire.dialects.generate_content.call import call_of
from longwire.dialects.ports import Headers, Terms, UpstreamCall


class GenerateContentUpstream:
    """Says turns of any client's in Gemini's own API."""

    def translate(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn. Raises `InvalidRequest` for what cannot be said."""
        return call_of(turn, terms)

    def pass_on(self, turn: Turn, _headers: Headers, _terms: Terms) -> UpstreamCall:
        """Pass the body of a client of this API on."""
        return passing.pass_on(turn)
