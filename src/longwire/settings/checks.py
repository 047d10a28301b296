"""What a table is, and checks of values: each refuses with the mend, and never shows the value."""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
)

from longwire.core.nouns.channel import check_base_url, transport_of_scheme
from longwire.core.nouns.price import GREATEST_PRICE
from longwire.core.nouns.renames import check_pattern, check_renames
from longwire.core.nouns.weight import WEIGHT_MEND, is_weight
from longwire.dialects.profiles.known import check_profile, check_quirks

ANY_ORIGIN = "*"
UNIX = "unix"
"""Who comes over a Unix socket, as the balancer before workers does."""


class Section(BaseModel):
    """One table of the file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _list_from_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [word.strip() for word in value.split(",") if word.strip()]
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f'no JSON list ({error}); write for example ["a"], or a, b') from error


def table_from_text(value: object, key: str, content: str) -> object:
    """Return a table, of JSON where it is a text, as in a variable of the environment."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            mend = f'write for example {{"{key}": {content}}}'
            raise ValueError(f"no JSON object ({error}); {mend}") from error
    if isinstance(value, Mapping):
        return value
    raise ValueError(f'is no table; write for example {{ "{key}" = {content} }}')


def _renames_from_text(value: object) -> object:
    return table_from_text(value, "claude-*", '"gpt-5.2"')


def attributes_from_text(value: object) -> object:
    """Return the table of names and texts that a variable of the environment writes as JSON."""
    return table_from_text(value, "name", '"value"')


def _quirks_from_text(value: object) -> object:
    return table_from_text(value, "token_member", '"max_tokens"')


def _known_quirks(quirks: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if (problem := check_quirks(quirks_of(quirks))) is not None:
        raise ValueError(problem)
    return quirks


def quirks_of(quirks: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    """Return quirks as channels have them: each value as JSON."""
    return tuple((name, json.dumps(value)) for name, value in quirks.items())


def _known_profile(name: str) -> str:
    if (problem := check_profile(name)) is not None:
        raise ValueError(problem)
    return name


def _distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    for word, count in Counter(words).items():
        if count > 1:
            raise ValueError(f'"{word}" stands {count} times; keep one')
    return words


def _renames(table: dict[str, str]) -> dict[str, str]:
    if (problem := check_renames([*table.items()])) is not None:
        raise ValueError(problem)
    return table


def _pattern(text: str) -> str:
    if (problem := check_pattern(text)) is not None:
        raise ValueError(problem)
    return text


def _matching(pattern: str, mend: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(mend)
        return text

    return AfterValidator(check)


def unique(attribute: str) -> AfterValidator:
    """No two entries of a list may share this attribute."""

    def check(entries: tuple[object, ...]) -> tuple[object, ...]:
        for value, count in Counter(getattr(entry, attribute) for entry in entries).items():
            if count > 1:
                raise ValueError(
                    f'{attribute} "{value}" stands {count} times; change or remove one'
                )
        return entries

    return AfterValidator(check)


def _credential(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("is empty or not printable ASCII without spaces; write the key alone")
    return secret


def _base_url(text: str) -> str:
    if (problem := check_base_url(text)) is not None:
        raise ValueError(problem)
    return text


def transport_from_scheme(values: Any) -> Any:  # noqa: ANN401 - pydantic shows what it was given
    """`ws(s)` with no transport set means `websocket`; nothing else is read from a scheme."""
    if not isinstance(values, Mapping) or values.get("transport") is not None:
        return values
    if transport := transport_of_scheme(str(values.get("base_url", ""))):
        return {**values, "transport": transport}
    return values


def _weight(weight: float) -> float:
    if not is_weight(weight):
        raise ValueError(WEIGHT_MEND)
    return weight


def _origin(text: str) -> str:
    if text == ANY_ORIGIN:
        return text
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[a-z0-9._:\[\]-]+", text.lower()):
        raise ValueError(
            "is no origin; write scheme, host and port and nothing behind them, as a browser "
            'sends them: "http://localhost:5173", or "*" for any page'
        )
    return text.lower()


def _network(text: str) -> str:
    if text == UNIX:
        return text
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f'{error}; write "127.0.0.1", or a network as "10.0.0.0/8"') from error


FromText = BeforeValidator(_list_from_text)
Words = Annotated[tuple[str, ...], FromText]
Renames = Annotated[dict[str, str], BeforeValidator(_renames_from_text), AfterValidator(_renames)]
HeaderName = Annotated[
    str,
    _matching(r"[A-Za-z0-9_-]+", "no header name; write letters, digits, '-' and '_'"),
    AfterValidator(str.lower),
]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], FromText]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], FromText]
HeaderText = Annotated[str, _matching(r"[!-~]*", "must be printable ASCII without spaces")]
Name = Annotated[
    str, _matching(r"[A-Za-z0-9._-]+", "a name has letters, digits, '.', '_', '-'; rename it")
]
Weight = Annotated[float, AfterValidator(_weight)]
Dollars = Annotated[Decimal, Field(ge=0, le=GREATEST_PRICE // 10**9, decimal_places=9)]
ModelPattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
UrlPath = Annotated[str, _matching(r'/[!"$-~]*', 'must begin with "/", as in "/v1/responses"')]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Credential = Annotated[SecretStr, AfterValidator(_credential)]
Transport = Literal["auto", "websocket", "http"]
Api = Literal[
    "responses",
    "chat_completions",
    "messages",
    "generate_content",
    "embeddings",
    "images/generations",
    "images/edits",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "moderations",
    "completions",
    "rerank",
]
Apis = Annotated[tuple[Api, ...], FromText, Field(min_length=1), AfterValidator(_distinct)]
SpokenApi = Literal["responses", "chat_completions", "messages", "generate_content"]
SpokenApis = Annotated[
    tuple[SpokenApi, ...], FromText, Field(min_length=1), AfterValidator(_distinct)
]
Quirks = Annotated[
    dict[str, JsonValue], BeforeValidator(_quirks_from_text), AfterValidator(_known_quirks)
]
ProfileName = Annotated[str, AfterValidator(_known_profile)]
NativeItem = Literal["additional_tools", "configuration_update"]
