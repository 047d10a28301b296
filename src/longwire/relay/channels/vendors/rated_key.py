"""One of several keys of an upstream: the vendor learns how much of the key's rates is used.

Law: a rate fills up again all the time, so what is seen of it sends new sessions elsewhere, and
refuses none: that is the upstream's to say.
"""

import time
from collections.abc import Iterable

from longwire.core.errors import LongwireError, UpstreamRejected
from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.turn import Scope
from longwire.dialects.ports import Headers
from longwire.dialects.rate_headers import decode_rates
from longwire.relay.channels.vendors.openai import OpenAI
from longwire.relay.channels.vendors.ports import Beginning, Vendor
from longwire.upstream.ports import Stream


class RatedKey(OpenAI):
    """A channel that runs for one of its keys."""

    __slots__ = ("_quota",)

    def __init__(self, quota: QuotaTracker) -> None:
        super().__init__()
        self._quota = quota

    def begin(self, stream: Stream, scope: Scope | None, running: Iterable[Vendor]) -> Beginning:
        """Learn of the rates; the headers of a WebSocket's handshake are learned of once."""
        if stream.delivery.transport != "websocket":
            self._learn(stream.headers)
        return super().begin(stream, scope, running)

    def observe_handshake(self, headers: Headers) -> None:
        """Learn of the rates."""
        self._learn(headers)

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn of the rates from what an error says of them."""
        super().observe_failure(failure)
        if isinstance(failure, UpstreamRejected):
            self._learn(failure.headers)

    def _learn(self, headers: Headers) -> None:
        rates = decode_rates(headers, time.time())
        if rates is not None:
            self._quota.observe(rates)
