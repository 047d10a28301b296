"""Who is there, in the admin API: the nodes of the fleet, or the one gateway that is alone."""

from collections.abc import Collection
from datetime import datetime

import strawberry

from longwire.core.nouns.access import Permission
from longwire.fleet import nodes as fleet
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import view_of
from longwire.server.admin.scalars import time_of


@strawberry.type(description="Where something is counted.")
class NodeCount:
    what: str = strawberry.field(description="`limits`, `homes`, `pace` or `sign_in_throttle`.")
    where: str = strawberry.field(
        description="`valkey`, with all nodes, or `process`, by this node alone."
    )


@strawberry.type(description="A process of the fleet, as its last heartbeat announced it.")
class Node:
    name: str
    epoch: str = strawberry.field(description="Another one for each life of a name.")
    version: str
    stage: str = strawberry.field(
        description="`starting`, `ready`, `leaving` (it still serves) or `draining`."
    )
    host: str
    pid: int
    since: datetime = strawberry.field(description="When it started.")
    heartbeat_age: float = strawberry.field(description="In seconds.")
    sessions: int = strawberry.field(description="Live connections upstream.")
    turns_per_second: float = strawberry.field(description="Turns that ended, lately.")
    turns_under_way: int
    is_self: bool = strawberry.field(description="Whether it is the one that answers this.")
    is_duplicate: bool = strawberry.field(
        description="Whether another live process has its name: give each its own in `fleet.node`."
    )
    counts: list[NodeCount]


@strawberry.type(description="A node that is not heard any more, and did not say that it leaves.")
class SilentNode:
    name: str
    silent_for: float = strawberry.field(description="In seconds; forgotten after ten minutes.")


@strawberry.type(description="The nodes of the fleet.")
class Nodes:
    nodes: list[Node] = strawberry.field(description="By name; a gateway that is alone has one.")
    missing: list[SilentNode]
    is_shared: bool = strawberry.field(description="Whether `fleet.url` is set.")
    is_cut_off: bool = strawberry.field(
        description="Whether Valkey cannot be reached now: the others are told as last heard."
    )


def _shown(node: fleet.Node, own: fleet.Node, taken: Collection[str]) -> Node:
    figures = node.figures
    return view_of(
        Node,
        node,
        since=time_of(int(node.since * 1000)),
        heartbeat_age=round(node.age, 1),
        sessions=int(figures.get("sessions", 0)),
        turns_per_second=figures.get("turns_per_second", 0.0),
        turns_under_way=int(figures.get("turns_under_way", 0)),
        is_self=node.epoch == own.epoch,
        is_duplicate=node.name in taken,
        counts=[NodeCount(what=what, where=where) for what, where in node.counts.items()],
    )


async def _nodes(info: Info) -> Nodes:
    _, administration = admitted(info, Permission.CHANNELS_READ)
    nodes = administration.fleet.nodes
    presence = await nodes.presence()
    taken = presence.taken_names
    return Nodes(
        nodes=[_shown(each, nodes.own, taken) for each in presence.nodes],
        missing=[
            SilentNode(name=name, silent_for=round(age, 1))
            for name, age in sorted(presence.silent.items())
            if name not in {each.name for each in presence.nodes}
        ],
        is_shared=nodes.is_shared,
        is_cut_off=nodes.is_cut_off,
    )


@strawberry.type
class NodeQueries:
    nodes: Nodes = strawberry.field(
        resolver=_nodes, description="Who is there, and how each of them does."
    )
