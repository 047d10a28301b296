"""Explanations of where turns go, as the admin API shows them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import EVERYTHING
from longwire.core.nouns.channel import APIS
from longwire.core.nouns.turn_row import RouteStep
from longwire.core.rules.turn import Principal
from longwire.dialects.sample import Sample
from longwire.server.admin.administration import Administration
from longwire.server.admin.inputs import view_of
from longwire.server.auth import principal_of

_ANYBODY: Final = Principal("anybody", grant=EVERYTHING)


@strawberry.type(
    name="RouteStep",
    description="A channel that could serve: accepted, in the order of trying, or refused.",
)
class Step:
    channel_id: strawberry.ID
    channel_name: str
    account_id: strawberry.ID = strawberry.field(description="Empty for a channel without any.")
    model: str = strawberry.field(description="Its name there, empty for the one asked for.")
    is_accepted: bool
    reason: str = strawberry.field(description="The word for why it is where it is.")
    detail: str = strawberry.field(description="Which condition, model, fallback or API.")
    seconds: int = strawberry.field(
        description="How much longer it rests; 0 for one that does not."
    )


@strawberry.type(name="RouteExplanation", description="Where a turn goes, and why not elsewhere.")
class Explanation:
    steps: list[Step]
    problem: str = strawberry.field(
        description="The error that its client gets; empty where somebody serves."
    )
    is_as_of_then: bool = strawberry.field(
        description="Whether it is what was so when the turn came, not what is configured now."
    )


async def caller_of(administration: Administration, key_id: str | None) -> Principal:
    """Return whom a key stands for, anybody without one. Raises `NotFound`."""
    return principal_of(await administration.key(key_id)) if key_id else _ANYBODY


async def explained_now(administration: Administration, sample: Sample, key_id: str) -> Explanation:
    """Return where a turn of the log would go as it is configured now.

    Of a key that is gone, and of an API that is none of the clients', it is taken for anybody's of
    the Responses API; whether it had tools is not in the log: then it is taken to have none.
    """
    try:
        caller = await caller_of(administration, key_id)
    except NotFound:
        caller = _ANYBODY
    api = sample.api.partition("/")[0]
    sample = replace(sample, api=api if api in APIS else "responses")
    explained = await administration.explain(sample, caller)
    return shown(explained.steps, explained.problem)


def shown(
    steps: Iterable[RouteStep], problem: str = "", *, is_as_of_then: bool = False
) -> Explanation:
    """Return an explanation as it is shown."""
    return Explanation(
        steps=[view_of(Step, step) for step in steps],
        problem=problem,
        is_as_of_then=is_as_of_then,
    )
