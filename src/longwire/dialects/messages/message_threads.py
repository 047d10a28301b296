"""A turn as part of a message thread: Anthropic keeps the conversation, and gets what is new.

Law: a thread goes on with messages of the user alone; what it was created with stays as it was. So
a turn that brings tools, or words of the assistant that Anthropic has not said, is sent in full.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from longwire.core.errors import UpstreamRejected
from longwire.core.rules.continuity import Continue
from longwire.core.rules.threads import ThreadFault
from longwire.dialects.messages.call import Request, body_of
from longwire.dialects.messages.marks import with_marks_in_thread
from longwire.dialects.messages.reading import RESPONSE
from longwire.dialects.ports import Fallback, Reading, UpstreamCall

_VERSION: Final = {"anthropic-version": "2023-06-01"}
THREADS_BETA: Final = "message-threads-2026-08-12"
_KEPT: Final = frozenset({"system", "tools"})
"""What a thread has from its beginning."""

_CREATE: Final = b'{"type":"create"}'
_UNSUPPORTED: Final = "thread_unsupported_request"
_GONE: Final = frozenset(
    ["thread_not_found", "thread_already_continued", "thread_continue_in_flight"]
)
_OF_THREADS: Final = (400, 404, 409)
_UNKNOWN: Final = "thread: Extra inputs"
_ABOUT: Final = "thread"


def headers_of(betas: Sequence[str]) -> dict[str, str]:
    """Return the headers of a request that needs these betas."""
    return {**_VERSION, "anthropic-beta": ",".join(betas)} if betas else _VERSION


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    message: str = ""
    details: _Details | None = None


class _Envelope(msgspec.Struct):
    error: _Error


_decode: Final = msgspec.json.Decoder(_Envelope).decode


class MessageThread:
    """One request, as what begins a thread and as what goes on with it."""

    __slots__ = ("_reading", "_request")

    def __init__(self, request: Request, reading: Callable[[Fallback], Reading]) -> None:
        self._request = request
        self._reading = reading

    def begin(self) -> UpstreamCall:
        """Say all of the turn, as the beginning of a thread."""
        request = self._request
        members = {**request.members, "thread": _CREATE}
        return self._call(body_of(members, request.messages))

    def go_on(self, decision: Continue) -> UpstreamCall | None:
        """Say what is new of the turn; None where a thread cannot take it."""
        request, start = self._request, decision.start
        if not decision.chain.sent <= request.answered < start or request.equipped >= start:
            return None
        messages = request.messages
        roles = [message.role for message in messages]
        last = len(roles) - 1 - roles[::-1].index("assistant")
        members = {name: raw for name, raw in request.members.items() if name not in _KEPT}
        previous = decision.chain.response_id.removeprefix(RESPONSE)
        members["thread"] = b'{"type":"continue","previous_message_id":%b}' % (
            msgspec.json.encode(previous)
        )
        new = with_marks_in_thread(messages[last + 1 :])
        return self._call(body_of(members, new))

    def _call(self, body: bytes) -> UpstreamCall:
        request = self._request
        headers = headers_of((*request.betas, THREADS_BETA))
        return UpstreamCall(body, self._reading, headers=headers, dropped=request.dropped)

    def fault(self, rejection: UpstreamRejected) -> ThreadFault | None:
        """Return what an error says of the thread; None where it is about something else."""
        if rejection.status not in _OF_THREADS:
            return None
        try:
            error = _decode(rejection.body).error
        except msgspec.MsgspecError:
            return None
        code = error.details.error_code if error.details is not None else None
        if code == _UNSUPPORTED or error.message.startswith(_UNKNOWN):
            return ThreadFault.UNSUPPORTED
        if code in _GONE or error.message.startswith(_ABOUT):
            return ThreadFault.GONE
        return None
