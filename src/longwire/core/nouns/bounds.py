"""What the keys of a project that its members make for themselves may have at most.

Law: a key of a member opens nothing that its project's bounds do not.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import Budgets, Grant, Rates, check_limits, field_name

Limits = TypeVar("Limits", Rates, Budgets)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Models by name or pattern, channels by id, limits; none of them means no bound."""

    models: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rates: Rates = Rates()
    budgets: Budgets = Budgets()


NO_BOUNDS = Bounds()


def check_bounds(bounds: Bounds) -> Iterator[FieldProblem]:
    """Yield what is wrong with bounds, field by field."""
    if not all(bounds.models):
        yield FieldProblem("memberBounds.models", "write names or patterns such as gpt-5-*")
    yield from check_limits("memberBounds.rates", bounds.rates)
    yield from check_limits("memberBounds.budgets", bounds.budgets)


def bounded(grant: Grant, bounds: Bounds) -> Grant:
    """Return a grant where what says nothing of itself is as the bounds are."""
    return replace(
        grant,
        models=grant.models or bounds.models,
        channels=grant.channels or bounds.channels,
        rates=_filled(grant.rates, bounds.rates),
        budgets=_filled(grant.budgets, bounds.budgets),
    )


def check_within(grant: Grant, bounds: Bounds) -> Iterator[FieldProblem]:
    """Yield what of a grant goes beyond the bounds, field by field, with what it may have."""
    if bounds.models and not all(_is_within(each, bounds.models) for each in grant.models):
        yield FieldProblem("models", f"the project lets you choose of {', '.join(bounds.models)}")
    if bounds.channels and not set(grant.channels) <= set(bounds.channels):
        yield FieldProblem("channels", "the project lets you choose of its own channels alone")
    pairs = (("rates", grant.rates, bounds.rates), ("budgets", grant.budgets, bounds.budgets))
    for place, limits, most in pairs:
        for name, bound in asdict(most).items():
            wanted = getattr(limits, name)
            if bound is not None and (wanted is None or wanted > bound):
                mend = "is more than the project lets its members have; write less, or ask an admin"
                yield FieldProblem(f"{place}.{field_name(name)}", mend)


def _filled(limits: Limits, most: Limits) -> Limits:
    known = {name: limit for name, limit in asdict(limits).items() if limit is not None}
    return replace(most, **known)


def _is_within(model: str, bounds: tuple[str, ...]) -> bool:
    """Whether a name, or all that a pattern matches, is among what bounds allow."""
    is_pattern = any(letter in model for letter in "*?[")
    return model in bounds or (
        not is_pattern and any(fnmatchcase(model, bound) for bound in bounds)
    )
