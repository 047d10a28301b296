"""Where a turn would go, and why every other channel would not serve it, without sending it.

Law: the code that routes turns says it, asked as for a turn that came.
"""

from dataclasses import dataclass, replace

from longwire.core.errors import CallerError, Overloaded, UpstreamError
from longwire.core.nouns.model import Model
from longwire.core.nouns.turn_row import RouteStep
from longwire.core.rules.targets import resolve
from longwire.core.rules.turn import Principal
from longwire.dialects.sample import Sample, sample_turn
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.records.route import route_of
from longwire.relay.turns.running import Relay


@dataclass(frozen=True, slots=True)
class Explained:
    """Who could serve, the accepted ones in the order of trying; and the error that a client gets.

    `problem` is "" where somebody serves.
    """

    steps: tuple[RouteStep, ...]
    problem: str = ""


async def explain(
    relay: Relay, sample: Sample, caller: Principal, draft: Model | None = None
) -> Explained:
    """Return where a turn would go, with a `draft` in the place of the model of its name."""
    if draft is not None:
        relay = replace(relay, routing=RoutingTable(_with(relay.routing.snapshot, draft)))
    try:
        turn = sample_turn(sample, caller.grant)
    except CallerError as error:
        return Explained((), str(error))
    running = relay.open(turn, caller, {"session-id": sample.session} if sample.session else {})
    record, problem = running.record, ""
    try:
        problem = await _limit_of(relay, caller)
        snapshot = relay.routing.snapshot
        await relay.candidates.choose(snapshot, running.request, running.sent, record)
    except (CallerError, UpstreamError, Overloaded) as error:
        problem = problem or str(error)
    return Explained(route_of(record, relay.policy.clock()), problem)


async def _limit_of(relay: Relay, caller: Principal) -> str:
    """Return that a key's own limit or budget is reached, "" where it is not."""
    subject = caller.subject
    waits = await relay.limits.waits([subject]) if subject.is_limited else {}
    if subject.id not in waits:
        return ""
    return f"The key is at a limit or a budget of its own for {waits[subject.id]} seconds more."


def _with(snapshot: Snapshot, draft: Model) -> Snapshot:
    others = [each.model for name, each in snapshot.models.items() if name != draft.name]
    routes = [channel.route for channel in snapshot.channels.values()]
    return replace(snapshot, models=resolve([draft, *others], routes))
