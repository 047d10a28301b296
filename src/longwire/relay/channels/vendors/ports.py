"""The port to what a channel type does beyond its dialect."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from longwire.core.errors import InvalidRequest, LongwireError
from longwire.core.events import Event
from longwire.core.rules.turn import Scope, Turn
from longwire.dialects.ports import NO_HEADERS, Headers
from longwire.upstream.ports import Call, Stream


class Beginning(NamedTuple):
    """What an answer begins with beside its events: headers a client may see, and notices."""

    headers: Headers
    notices: tuple[Event, ...] = ()


class Notice(NamedTuple):
    """A notice as a client may see it, and the headers that it brings beside those so far."""

    event: Event
    headers: Headers = NO_HEADERS


class Vendor(Protocol):
    """How one channel's upstream is spoken to, and what it tells beside its answers.

    `headers` go with every request, `handshake_headers` with those that open a WebSocket, and
    `default_headers` hold where the caller's own say nothing. `takes_background`: it takes turns
    that are answered before they are done. `lists_for_codex`: its model list is the one that Codex
    reads. `sends_notices`: its streams have events beside those of the dialect, from which it
    learns.
    """

    headers: Headers
    handshake_headers: Headers
    default_headers: Headers
    takes_background: bool
    lists_for_codex: bool
    sends_notices: bool

    def refusal(self, turn: Turn) -> InvalidRequest | None:
        """Return why the upstream can never answer a turn, None if it may."""

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn as the upstream takes it, item by item: what was sent is a prefix of it."""

    def address(
        self, call: Call, scope: Scope | None, headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call as it goes out for a caller with these headers."""

    def begin(self, stream: Stream, scope: Scope | None, running: Iterable["Vendor"]) -> Beginning:
        """Learn from the headers of an answer; `running` are the vendors of all channels."""

    def observe(self, event: Event, scope: Scope | None, running: Iterable["Vendor"]) -> Notice:
        """Learn from a notice."""

    def observe_handshake(self, headers: Headers) -> None:
        """Learn from the headers of a WebSocket's 101."""

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn from an error."""
