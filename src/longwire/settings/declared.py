"""What the file declares, as the values that the store gives, too."""

from longwire.core.nouns.access import ApiKey as Key
from longwire.core.nouns.access import Grant, IssuedKey
from longwire.core.nouns.budget import DeclaredBudget
from longwire.core.nouns.channel import ChannelSpec, EndpointSpec, Status
from longwire.core.nouns.channel_key import ChannelKey, declared_key_id
from longwire.core.nouns.price import ModelPrice, PriceTier, nano_of
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.core.nouns.secret import Secret
from longwire.relay.records.telemetry.options import TelemetryOptions
from longwire.settings.channels import ApiKey, Channel, Endpoint, Price
from longwire.settings.channels import PriceTier as DeclaredTier
from longwire.settings.checks import quirks_of
from longwire.settings.keys import Codex, Settings
from longwire.settings.telemetry import Telemetry
from longwire.upstream.oauth.issuer import Registration

_SHOWN = 4


def channel_of(declared: Channel) -> ChannelSpec:
    """Return a declared channel; its id is `file:` and its name."""
    return ChannelSpec(
        id=f"file:{declared.name}",
        name=declared.name,
        type=declared.type,
        base_url=declared.base_url,
        credential=Secret(declared.api_key.get_secret_value() if declared.api_key else ""),
        transport=declared.transport,
        models=declared.models,
        renames=(*declared.renames.items(),),
        tags=declared.tags,
        weight=declared.weight,
        status=Status.ENABLED if declared.enabled else Status.DISABLED,
        organization=declared.organization,
        project=declared.project,
        proxy=Secret(declared.proxy.get_secret_value() if declared.proxy else ""),
        tls_ca=str(declared.tls_ca or ""),
        tls_verify=declared.tls_verify,
        handshake_rate=declared.handshake_rate,
        handshake_burst=declared.handshake_burst,
        native_items=declared.native_items,
        apis=declared.apis,
        profile=declared.profile,
        quirks=quirks_of(declared.quirks),
        unsupported=declared.unsupported,
        threads=declared.threads,
        prices=tuple(_price(each) for each in declared.prices),
        endpoints=tuple(_endpoint(each) for each in declared.endpoints),
        overrides=tuple(each.override for each in declared.overrides),
        keys=tuple(_key(Secret(each.get_secret_value())) for each in declared.api_keys),
        is_declared=True,
    )


def _key(secret: Secret) -> ChannelKey:
    return ChannelKey(declared_key_id(secret), secret)


def registration_of(codex: Codex) -> Registration:
    """Return where accounts sign in."""
    return Registration(codex.issuer, codex.client_id, codex.scope, codex.redirect_port)


def key_of(declared: ApiKey) -> IssuedKey:
    """Return a declared key with its secret; its id is `file:` and its name."""
    secret, key_id = declared.key.get_secret_value(), f"file:{declared.name}"
    grant = Grant(
        key_id=key_id, project_id=DEFAULT_PROJECT, shows_reasoning=declared.shows_reasoning
    )
    key = Key(key_id, declared.name, secret[:_SHOWN], b"", grant, is_declared=True)
    return IssuedKey(key, Secret(secret))


def budgets_of(settings: Settings) -> tuple[DeclaredBudget, ...]:
    """Return the declared budgets, each with the name of whose it is."""
    own = {
        "key": {each.name for each in settings.api_keys},
        "channel": {each.name for each in settings.channels},
    }
    return tuple(
        DeclaredBudget(each.budget(), each.name, each.name in own.get(each.of, ()))
        for each in settings.budgets
    )


def _price(declared: Price) -> ModelPrice:
    tiers = tuple(PriceTier(each.above, *_amounts(each)) for each in declared.tiers)
    return ModelPrice(declared.model, *_amounts(declared), tiers)


def _amounts(declared: Price | DeclaredTier) -> tuple[int, int, int | None, int | None]:
    cached, cache_write = declared.cached, declared.cache_write
    return (
        nano_of(declared.input),
        nano_of(declared.output),
        None if cached is None else nano_of(cached),
        None if cache_write is None else nano_of(cache_write),
    )


def _endpoint(declared: Endpoint) -> EndpointSpec:
    return EndpointSpec(
        declared.api, declared.path or "", declared.base_url or "", declared.transport or ""
    )


def telemetry_of(table: Telemetry) -> TelemetryOptions:
    """Return what is sent to a collector."""
    headers = {name: Secret(value.get_secret_value()) for name, value in table.headers.items()}
    return TelemetryOptions(
        endpoint=table.endpoint,
        headers=headers,
        has_traces=table.traces,
        has_metrics=table.metrics,
        ratio=table.sample_ratio,
        interval=table.interval,
        queue=table.queue,
        service=table.service_name,
        attributes=table.attributes,
    )
