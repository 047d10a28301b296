"""Items of an input as they are read to be said in another API, whatever their type."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects import client_tools
from longwire.dialects.client_tools import FOUND
from longwire.dialects.fields import invalid
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.seals import Seal, opened


class _Summary(msgspec.Struct, gc=False):
    text: Raw = NULL


class Item(msgspec.Struct, gc=False):
    """What is read of one item; texts stay raw."""

    type: str | None = None
    role: str | None = None
    content: Raw = NULL
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Raw = NULL
    input: Raw = NULL
    action: Raw = NULL
    operation: Raw = NULL
    output: Raw = NULL
    tools: Raw = NULL
    summary: Sequence[_Summary] | None = None
    encrypted_content: str | None = None
    reasoning: Raw = NULL
    text: Raw = NULL

    @property
    def kind(self) -> str:
        """Its type; a message may leave it out."""
        return self.type or "message"

    @property
    def own_id(self) -> str:
        """What its call is known by."""
        return self.call_id or self.id or ""

    @property
    def is_trace(self) -> bool:
        """Whether it is a trace of what another upstream ran."""
        return client_tools.is_trace(self.kind, has_call_id=bool(self.call_id))

    @property
    def returned(self) -> Raw:
        """What a call has returned."""
        return self.tools if self.type == FOUND else self.output

    @property
    def seal(self) -> Seal:
        """What its issuer alone can read."""
        return opened(self.encrypted_content or "")

    @property
    def thoughts(self) -> bytes:
        """The summary of reasoning, as raw JSON."""
        texts = [bytes(part.text) for part in self.summary or ()]
        return b'"%b"' % b"".join([text[1:-1] for text in texts if text[:1] == b'"'])


ROLES: Final = ("system", "developer", "user", "assistant")
SILENT: Final = "says nothing that this upstream can be told: send a message that has a content"
"""What is wrong with an input, or a last word, of which nothing is left."""


def unknown_role(path: str) -> InvalidRequest:
    """Return the error of a message at a path that nobody known has said."""
    return invalid(f"{path}.role", f"must be one of {', '.join(ROLES)}")


decode_items: Final = tolerant(msgspec.json.Decoder(list[Item]).decode)
