"""What the settings of a gateway ask of the balancer before it."""

import math
from collections.abc import Sequence
from typing import Final

from longwire.balancers.configuration import Node, Site
from longwire.settings import Settings

_MARGIN: Final = 60
_HOUR: Final = 3600


def site_of(settings: Settings, nodes: Sequence[Node]) -> Site:
    """Return what stands before nodes with these settings; it waits longer than they do."""
    server, sessions = settings.server, settings.sessions
    return Site(
        nodes,
        head=math.ceil(server.head_timeout),
        silence=round(max(sessions.first_event_timeout, sessions.idle_event_timeout)) + _MARGIN,
        tunnel=round(server.websocket_idle) + _HOUR,
        body=server.max_body,
        headers=sessions.session_headers,
    )
