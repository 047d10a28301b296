"""What models cost, in US dollars for a million tokens: as configured, or as it is known."""

from dataclasses import replace
from typing import Any

import strawberry

from longwire.core.nouns.price import ModelPrice, price_finder
from longwire.core.nouns.renames import renamer
from longwire.server.admin.context import Info
from longwire.server.admin.scalars import dollars_of, dollars_or_none


@strawberry.type(description="What they cost in turns of more than `above` tokens of input.")
class PriceTier:
    above: int
    input: float
    output: float
    cached: float | None
    cache_write: float | None


@strawberry.type(description="What a million tokens of a model cost in US dollars.")
class Price:
    model: str = strawberry.field(description="A name, or a pattern of names.")
    input: float
    output: float
    cached: float | None
    cache_write: float | None
    tiers: list[PriceTier] = strawberry.field(
        description="What longer turns cost, all of their tokens; the lowest first."
    )


@strawberry.type(description="What a model that a channel names costs, null where nobody knows.")
class ModelCost:
    model: str
    price: Price | None
    is_configured: bool = strawberry.field(description="Whether an operator said so.")


def shown_price(price: ModelPrice) -> Price:
    """Return a price in dollars."""
    return Price(
        model=price.model,
        input=dollars_of(price.input),
        output=dollars_of(price.output),
        cached=dollars_or_none(price.cached),
        cache_write=dollars_or_none(price.cache_write),
        tiers=[
            PriceTier(
                above=each.above,
                input=dollars_of(each.input),
                output=dollars_of(each.output),
                cached=dollars_or_none(each.cached),
                cache_write=dollars_or_none(each.cache_write),
            )
            for each in price.tiers
        ],
    )


def costs_of(info: Info, root: strawberry.Parent[Any]) -> list[ModelCost]:
    """Return what the models cost that a channel names."""
    quote, configured = info.context.administration.quote, price_finder(root.spec.prices)
    sent = renamer(root.spec.renames)
    quotes = {name: quote((sent(name), name), configured) for name in root.spec.named_models}
    return [
        ModelCost(
            model=name,
            price=shown_price(replace(found.price, model=name)) if found else None,
            is_configured=bool(found and found.is_configured),
        )
        for name, found in quotes.items()
    ]
