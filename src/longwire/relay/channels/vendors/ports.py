"""The port to what a channel type does beyond its dialect."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from longwire.core.errors import LongwireError
from longwire.core.rules.turn import Scope, Turn
from longwire.upstream.ports import Call, Stream

Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})


class Vendor(Protocol):
    """How one channel's upstream is spoken to, and what it tells beside its answers.

    `headers` go with every request, `handshake_headers` with those that open a WebSocket, and
    `default_headers` hold where the caller's own say nothing. `takes_background`: it takes turns
    that are answered before they are done. `lists_for_codex`: its model list is the one that Codex
    reads. `needs_credentials`: it answers nobody who brings none.
    """

    headers: Headers
    handshake_headers: Headers
    default_headers: Headers
    takes_background: bool
    lists_for_codex: bool
    needs_credentials: bool

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn as the upstream takes it, item by item: what was sent is a prefix of it."""

    def address(
        self, call: Call, scope: Scope | None, headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call as it goes out for a caller with these headers."""

    def observe(self, stream: Stream, scope: Scope | None, running: Iterable["Vendor"]) -> Stream:
        """Return a stream that learns from what the upstream tells beside its answer.

        Its `headers` are those that a client may see; `running` are the vendors of all channels.
        """

    def observe_handshake(self, headers: Headers) -> None:
        """Learn from the headers of a WebSocket's 101."""

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn from an error."""
