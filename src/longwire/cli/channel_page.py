"""`longwire channels show`: one channel for people, with all that it inherits filled in."""

import time
from collections.abc import Iterator
from typing import Final

from longwire.cli.tables import table
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.price import ModelPrice, PriceTier, price_finder
from longwire.core.nouns.renames import renamer

_NANO: Final = 1_000_000_000


def page_of(spec: ChannelSpec) -> str:
    """Return what there is to say about a channel, in lines."""
    parts = (_head(spec), _apis(spec), _profile(spec), _prices(spec))
    return "\n\n".join(text for part in parts if (text := "\n".join(part)))


def _head(spec: ChannelSpec) -> Iterator[str]:
    place = "of the configuration file" if spec.is_declared else spec.id
    yield f"{spec.name}: {spec.type}, {spec.status.value}, {place}"
    yield f"models: {', '.join(spec.models)}"
    if spec.renames:
        yield f"renames: {', '.join(f'{model} → {sent}' for model, sent in spec.renames)}"
    has = "is set" if spec.credential else "none"
    if keys := spec.keys_in_force:
        has = f"{len(keys)}, {', '.join(key.masked for key in keys)}"
    yield f"key: {has}; members without equivalent: {spec.unsupported}"
    for each in spec.overrides:
        value = f" = {each.value or each.header_value}" if each.has_value else ""
        of = f" of {', '.join(each.models)}" if each.models else ""
        yield f"override: {each.action} {each.member or f'header {each.header}'}{value}{of}"
    if "messages" in spec.offered:
        yield f"threads: {'on' if spec.threads else 'off'}"


def called(spec: ChannelSpec) -> list[tuple[str, str, str]]:
    """Return each API on offer with its transport and the URL that is called first."""
    from longwire.relay.channels.provision import url_of

    rows = []
    for api in (*spec.offered, *spec.passed):
        transport = spec.endpoint(api).transport
        rows.append((api, transport, url_of(spec, "http" if transport == "http" else "ws", api)))
    return rows


def _apis(spec: ChannelSpec) -> Iterator[str]:
    yield from table(("API", "transport", "URL"), called(spec))


def _profile(spec: ChannelSpec) -> Iterator[str]:
    """Return what its vendor does differently in Chat Completions.

    That is each setting, its value, and where that was seen.
    """
    from longwire.dialects.profiles.channels import shown_settings

    if "chat_completions" not in spec.offered:
        return
    name, settings = shown_settings(spec)
    by = "by name" if spec.profile else "by its host"
    yield f"profile {name}, {by}"
    own = {setting for setting, _ in spec.quirks}
    for each in settings:
        mark = " (overridden)" if each.name in own else ""
        yield f"  {each.name} = {each.value}{mark}"
        yield f"      {each.source}"


def _prices(spec: ChannelSpec) -> Iterator[str]:
    """Return what its models cost, and who says so: those that are named, or have a price here."""
    from longwire.relay.records.pricing import Prices

    prices, configured = Prices(lambda: time.time_ns() // 1_000_000), price_finder(spec.prices)
    names = dict.fromkeys((*spec.named_models, *(each.model for each in spec.prices)))
    sent = renamer(spec.renames)
    rows = []
    for name in names:
        quote = prices.quote((sent(name), name), configured)
        amounts = _amounts(quote.price) if quote else ("–",) * 4
        said = "unknown" if quote is None else "configured" if quote.is_configured else "bundled"
        rows.append((name, *amounts, said))
        rows += [
            (f"  above {tier.above:,} tokens", *_amounts(tier), "")
            for tier in (quote.price.tiers if quote else ())
        ]
    if rows:
        yield "US dollars for a million tokens"
        yield from table(("model", "input", "cached", "cache write", "output", "price"), rows)


def _amounts(price: ModelPrice | PriceTier) -> tuple[str, ...]:
    cached = price.input if price.cached is None else price.cached
    cache_write = price.input if price.cache_write is None else price.cache_write
    amounts = (price.input, cached, cache_write, price.output)
    return tuple(_dollars(amount) for amount in amounts)


def _dollars(nano: int) -> str:
    """Return billionths of a dollar as people write dollars: no digit too many."""
    whole, part = divmod(nano, _NANO)
    digits = f"{part:09d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
