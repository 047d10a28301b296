"""Anthropic's Messages API as its upstreams take it."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.messages import passing
from longwire.dialects.messages.call import request_of
from longwire.dialects.messages.message_threads import MessageThread, headers_of
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.ports import Headers, Terms, UpstreamCall

_COUNT: Final = "/count_tokens"
_ECHOED: Final = (
    ("instructions", b"null"),
    ("max_output_tokens", b"null"),
    ("metadata", b"{}"),
    ("parallel_tool_calls", b"true"),
    ("previous_response_id", b"null"),
    ("reasoning", b'{"effort":null,"summary":null}'),
    ("store", b"false"),
    ("temperature", b"null"),
    ("text", b'{"format":{"type":"text"}}'),
    ("tool_choice", b'"auto"'),
    ("tools", b"[]"),
    ("top_p", b"null"),
    ("truncation", b'"disabled"'),
)
"""What a response repeats of its request, with what stands where that says nothing."""

_LARGE: Final = frozenset({"instructions", "tools"})
"""What a response would repeat three times for nobody."""


class MessagesUpstream:
    """Says turns in the Messages API; stateless."""

    def translate(self, turn: Turn, _headers: Headers, terms: Terms) -> UpstreamCall:
        """Say a turn in this API. Raises `Unsayable` for what cannot be said."""
        request, is_count = request_of(turn, terms), turn.purpose is Purpose.COUNT
        reading = partial(MessagesReading, tools=request.tools, echo=_echo(turn.members))
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


def _echo(members: Mapping[str, bytes]) -> bytes:
    said = [
        b',"%b":%b' % (name.encode(), default if name in _LARGE else members.get(name, default))
        for name, default in _ECHOED
    ]
    return b"".join(said)
