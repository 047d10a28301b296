"""The inputs that create and change a channel.

Law: a field left out stays as it is, or has the default in a new channel; null sets the default.
Secrets are never in an answer, so an update that leaves them out keeps them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from decimal import Decimal
from typing import Final

import strawberry

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import Rates
from longwire.core.nouns.channel import DEFAULT_BASE_URLS, ChannelSpec, EndpointSpec, Status
from longwire.core.nouns.override import Override
from longwire.core.nouns.price import ModelPrice, PriceTier, nano_of
from longwire.core.nouns.secret import Secret
from longwire.dialects.override_values import with_kept_values
from longwire.server.admin.inputs import Reader, changes
from longwire.server.admin.scalars import Int64

strawberry.enum(
    Status,
    name="ChannelStatus",
    description="Whether a channel takes part in routing; an archived one is out of the lists.",
)


@strawberry.input(description="Null is no limit; what is left out is null.")
class RatesInput:
    requests_per_minute: Int64 | None = None
    tokens_per_minute: Int64 | None = None
    concurrent_turns: Int64 | None = None

    def rates(self) -> Rates:
        """Return them as the core has them."""
        return Rates(self.requests_per_minute, self.tokens_per_minute, self.concurrent_turns)


@strawberry.input(description="An API that differs from the default; null inherits.")
class EndpointInput:
    api_format: str
    path: str | None = None
    base_url: str | None = None
    transport: str | None = None

    def endpoint(self) -> EndpointSpec:
        """Return it as the core has it."""
        return EndpointSpec(
            self.api_format, self.path or "", self.base_url or "", self.transport or ""
        )


@strawberry.input(description="A model that is sent upstream by another name.")
class RenameInput:
    requested: str = strawberry.field(name="from")
    sent: str = strawberry.field(name="to")


@strawberry.input(description="A header added upstream; value null keeps the one it has.")
class HeaderInput:
    """A header, whose value is never shown again."""

    name: str
    value: str | None = None


@strawberry.input(description="A setting of the profile with another value, which is JSON.")
class QuirkInput:
    setting: str
    value: str


@strawberry.input(
    description="What they cost in turns of more than `above` tokens of input, all of their tokens."
)
class PriceTierInput:
    above: int
    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None

    def tier(self) -> PriceTier:
        """Return it as the core has it."""
        return PriceTier(self.above, *_amounts(self))


@strawberry.input(
    description="What a million tokens of a model, or of those of a pattern, cost in US dollars. "
    "What a cache gives or takes costs what other input does where its price is null."
)
class PriceInput:
    model: str
    input: float | None = strawberry.field(default=None, description="Required.")
    output: float | None = strawberry.field(default=None, description="Required.")
    cached: float | None = None
    cache_write: float | None = None
    tiers: list[PriceTierInput] | None = strawberry.field(
        default=None, description="What longer turns cost, the lowest first."
    )

    def price(self) -> ModelPrice:
        """Return it as the core has it; what is missing is 0."""
        tiers = tuple(each.tier() for each in self.tiers or ())
        return ModelPrice(self.model, *_amounts(self), tiers)


@strawberry.input(
    description="A member, by its dotted path, or a header of requests that is set, defaulted or "
    "removed; `value` is JSON of a member, a text of a header. Null keeps the value that the "
    "header has in the override under the same conditions, else its only one."
)
class OverrideInput:
    action: str
    member: str | None = None
    header: str | None = None
    value: str | None = None
    models: list[str] | None = None
    apis: list[str] | None = None

    def override(self) -> Override:
        """Return it as the core has it."""
        value = self.value or ""
        return Override(
            self.action,
            self.member or "",
            self.header or "",
            "" if self.header else value,
            (*(self.models or ()),),
            (*(self.apis or ()),),
            Secret(value if self.header else ""),
        )


@strawberry.input(description="What is left out stays as it is; null sets the default.")
class ChannelInput:
    name: str | None = strawberry.UNSET
    type: str | None = strawberry.UNSET
    base_url: str | None = strawberry.UNSET
    credential: str | None = strawberry.field(
        name="apiKey",
        default=strawberry.UNSET,
        description="Null or empty removes it; left out keeps it.",
    )
    transport: str | None = strawberry.UNSET
    models: list[str] | None = strawberry.UNSET
    renames: list[RenameInput] | None = strawberry.UNSET
    tags: list[str] | None = strawberry.UNSET
    weight: float | None = strawberry.UNSET
    status: Status | None = strawberry.UNSET
    organization: str | None = strawberry.UNSET
    project: str | None = strawberry.UNSET
    proxy: str | None = strawberry.field(
        default=strawberry.UNSET, description="Null or empty removes it; left out keeps it."
    )
    tls_ca: str | None = strawberry.UNSET
    tls_verify: bool | None = strawberry.UNSET
    headers: list[HeaderInput] | None = strawberry.UNSET
    rates: RatesInput | None = strawberry.UNSET
    handshake_rate: float | None = strawberry.UNSET
    handshake_burst: int | None = strawberry.UNSET
    native_items: list[str] | None = strawberry.UNSET
    apis: list[str] | None = strawberry.UNSET
    profile: str | None = strawberry.UNSET
    quirks: list[QuirkInput] | None = strawberry.UNSET
    unsupported: str | None = strawberry.UNSET
    threads: bool | None = strawberry.UNSET
    prices: list[PriceInput] | None = strawberry.UNSET
    endpoints: list[EndpointInput] | None = strawberry.UNSET
    overrides: list[OverrideInput] | None = strawberry.UNSET


_NEW: Final = ChannelSpec("", "")
_READ: Final[dict[str, Reader]] = {
    "credential": Secret,
    "proxy": Secret,
    "models": tuple,
    "tags": tuple,
    "native_items": tuple,
    "apis": tuple,
    "quirks": lambda quirks: tuple((each.setting, each.value) for each in quirks),
    "prices": lambda prices: tuple(each.price() for each in prices),
    "renames": lambda pairs: tuple((each.requested, each.sent) for each in pairs),
    "rates": RatesInput.rates,
    "endpoints": lambda endpoints: tuple(each.endpoint() for each in endpoints),
}


def applied(spec: ChannelSpec, draft: ChannelInput) -> ChannelSpec:
    """Return a channel with the draft put in; a new one has the base URL of its type.

    What `missing` tells of is empty or 0.
    """
    read = {
        **_READ,
        "headers": lambda pairs: _headers(pairs, dict(spec.headers)),
        "overrides": lambda drafts: overrides_of(drafts, spec),
    }
    changed = replace(spec, **changes(draft, _NEW, [each.name for each in fields(draft)], read))
    if draft.base_url is None or not (draft.base_url or spec.id):
        return replace(changed, base_url=DEFAULT_BASE_URLS.get(changed.type, _NEW.base_url))
    return changed


def missing(spec: ChannelSpec, draft: ChannelInput) -> Iterator[FieldProblem]:
    """Yield what a draft of a channel leaves out and cannot do without."""
    held = dict(spec.headers)
    for number, header in enumerate(draft.headers or ()):
        if header.value is None and header.name not in held:
            mend = "is missing; there is no such header to keep"
            yield FieldProblem(f"headers.{number}.value", mend)
    for number, price in enumerate(draft.prices or ()):
        for name in ("input", "output"):
            if getattr(price, name) is None:
                mend = "is missing; write what a million tokens cost, 0 for nothing"
                yield FieldProblem(f"prices.{number}.{name}", mend)


def overrides_of(drafts: Iterable[OverrideInput], spec: ChannelSpec) -> tuple[Override, ...]:
    """Return the overrides of a channel as they are drafted, with the values that are kept."""
    return with_kept_values([each.override() for each in drafts], spec.overrides)


def _headers(
    headers: Iterable[HeaderInput], held: dict[str, Secret]
) -> tuple[tuple[str, Secret], ...]:
    return tuple(
        (each.name, held.get(each.name, Secret("")) if each.value is None else Secret(each.value))
        for each in headers
    )


def _amounts(price: PriceInput | PriceTierInput) -> tuple[int, int, int | None, int | None]:
    return (
        _nano_or_none(price.input) or 0,
        _nano_or_none(price.output) or 0,
        _nano_or_none(price.cached),
        _nano_or_none(price.cache_write),
    )


def _nano_or_none(dollars: float | None) -> int | None:
    return None if dollars is None else nano_of(Decimal(repr(dollars)))
