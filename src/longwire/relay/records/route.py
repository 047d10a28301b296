"""Why a turn went where it did: every channel that could have served it, as routing left them.

Law: this reads what the routing of a turn has noted; it decides nothing again.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import ceil

from longwire.core.nouns.turn_row import LONGEST_NAME, RouteStep
from longwire.core.rules.routing import Rank, Refusal, Refused, Route, Standing, standing
from longwire.relay.channels.channel import Channel
from longwire.relay.records.accounting import TurnRecord

_MOST_STEPS = 100


def route_of(record: TurnRecord, now: float) -> tuple[RouteStep, ...]:
    """Return who was accepted, in the order of trying, then who was refused, each with its reason.

    `now` is in seconds of the clock that channels rest by.
    """
    steps = (*_accepted(record, now), *_refused_at_stages(record), *map(_refused, record.refused))
    return steps[:_MOST_STEPS]


def _accepted(record: TurnRecord, now: float) -> Iterator[RouteStep]:
    if not record.stages or record.stages[-1][0] is not None:
        return
    left = record.stages[-1][1]
    ranks = {route.id: rank for rank, route in record.ranks}
    for channel in left:
        route, first = channel.chosen, left[0].chosen
        seconds = ceil(channel.state.health.rests_for(now))
        why = _standing(record, ranks, first, route)
        yield _step(route, why.name, is_accepted=True, detail=route.fallback, seconds=seconds)


def _standing(
    record: TurnRecord, ranks: Mapping[str, Rank], first: Route, route: Route
) -> Standing:
    if route is first or not {first.id, route.id} <= ranks.keys():
        return Standing.FIRST
    found = standing((ranks[first.id], first), (ranks[route.id], route))
    # A turn that stays where it can be read is ranked by that before all else.
    is_bound = not record.request.turn.is_self_contained
    return Standing.HISTORY if is_bound and found is Standing.RESTING else found


def _refused_at_stages(record: TurnRecord) -> Iterator[RouteStep]:
    """Yield who was left at a stage and no more at the next; at the last one nobody was."""
    stages = record.stages
    ended: list[tuple[None, list[Channel]]] = (
        [(None, [])] if stages and stages[-1][0] is not None else []
    )
    for (cause, before), (_, after) in pairwise([*stages, *ended]):
        stayed = {channel.chosen.id for channel in after}
        for channel in before:
            if cause is not None and channel.chosen.id not in stayed:
                yield _refused(Refused(channel.chosen, cause, _detail(cause, channel)))


def _detail(cause: Refusal, channel: Channel) -> str:
    if cause is not Refusal.ACCOUNT:
        return ""
    return "sign_in" if channel.is_signed_out() else "quota"


def _refused(refused: Refused) -> RouteStep:
    route, cause, detail = refused
    return _step(route, cause.name, is_accepted=False, detail=detail or route.fallback)


def _step(
    route: Route, reason: str, *, is_accepted: bool, detail: str, seconds: int = 0
) -> RouteStep:
    return RouteStep(
        channel_id=route.channel[:LONGEST_NAME],
        channel_name=route.label[:LONGEST_NAME],
        account_id=route.account,
        model=route.model[:LONGEST_NAME],
        is_accepted=is_accepted,
        reason=reason.lower(),
        detail=detail[:LONGEST_NAME],
        seconds=seconds,
    )
