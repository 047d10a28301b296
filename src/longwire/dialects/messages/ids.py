"""Ids that both sides can carry: of responses as messages, and of calls, told apart."""

import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections import Counter
from typing import Final

import msgspec

from longwire.dialects.names import shortened

_RESPONSE: Final = "resp_"
_MESSAGE: Final = "msg_"
_OTHER: Final = "msg_of."
_SAFE: Final = re.compile("[a-zA-Z0-9_-]+")
_SPELLED: Final = "lw_call_"
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_AGAIN: Final = re.compile(r"_again_[0-9]+$")


def message_id(response_id: str) -> str:
    """Return the id of the message that a response is."""
    if response_id.startswith(_RESPONSE):
        return _MESSAGE + response_id[len(_RESPONSE) :]
    return _OTHER + response_id


def response_id(message_id: str) -> str | None:
    """Return the id of the response that a message was; None for an id that is not ours."""
    if message_id.startswith(_OTHER):
        return message_id[len(_OTHER) :] or None
    if message_id.startswith(_MESSAGE) and message_id != _MESSAGE:
        return _RESPONSE + message_id[len(_MESSAGE) :]
    return None


class CallIds:
    """The ids of calls in one conversation, of which no two are the same to the client.

    Clients keep one of two calls with one id; `sent` is what they sent of it, as items.
    """

    __slots__ = ("_calls", "_sent")

    def __init__(self, sent: bytes = b"") -> None:
        self._sent = sent
        self._calls: Counter[str] = Counter()

    def unique(self, call_id: str) -> str:
        """Return the id that the client gets for the next call of this id."""
        self._calls[call_id] += 1
        written = b'{"type":"function_call","call_id":%b,' % msgspec.json.encode(call_id)
        count = self._calls[call_id] + self._sent.count(written)
        is_safe = _SAFE.fullmatch(call_id) and not call_id.startswith(_SPELLED)
        own = call_id if is_safe else _spelled(call_id)
        return own if count == 1 else f"{own}_again_{count}"


def upstream_call_id(call_id: str) -> str:
    """Return the id that a call has upstream."""
    if "_again_" in call_id:
        call_id = _AGAIN.sub("", call_id)
    if call_id.startswith(_SPELLED):
        call_id = _read(call_id)
    return shortened(call_id)


def _spelled(call_id: str) -> str:
    """Return an id in the letters that Anthropic takes: the next turn may be passed on there."""
    raw = call_id.encode("utf-8", "surrogatepass")
    return _SPELLED + urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(spelled: str) -> str:
    """Return what was spelled so, what is no such thing as it is."""
    try:
        raw = a2b_base64(spelled[len(_SPELLED) :].encode().translate(_STANDARD) + b"==")
        own = raw.decode("utf-8", "surrogatepass")
    except ValueError:
        return spelled
    return own if own and _spelled(own) == spelled else spelled
