"""The issuer as each channel's accounts reach it: by the channel's proxy, with its trust."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from longwire.core.errors import AccountUnavailable, ConfigurationError
from longwire.core.nouns.channel import ChannelSpec
from longwire.upstream.net import tls
from longwire.upstream.oauth.egress import Egress
from longwire.upstream.oauth.issuer import Issuer, Registration

if TYPE_CHECKING:
    from longwire.store.channels import Channels


class Issuers:
    """Gives channels their issuer. `clock` tells ms since 1970 UTC."""

    def __init__(
        self, registration: Registration, clock: Callable[[], int], channels: "Channels"
    ) -> None:
        self.registration = registration
        self._clock = clock
        self._channels = channels

    async def of(self, channel_id: str) -> Issuer:
        """Return the issuer as a channel reaches it now.

        Raises `NotFound` for the channel, `AccountUnavailable` for a CA file that cannot be used.
        """
        spec = await self._channels.get(channel_id)
        try:
            egress = await _egress(spec)
        except ConfigurationError as error:
            raise AccountUnavailable(f"The channel '{spec.name}': {error}.") from None
        return Issuer(self.registration, self._clock, egress)


async def _egress(spec: ChannelSpec) -> Egress:
    trust = None
    if spec.tls_ca or not spec.tls_verify:
        trust = await asyncio.to_thread(tls.context, spec.tls_ca or None, spec.tls_verify)
    return Egress(spec.proxy.reveal() or None, trust)
