"""Which channel has a stored response, for whom it was made."""

from dataclasses import dataclass

from longwire.core.errors import UnknownResponse
from longwire.core.rules.homes import held_key, owned_key
from longwire.core.rules.routing import RESPONSES
from longwire.core.rules.turn import Principal
from longwire.relay.channels.channel import Channel, RoutingTable
from longwire.relay.homes import Homes


@dataclass(frozen=True, slots=True)
class Holders:
    """Finds channels by what they hold."""

    routing: RoutingTable
    homes: Homes

    async def find(self, caller: Principal, response_id: str) -> Channel:
        """Return the channel that made a response for a caller.

        One that is nobody's can only be with the one channel that the caller may use, if there is
        no other. Raises `UnknownResponse`, also where it was made in an API that keeps none.
        """
        channels = {
            each.route_id: each
            for each in self.routing.snapshot.channels.values()
            if RESPONSES in each.by_api
            and each.route.is_enabled
            and caller.grant.allows_channel(each.id)
        }
        home = await self.homes.get(held_key(caller.scope, response_id))
        if home in channels:
            return channels[home]
        is_nobodys = home is None and await self.homes.get(owned_key(response_id)) is None
        if is_nobodys and len(channels) == 1:
            return next(iter(channels.values()))
        raise UnknownResponse(response_id)
