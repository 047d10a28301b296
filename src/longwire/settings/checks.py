"""Checks of single values: each refuses with the mend and never shows what it refused."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr


def _list_from_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [word.strip() for word in value.split(",") if word.strip()]
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f'no JSON list ({error}); write for example ["a"], or a, b') from error


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
    url = text.removesuffix("#").removesuffix("#")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError(
            "must be an http, https, ws or wss URL with a host, as in https://api.openai.com/v1"
        )
    if "#" in url:
        raise ValueError("'#' marks stand at the very end, two at most; remove the others")
    if parts.port == 0:
        raise ValueError("has port 0; write the port of the upstream")
    return text


def transport_from_scheme(given: Any) -> Any:  # noqa: ANN401 - pydantic shows what it was given
    """`ws(s)` with no transport set means `websocket`; nothing else is read from a scheme."""
    if not isinstance(given, Mapping) or given.get("transport") is not None:
        return given
    if str(given.get("base_url", "")).startswith(("ws://", "wss://")):
        return {**given, "transport": "websocket"}
    return given


FromText = BeforeValidator(_list_from_text)
Words = Annotated[tuple[str, ...], FromText]
HeaderName = Annotated[
    str,
    _matching(r"[A-Za-z0-9_-]+", "no header name; write letters, digits, '-' and '_'"),
    AfterValidator(str.lower),
]
HeaderText = Annotated[str, _matching(r"[!-~]*", "must be printable ASCII without spaces")]
Name = Annotated[
    str, _matching(r"[A-Za-z0-9._-]+", "a name has letters, digits, '.', '_', '-'; rename it")
]
UrlPath = Annotated[str, _matching(r"/[!-~]*", 'must begin with "/", as in "/v1/responses"')]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Credential = Annotated[SecretStr, AfterValidator(_credential)]
Transport = Literal["auto", "websocket", "http"]
Api = Literal["responses", "chat_completions", "messages"]
