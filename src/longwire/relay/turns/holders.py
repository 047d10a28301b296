"""Which channel has a stored response, for whom it was made."""

from dataclasses import dataclass

from longwire.core.errors import UnknownResponse
from longwire.core.rules.routing import RESPONSES
from longwire.core.rules.turn import Principal
from longwire.relay.channels.channel import Channel, RoutingTable
from longwire.relay.homes import Homes, home_of_response


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
        home, is_anothers = await home_of_response(self.homes, caller.scope, response_id)
        if home in channels:
            return channels[home]
        if home is None and not is_anothers and len(channels) == 1:
            return next(iter(channels.values()))
        raise UnknownResponse(response_id)
