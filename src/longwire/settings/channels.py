"""The tables of the file that declare channels and API keys."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FilePath,
    JsonValue,
    SecretStr,
    field_validator,
    model_validator,
)

from longwire.core.nouns.channel import (
    ALL_APIS,
    CHANNEL_TYPES,
    DEFAULT_BASE_URLS,
    ChannelSpec,
    EndpointSpec,
    check_apis,
    check_endpoint_transport,
    check_proxy,
)
from longwire.core.nouns.override import Override as CoreOverride
from longwire.core.nouns.override import check_overrides
from longwire.core.nouns.secret import Secret
from longwire.settings.checks import (
    Api,
    Apis,
    BaseUrl,
    Credential,
    Dollars,
    FromText,
    HeaderText,
    ModelPattern,
    Name,
    NativeItem,
    ProfileName,
    Quirks,
    Renames,
    Section,
    Transport,
    UrlPath,
    Weight,
    Words,
    transport_from_scheme,
    unique,
)

_SHORTEST_KEY = 8


class Endpoint(Section):
    """One API of a channel where it differs from the channel."""

    api: Api = Field(description="The API this entry is about.")
    transport: Transport | None = Field(None, description="Default: the channel's transport.")
    base_url: BaseUrl | None = Field(None, description="Default: the channel's base_url.")
    path: UrlPath | None = Field(
        None, description="Path after the base URL. Default: the API's own."
    )

    _scheme = model_validator(mode="before")(transport_from_scheme)

    def check_transport(self, transport: Transport) -> None:
        """`ValueError` if the API cannot be spoken over the transport it would use."""
        if (problem := check_endpoint_transport(self.api, transport)) is not None:
            raise ValueError(problem)


class PriceTier(Section):
    """What a million tokens cost in turns of more input than so many tokens, all they have."""

    above: int = Field(ge=1, description="More tokens of input than these; the lowest tier first.")
    input: Dollars = Field(description="Tokens of the input.")
    cached: Dollars | None = Field(None, description="Read from a cache. Default: as `input`.")
    cache_write: Dollars | None = Field(
        None, description="Written to a cache. Default: as `input`."
    )
    output: Dollars = Field(description="Tokens of the output.")


class Price(Section):
    """What a million tokens of a model cost in US dollars, before what the gateway knows of it."""

    model: ModelPattern = Field(description="A name, or a pattern (`*`, `?`) of names.")
    input: Dollars = Field(description="Tokens of the input.")
    cached: Dollars | None = Field(
        None, description="Of them those that were read from a cache. Default: as `input`."
    )
    cache_write: Dollars | None = Field(
        None, description="Of them those that were written to a cache. Default: as `input`."
    )
    output: Dollars = Field(description="Tokens of the output, reasoning among them.")
    tiers: tuple[PriceTier, ...] = Field((), description="What longer turns cost.")

    @field_validator("tiers")
    @classmethod
    def _in_order(cls, tiers: tuple[PriceTier, ...]) -> tuple[PriceTier, ...]:
        for before, after in pairwise(tiers):
            if after.above <= before.above:
                raise ValueError(f"{after.above} stands behind {before.above}; the lowest first")
        return tiers


class Override(Section):
    """One member or header of requests that the channel sets, defaults or removes.

    In the terms of the upstream's API, whatever API the client speaks.
    """

    action: Literal["set", "default", "remove"] = Field(
        description="`set` puts it in always, `default` where a request has none, `remove` leaves "
        "it out."
    )
    member: str = Field("", description="A member by its dotted path, as in `reasoning.effort`.")
    header: str = Field("", description="Or a header that is sent upstream.")
    value: JsonValue = Field(
        None, description="What it is set to: any value for a member, a text for a header."
    )
    models: Words = Field(
        (), description="Names or patterns of models as they are sent. Default: all."
    )
    apis: Annotated[tuple[Api, ...], FromText] = Field(
        (), description="APIs of the upstream. Default: those of conversations."
    )

    @property
    def override(self) -> CoreOverride:
        """Return it as the core has it."""
        value, models, apis = self.value, self.models, (*self.apis,)
        if self.header:
            text = value if isinstance(value, str) else ("" if value is None else json.dumps(value))
            of_header = Secret(text)
            return CoreOverride(self.action, self.member, self.header, "", models, apis, of_header)
        text = "" if self.action == "remove" and value is None else json.dumps(value)
        return CoreOverride(self.action, self.member, self.header, text, models, apis)


class Channel(Section):
    """A configured upstream; shown in the web interface as managed by file."""

    name: Name = Field(description="Unique; appears in headers, logs and metrics.")
    type: Literal["openai", "codex", "anthropic", "gemini"] = Field(
        "openai",
        description="What kind of upstream it is: how its key is sent, and which APIs it offers "
        "unless `apis` says otherwise.",
    )
    apis: Apis | None = Field(
        None,
        description="The APIs that the upstream offers, of `responses`, `chat_completions`, "
        "`messages` and `generate_content`, and of those that are passed on as they are: "
        "`embeddings`, `images/generations`, `images/edits`, `audio/speech`, "
        "`audio/transcriptions`, `audio/translations`, `moderations`, `completions` and `rerank`. "
        "Default: for `openai` the first two and all that are passed on but `rerank`, "
        "`responses` for `codex`, `messages` for `anthropic`, `generate_content` for `gemini`.",
    )
    profile: ProfileName = Field(
        "",
        description="What its vendor does differently, by a name that `longwire channels show` "
        "knows. Default: by the host, else `generic`.",
    )
    quirks: Quirks = Field(
        {}, description="Single settings of the profile with other values, as the upstream has it."
    )
    unsupported: Literal["refuse", "drop"] = Field(
        "refuse",
        description="What becomes of a request whose members the upstream has no equivalent for, "
        "where they change the answer: refused, or served without them.",
    )
    threads: bool = Field(
        default=False,
        description="Let an upstream of the Messages API go on from its last message instead of "
        "sending it the whole conversation.",
    )
    base_url: BaseUrl = Field(
        default_factory=lambda values: DEFAULT_BASE_URLS[values.get("type", "openai")],
        description="Default: the public address of the type. A trailing `#` appends no version "
        "segment, `##` uses the URL exactly as it stands. `ws(s)` means `websocket` when "
        "`transport` is not set.",
    )
    api_key: Credential | None = Field(
        None,
        description="Sent as each API has it: as bearer token, `x-api-key` or `x-goog-api-key`. "
        "Required but for `codex`, which signs in instead.",
    )
    api_keys: Annotated[tuple[Credential, ...], FromText] = Field(
        (),
        description="Several keys of one upstream: each session keeps to one, and one that is "
        "refused or limited rests alone. `api_key` is one more of them, where it is there.",
    )
    models: Words = Field(
        ("*",), min_length=1, description="Names or patterns (`*`, `?`) of the models it serves."
    )
    renames: Renames = Field(
        {}, description="More names or patterns that it serves, each with the model that is sent."
    )
    tags: Words = Field((), description="Words that models name several channels by.")
    transport: Transport = Field(
        "auto", description="`auto` uses WebSocket wherever it helps, and HTTP where it cannot."
    )
    enabled: bool = Field(default=True, description="Take part in routing.")
    weight: Weight = Field(1.0, description="Share of the traffic among equal channels.")
    organization: HeaderText = Field("", description="Sent as `OpenAI-Organization`.")
    project: HeaderText = Field("", description="Sent as `OpenAI-Project`.")
    proxy: SecretStr | None = Field(
        None,
        description="`http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h` URL, for both "
        "transports. Default: what `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.",
    )
    tls_ca: FilePath | None = Field(None, description="PEM file to trust besides the system's.")
    tls_verify: bool = Field(default=True, description="Verify the upstream's certificate.")
    handshake_rate: float = Field(
        default_factory=lambda known: CHANNEL_TYPES[known.get("type", "openai")].handshake_rate,
        ge=0,
        description="Most WebSocket handshakes a second, 0 for any number. Default: 1 for `codex`, "
        "which refuses faster ones, else 0.",
    )
    handshake_burst: int = Field(3, ge=1, description="Handshakes that may come at once.")
    native_items: Annotated[tuple[NativeItem, ...] | None, FromText] = Field(
        None,
        description="Items that the upstream takes, of `additional_tools` and "
        "`configuration_update`; others go into `tools`, `reasoning` and `text`. Default: the "
        "first for `openai`, none for `codex`; Responses clients' own items stay.",
    )
    prices: Annotated[tuple[Price, ...], FromText, unique("model")] = Field(
        (), description="What models cost here."
    )
    endpoints: Annotated[tuple[Endpoint, ...], FromText, unique("api")] = Field(
        (), description="Overrides for single APIs."
    )
    overrides: Annotated[tuple[Override, ...], FromText] = Field(
        (), description="What is put into requests, in this order."
    )

    _scheme = model_validator(mode="before")(transport_from_scheme)

    @field_validator("proxy")
    @classmethod
    def _proxy_url(cls, proxy: SecretStr | None) -> SecretStr | None:
        problem = check_proxy(proxy.get_secret_value()) if proxy else None
        if problem is not None:
            raise ValueError(problem)
        return proxy

    @field_validator("api_keys")
    @classmethod
    def _distinct(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if len({key.get_secret_value() for key in keys}) < len(keys):
            raise ValueError("a key stands twice; keep one")
        return keys

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if CHANNEL_TYPES[self.type].needs_key and self.api_key is None and not self.api_keys:
            example = f"${{{self.type.upper()}_API_KEY}}"
            raise ValueError(f'api_key is missing; write for example api_key = "{example}"')
        offer = ChannelSpec("", self.name, self.type, apis=self.apis, transport=self.transport)
        endpoints = tuple(EndpointSpec(each.api) for each in self.endpoints)
        problems = check_apis(replace(offer, threads=self.threads, endpoints=endpoints))
        if found := [f"{each.field}: {each.message}" for each in problems]:
            raise ValueError("; ".join(found).replace(".apiFormat:", ".api:"))
        overrides = [each.override for each in self.overrides]
        if found := [
            f"{each.field}: {each.message}" for each in check_overrides(overrides, ALL_APIS)
        ]:
            raise ValueError("; ".join(found))
        for endpoint in self.endpoints:
            endpoint.check_transport(endpoint.transport or self.transport)
        return self


class ApiKey(Section):
    """A key that callers present; shown in the web interface as managed by file."""

    name: Name = Field(description="Unique; appears in logs instead of the key.")
    key: Credential = Field(description="The secret itself, at least 8 characters.")
    shows_reasoning: bool = Field(
        default=False,
        description="Send clients of Chat Completions the model's reasoning (`reasoning_content`, "
        "`reasoning_details`) though their requests do not show that they know it. Strict clients "
        "may refuse these members, which cost 1 to 10 kB a step.",
    )

    @field_validator("key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"is shorter than {_SHORTEST_KEY} characters; take a longer one")
        return key
