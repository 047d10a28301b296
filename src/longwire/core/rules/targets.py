"""Who serves a public model: its targets among the channels that run, for one turn.

Law: what a target asks of a turn decides before weights are drawn; a fallback's targets stand
behind all of the model's own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from longwire.core.nouns.access import Grant
from longwire.core.nouns.model import ALWAYS, GREATEST_ORDER, Condition, Model, Target
from longwire.core.rules.routing import Choice, Refusal, Refused, Route

_LEVEL = GREATEST_ORDER + 1
"""How far the orders of a fallback stand behind those of the one before it."""


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What conditions ask of a turn; `input_tokens` is an estimate, asked for where it counts."""

    api: str
    streams: bool
    has_tools: bool
    grant: Grant
    input_tokens: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Option:
    """A target at a channel that runs, or at none where it `is_missing`.

    `offers` is the model it belongs to, None for a fallback that is no configured model.
    """

    route: Route
    condition: Condition | None = None
    offers: Model | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class ModelRoutes:
    """A model with all that may serve it: its own targets in their order, then its fallbacks'."""

    model: Model
    options: tuple[Option, ...]


def resolve(models: Iterable[Model], routes: Sequence[Route]) -> dict[str, ModelRoutes]:
    """Return models by their names, with the routes that their targets mean; the first one wins."""
    by_name: dict[str, Model] = {}
    for model in models:
        by_name.setdefault(model.name, model)
    return {
        name: ModelRoutes(model, (*_own(model, routes), *_fallbacks(model, by_name, routes)))
        for name, model in by_name.items()
    }


def _own(model: Model, routes: Sequence[Route], level: int = 0, fallback: str = "") -> list[Option]:
    found = []
    for target in sorted(model.targets, key=lambda each: each.order):
        condition = None if target.condition == ALWAYS else target.condition
        place = level + target.order
        matching = [route for route in routes if is_meant(target, route)]
        if not matching:
            nobody = Route(target.channel or f"tag {target.tag}", order=place, fallback=fallback)
            found.append(Option(nobody, condition, model, is_missing=True))
        found += [
            Option(
                replace(
                    route,
                    weight=route.weight * target.weight,
                    model=target.model or model.name,
                    order=place,
                    fallback=fallback,
                ),
                condition,
                model,
            )
            for route in matching
        ]
    return found


def is_meant(target: Target, route: Route) -> bool:
    """Whether a target means a channel."""
    if target.tag:
        return target.tag in route.tags
    return target.channel in (route.channel, route.name)


def _fallbacks(
    model: Model, by_name: Mapping[str, Model], routes: Sequence[Route]
) -> Iterator[Option]:
    """Yield what serves the fallbacks: a name that is no model goes to all who list it."""
    for number, name in enumerate(model.fallbacks, 1):
        level = number * _LEVEL
        if name in by_name:
            yield from _own(by_name[name], routes, level, name)
            continue
        for route in routes:
            if route.serves(name):
                yield Option(replace(route, model=name, order=level, fallback=name))


def choose_target(found: ModelRoutes, facts: TurnFacts) -> Choice:
    """Tell the targets that may serve a turn from those that may not, the first of them first."""
    served: dict[str, Route] = {}
    refusals: list[Refused] = []
    for option in found.options:
        route = option.route
        refused = _refused(option, facts)
        if refused is None and route.id in served:
            refused = Refused(route, Refusal.TWICE)
        if refused is None:
            served[route.id] = route
        else:
            refusals.append(refused)
    return Choice(tuple(served.values()), tuple(refusals))


def first_target(found: ModelRoutes, grant: Grant) -> Route | None:
    """Return the first target that may serve some of a key's turns, None where none may."""
    return next((each.route for each in found.options if not _barred(each, grant)), None)


def _refused(option: Option, facts: TurnFacts) -> Refused | None:
    barred = _barred(option, facts.grant)
    if barred is None and option.condition and (unmet := unmet_by(option.condition, facts)):
        return Refused(option.route, Refusal.CONDITION, unmet)
    return barred


def _barred(option: Option, grant: Grant) -> Refused | None:
    """Return why an option serves none of a key's turns, None where it may."""
    route, model = option.route, option.offers
    if not grant.allows_channel(route.channel):
        return Refused(route, Refusal.KEY)
    if route.fallback and not _may_fall_back(option, grant):
        return Refused(route, Refusal.KEY, route.fallback)
    if option.is_missing:
        return Refused(route, Refusal.MISSING)
    if model is not None and not model.is_enabled:
        return Refused(route, Refusal.DISABLED, model.name)
    if not route.is_enabled:
        return Refused(route, Refusal.DISABLED)
    if not route.serves(route.model):
        return Refused(route, Refusal.NOT_SERVED, route.model)
    return None


def _may_fall_back(option: Option, grant: Grant) -> bool:
    """Whether a key may use the model that an option is a fallback to."""
    if not grant.allows_model(option.route.fallback):
        return False
    return option.offers is None or option.offers.serves_project(grant.project_id)


def unmet_by(condition: Condition, facts: TurnFacts) -> str:
    """Return the member of a condition that a turn does not meet, "" where it meets all."""
    grant = facts.grant
    if condition.apis and facts.api not in condition.apis:
        return "apis"
    if condition.streams is not None and condition.streams != facts.streams:
        return "streams"
    if condition.has_tools is not None and condition.has_tools != facts.has_tools:
        return "has_tools"
    if condition.keys and grant.key_id not in condition.keys:
        return "keys"
    if condition.projects and grant.project_id not in condition.projects:
        return "projects"
    return _unmet_size(condition, facts) if condition.counts_tokens else ""


def _unmet_size(condition: Condition, facts: TurnFacts) -> str:
    tokens = facts.input_tokens()
    if condition.min_tokens is not None and tokens < condition.min_tokens:
        return "min_tokens"
    if condition.max_tokens is not None and tokens > condition.max_tokens:
        return "max_tokens"
    return ""
