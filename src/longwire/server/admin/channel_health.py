"""How a channel does, in the admin API: whether turns go there, and why, since and until not."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import strawberry

from longwire.core.nouns.access import PERMISSIONS, Permission
from longwire.core.rules.health import Rest
from longwire.relay.records.last_failures import ChannelFailure as Failure
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import view_of
from longwire.server.admin.scalars import milliseconds_of, time_of, time_or_none
from longwire.server.admin.sight import Sight, sight_of
from longwire.server.fleet_health import Fare, Resting, Trust, worst
from longwire.store.turn_filter import TurnFilter

_NOTHING: Final = Sight(())


class _Sees(NamedTuple):
    """What somebody sees of a failure: the upstream's words, and the turns of some keys."""

    messages: bool
    sight: Sight


strawberry.enum(
    Trust, description="Whether turns go there: after failures it rests, then is tried."
)
strawberry.enum(
    Rest,
    name="RestReason",
    description="Why nothing is sent there: it failed; the upstream asked to be left alone; "
    "another node failed there; the accounts are at their limit, or signed out.",
)


@strawberry.type(description="A time in which nothing is sent there, but for probes at its end.")
class Rests:
    why: Rest
    since: datetime | None = strawberry.field(
        description="When it was first left alone, after it served last; null where unknown."
    )
    until: datetime | None = strawberry.field(
        description="When it is tried again; null where somebody must sign in first."
    )


@strawberry.type(
    description="A failed attempt at a channel, in the words of the turn log. The message may "
    "quote what was asked: it is empty for who may not read bodies. So are the ids of the turn and "
    "its request for who may not see that turn."
)
class ChannelFailure:
    at: datetime
    status: int
    code: str
    message: str
    transport: str
    trouble: str = strawberry.field(
        description="What struck it, as in the attempts of a turn; empty after the answer began."
    )
    request_id: str
    turn_id: strawberry.ID
    node: str


@strawberry.type(description="How a channel does at one node; null for what does not run.")
class NodeHealth:
    node: str
    channel: Trust | None
    websocket: Trust | None
    connections: int
    problem: str
    resting: Rests | None
    websocket_resting: Rests | None
    cause: ChannelFailure | None
    last_failure: ChannelFailure | None


async def _last_served(info: Info, root: strawberry.Parent["ChannelHealth"]) -> datetime | None:
    turns = info.context.administration.store.turns
    return time_or_none(await turns.last_served(root.channel_id))


@strawberry.type(
    description="How a channel does, as at the node where it does worst; null for what does not "
    "run."
)
class ChannelHealth:
    channel_id: strawberry.Private[str]
    channel: Trust | None
    websocket: Trust | None = strawberry.field(description="Whether upgrades go well.")
    connections: int = strawberry.field(description="Live WebSocket connections of all nodes.")
    problem: str = strawberry.field(description="Why it failed last; empty while it is sound.")
    resting: Rests | None = strawberry.field(description="Null while turns go there.")
    websocket_resting: Rests | None = strawberry.field(
        description="Turns go over HTTP meanwhile. Null where the transport is `websocket` alone: "
        "every turn tries it."
    )
    cause: ChannelFailure | None = strawberry.field(
        description="The failure since which it is not sound; null while it is."
    )
    last_failure: ChannelFailure | None = strawberry.field(
        description="The last one since the gateway started, whether it has recovered or not."
    )
    nodes: list[NodeHealth] = strawberry.field(
        description="How it does at each node that answered, where they differ; else empty."
    )

    last_served: datetime | None = strawberry.field(
        resolver=_last_served,
        description="When a turn that was served ended last, among its newest 2,000 turns.",
    )


@strawberry.type(description="How many of a channel's turns ended with an error code.")
class ChannelErrors:
    code: str
    turns: int
    last: datetime


async def errors_of(
    info: Info, root: strawberry.Parent[Any], since: datetime | None = None
) -> list[ChannelErrors]:
    """Count them among the newest 20,000 turns that a viewer may see."""
    viewer, administration = admitted(info, Permission.TURNS_READ)
    sight = await sight_of(administration, viewer)
    wanted = TurnFilter(
        project_ids=sight.project_ids,
        key_ids=sight.key_ids,
        channel_id=root.id,
        since=milliseconds_of(since) if since else None,
    )
    found = await administration.store.turns.errors(wanted)
    return [view_of(ChannelErrors, each, last=time_of(each.last)) for each in found]


async def health_of(info: Info, channel_id: str) -> ChannelHealth:
    """Return how a channel does at all nodes, without what is not a viewer's to read."""
    viewer, administration = admitted(info, Permission.CHANNELS_READ)
    fares = await administration.health.of(channel_id)
    failed = any(fare.last_failure or fare.cause for fare in fares.values())
    sees = _Sees(
        Permission.BODIES_READ in PERMISSIONS[viewer.role],
        await sight_of(administration, viewer) if failed else _NOTHING,
    )
    differ = len({(fare.channel, fare.websocket) for fare in fares.values()}) > 1
    nodes = sorted(fares.items()) if differ else ()
    whole = worst(fares.values())
    return view_of(
        ChannelHealth,
        whole,
        channel_id=channel_id,
        nodes=[view_of(NodeHealth, fare, node=node, **_parts(fare, sees)) for node, fare in nodes],
        **_parts(whole, sees),
    )


def _parts(fare: Fare, sees: _Sees) -> dict[str, object]:
    return {
        "resting": rests_of(fare.resting),
        "websocket_resting": rests_of(fare.websocket_resting),
        "cause": _failure(fare.cause, sees),
        "last_failure": _failure(fare.last_failure, sees),
    }


def rests_of(resting: Resting | None) -> Rests | None:
    """Return a rest as the admin API shows it; None for none."""
    if resting is None:
        return None
    since, until = time_or_none(resting.since), time_or_none(resting.until)
    return Rests(why=resting.why, since=since, until=until)


def _failure(failure: Failure | None, sees: _Sees) -> ChannelFailure | None:
    if failure is None:
        return None
    is_seen = sees.sight.shows(failure.project_id, failure.key_id)
    return view_of(
        ChannelFailure,
        failure,
        at=time_of(failure.at),
        message=failure.message if sees.messages else "",
        request_id=failure.request_id if is_seen else "",
        turn_id=failure.turn_id if is_seen else "",
    )
