"""Anthropic's Messages API as its upstreams take it."""

from functools import partial
from typing import Final

from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.messages import passing
from longwire.dialects.messages.call import request_of
from longwire.dialects.messages.message_threads import MessageThread, headers_of
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.ports import Headers, Terms, UpstreamCall
from longwire.dialects.responses.output import echo_of

_COUNT: Final = "/count_tokens"


class MessagesUpstream:
    """Says turns in the Messages API; stateless."""

    def translate(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn in this API. Raises `Unsayable` for what cannot be said."""
        request, is_count = request_of(turn, terms), turn.purpose is Purpose.COUNT
        reading = partial(MessagesReading, tools=request.tools, echo=echo_of(turn.members))
        return UpstreamCall(
            body=request.body,
            reading=reading,
            suffix=_COUNT if is_count else "",
            headers=headers_of(request.betas),
            dropped=request.dropped,
            thread=None if is_count else MessageThread(request, reading),
        )

    def pass_on(self, turn: Turn, headers: Headers, _terms: Terms) -> UpstreamCall:
        """Pass the body of a client of this API on."""
        return passing.pass_on(turn, headers)
