"""A channel as an operator configures it, and the rules that its fields keep.

Law: each bad value is one problem that names its field and the mend. The rules are the same for the
file, the admin API and the commands. The transport is a setting of its own, apart from the URL.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import Rates, check_limits
from longwire.core.nouns.channel_key import OWN_KEY, ChannelKey, check_keys
from longwire.core.nouns.override import Override, check_overrides
from longwire.core.nouns.passed_api import OPENAI_OFFERS, PASSED_APIS
from longwire.core.nouns.price import ModelPrice, check_prices
from longwire.core.nouns.renames import check_renames, is_pattern
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sent_headers import check_headers
from longwire.core.nouns.weight import WEIGHT_MEND, is_weight


@dataclass(frozen=True, slots=True)
class ChannelType:
    """What a type of channels is configured with.

    `needs_key`: it cannot do without an API key; `takes_accounts`: people sign in for it instead.
    `handshake_rate` is how many WebSocket handshakes a second its upstream takes, 0 for any number;
    `apis` are those that it offers, `native_items` those of `NATIVE_ITEMS` that it takes, as far as
    is known. Where it speaks the Messages API its key stands in all of `key_headers`.
    """

    base_url: str
    needs_key: bool = True
    takes_accounts: bool = False
    handshake_rate: float = 0.0
    native_items: tuple[str, ...] = ()
    apis: tuple[str, ...] = ("responses",)
    key_headers: tuple[str, ...] = ("x-api-key", "authorization")


CHANNEL_TYPES = {
    "openai": ChannelType(
        "https://api.openai.com/v1",
        native_items=("additional_tools",),
        apis=("responses", "chat_completions", *OPENAI_OFFERS),
    ),
    "codex": ChannelType(
        "https://chatgpt.com/backend-api/codex",
        needs_key=False,
        takes_accounts=True,
        handshake_rate=1.0,
    ),
    "anthropic": ChannelType(
        "https://api.anthropic.com/v1", apis=("messages",), key_headers=("x-api-key",)
    ),
    "gemini": ChannelType(
        "https://generativelanguage.googleapis.com/v1beta", apis=("generate_content",)
    ),
}
TYPES = (*CHANNEL_TYPES,)
APIS = ("responses", "chat_completions", "messages", "generate_content")
"""The APIs of conversations."""

ALL_APIS = (*APIS, *PASSED_APIS)
UNSUPPORTED = ("refuse", "drop")
"""What becomes of members that change the answer and that an upstream has no equivalent for."""

TRANSPORTS = ("auto", "websocket", "http")
NATIVE_ITEMS = ("additional_tools", "configuration_update")
"""Items of an input that some upstreams take and others do not."""
DEFAULT_BASE_URLS = {name: each.base_url for name, each in CHANNEL_TYPES.items()}
DEFAULT_PATHS = {
    "responses": "/responses",
    "chat_completions": "/chat/completions",
    "messages": "/messages",
    "generate_content": "/models",
    **{name: each.path for name, each in PASSED_APIS.items()},
}
DEFAULT_VERSIONS = {**dict.fromkeys(ALL_APIS, "/v1"), "generate_content": "/v1beta"}
"""What a base URL without any path is completed by."""
_OF_AN_API = re.compile(
    "/(?:responses(?:/compact)?|(?:chat/)?completions|messages|models(?:/[^/]*:[A-Za-z]+)?"
    "|embeddings|images/[a-z]+|audio/[a-z]+|moderations|rerank)/*$"
)
_PLACEHOLDER = re.compile("YOUR(?![A-Z])(?:[-_][A-Z]+)*")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_WORDS = re.compile(r"[^\x00-\x1f\x7f]{0,256}")
_VISIBLE = re.compile(r"[!-~]+")
_PATH = re.compile(r'/[!"$-~]*')
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class Status(StrEnum):
    """Whether a channel takes part in routing; an archived one is also out of the lists."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One API of a channel where it differs: "" inherits the channel's base URL or transport.

    A `path` of "" is the API's own.
    """

    api: str
    path: str = ""
    base_url: str = ""
    transport: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A configured upstream.

    `renames` pairs the model a caller asks for, or a pattern of such names, with the one that is
    sent; the channel serves these names besides its `models`. `headers` are added to every request
    upstream; `tls_ca` is the path of a PEM file. `apis` and `native_items` of None are those of the
    type. A `profile` of "" goes by the host; `quirks` pair its settings with other values, as JSON.
    `threads`: an upstream of the Messages API is asked to go on from its last message. `prices` go
    before those that are known. `keys` stand beside the `credential`;
    `overrides` are put into what is sent. Times in ms since 1970 UTC.
    """

    id: str
    name: str
    type: str = "openai"
    base_url: str = DEFAULT_BASE_URLS["openai"]
    credential: Secret = Secret("")
    transport: str = "auto"
    models: tuple[str, ...] = ("*",)
    renames: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    status: Status = Status.ENABLED
    organization: str = ""
    project: str = ""
    proxy: Secret = Secret("")
    tls_ca: str = ""
    tls_verify: bool = True
    headers: tuple[tuple[str, Secret], ...] = ()
    rates: Rates = Rates()
    handshake_rate: float = 0.0
    handshake_burst: int = 3
    native_items: tuple[str, ...] | None = None
    apis: tuple[str, ...] | None = None
    profile: str = ""
    quirks: tuple[tuple[str, str], ...] = ()
    unsupported: str = "refuse"
    threads: bool = False
    prices: tuple[ModelPrice, ...] = ()
    endpoints: tuple[EndpointSpec, ...] = ()
    keys: tuple[ChannelKey, ...] = ()
    overrides: tuple[Override, ...] = ()
    created_at: int = 0
    updated_at: int = 0
    revision: int = 0
    is_declared: bool = False

    @property
    def keys_in_force(self) -> tuple[ChannelKey, ...]:
        """Every key of a channel that has several, its own among them; none where it has one."""
        own = (ChannelKey(OWN_KEY, self.credential),) if self.keys and self.credential else ()
        return (*own, *self.keys)

    def for_key(self, key: ChannelKey) -> "ChannelSpec":
        """Return the channel as it is with one of its keys alone."""
        return replace(self, credential=key.secret, keys=())

    @property
    def foreign_items(self) -> tuple[str, ...]:
        """The `NATIVE_ITEMS` that the upstream does not take."""
        taken = self.native_items
        if taken is None:
            taken = CHANNEL_TYPES[self.type].native_items
        return tuple(each for each in NATIVE_ITEMS if each not in taken)

    @property
    def named_models(self) -> tuple[str, ...]:
        """The models that it serves by their names, not by a pattern."""
        names = (*self.models, *(requested for requested, _ in self.renames))
        return tuple(dict.fromkeys(name for name in names if not is_pattern(name)))

    @property
    def apis_in_force(self) -> tuple[str, ...]:
        """The APIs that the upstream offers, of conversations and all others."""
        return CHANNEL_TYPES[self.type].apis if self.apis is None else self.apis

    @property
    def offered(self) -> tuple[str, ...]:
        """The APIs of conversations that it offers."""
        return tuple(api for api in self.apis_in_force if api not in PASSED_APIS)

    @property
    def passed(self) -> tuple[str, ...]:
        """The other ones, but for those that a URL which is used as it stands does not lead to."""
        return tuple(
            api
            for api in self.apis_in_force
            if api in PASSED_APIS
            and (self.endpoint(api).base_url != self.base_url or not self.base_url.endswith("##"))
        )

    def endpoint(self, api: str = "responses") -> EndpointSpec:
        """Return the endpoint of an API, with everything that it inherits filled in."""
        own = next((each for each in self.endpoints if each.api == api), EndpointSpec(api))
        transport = own.transport or transport_of_scheme(own.base_url) or self.transport
        return EndpointSpec(
            api,
            own.path or DEFAULT_PATHS[api],
            own.base_url or self.base_url,
            transport if api == "responses" else "http",
        )


def transport_of_scheme(base_url: str) -> str:
    """Return the transport that a `ws(s)` URL means where none is set; "" for other URLs."""
    return "websocket" if base_url.startswith(("ws://", "wss://")) else ""


def check_base_url(text: str) -> str | None:
    """Return what is wrong with a base URL, None if nothing is."""
    url = text.removesuffix("#").removesuffix("#")
    if not _VISIBLE.fullmatch(text):
        return "must be printable ASCII without spaces"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is no URL ({error})"
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        return "must be an http, https, ws or wss URL with a host, as in https://api.openai.com/v1"
    if "#" in url:
        return "'#' marks stand at the very end, two at most; remove the others"
    if port == 0:
        return "has port 0; write the port of the upstream"
    if parts.username is not None or parts.password is not None:
        return "has a user or a password; write the upstream's key as the channel's key"
    return _unfinished(text, parts.path)


def _unfinished(base_url: str, path: str) -> str | None:
    """Return what is missing from a base URL, or too much at its end."""
    if found := _PLACEHOLDER.search(base_url):
        return f"still has {found[0]}; write your own in its place, as the vendor shows it to you"
    if not base_url.endswith("##") and (found := _OF_AN_API.search(path)):
        return (
            f"ends with {found[0]}, the path of an API, which is appended to it; leave that out, "
            "or write ## behind it to use the URL exactly as it stands"
        )
    return None


def check_proxy(text: str) -> str | None:
    """Return what is wrong with a proxy's URL, None if nothing is."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in _PROXY_SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or not _VISIBLE.fullmatch(text):
        return "must be an http, https, socks4 or socks5 URL with a host, as in http://proxy:3128"
    return None


def check_endpoint_transport(api: str, transport: str) -> str | None:
    """Return why an API cannot be spoken over a transport, None if it can."""
    if transport == "websocket" and api != "responses":
        return (
            "only the responses API has a websocket transport; "
            f'write transport = "http" for the endpoint {api}'
        )
    return None


def check_apis(spec: ChannelSpec) -> Iterator[FieldProblem]:
    """Yield what does not go together with the APIs that a channel offers."""
    if spec.type not in TYPES or not {*spec.offered} <= {*APIS}:
        return
    own = CHANNEL_TYPES[spec.type]
    if own.takes_accounts and not {*spec.apis_in_force} <= {*own.apis}:
        mend = f"of this type there is {', '.join(own.apis)} alone; leave apis out"
        yield FieldProblem("apis", mend)
    if spec.transport == "websocket" and "responses" not in spec.offered:
        mend = 'only the responses API has a websocket; add it to apis, or write "http"'
        yield FieldProblem("transport", mend)
    for number, endpoint in enumerate(spec.endpoints):
        if endpoint.api in ALL_APIS and endpoint.api not in spec.apis_in_force:
            mend = f"{endpoint.api} is not offered; add it to apis, or remove this endpoint"
            yield FieldProblem(f"endpoints.{number}.apiFormat", mend)
    if spec.threads and "messages" not in spec.offered:
        mend = "only the messages API has them; add messages to apis, or leave threads off"
        yield FieldProblem("threads", mend)


def check(spec: ChannelSpec) -> tuple[FieldProblem, ...]:
    """Return every problem of a channel by field, as `endpoints.0.path`; none for a good one."""
    own_headers = {name.lower() for name, _ in spec.headers}
    return (
        *_fields(spec),
        *check_keys(spec.credential, spec.keys),
        *check_overrides(spec.overrides, ALL_APIS, own_headers),
        *check_apis(spec),
        *_endpoints(spec.endpoints),
    )


def _fields(spec: ChannelSpec) -> Iterator[FieldProblem]:
    tests = (
        ("name", _NAME.fullmatch(spec.name), "write 1 to 100 letters, digits, '.', '_' or '-'"),
        ("type", spec.type in TYPES, _one_of(TYPES)),
        ("transport", spec.transport in TRANSPORTS, _one_of(TRANSPORTS)),
        ("models", all(spec.models) and spec.models, "name at least one model, or '*' for all"),
        ("models", _are_words(spec.models), "a name has at most 256 printable characters"),
        ("tags", all(spec.tags) and _are_words(spec.tags), "write 1 to 256 printable characters"),
        ("renames", _are_words(sum(spec.renames, ())), "a name has at most 256 characters"),
        ("weight", is_weight(spec.weight), WEIGHT_MEND),
        ("handshakeRate", 0 <= spec.handshake_rate < float("inf"), "must be 0 or more"),
        ("handshakeBurst", spec.handshake_burst >= 1, "must be 1 or more"),
        ("nativeItems", {*(spec.native_items or ())} <= {*NATIVE_ITEMS}, _one_of(NATIVE_ITEMS)),
        ("apis", {*(spec.apis or ())} <= {*ALL_APIS}, _one_of(ALL_APIS)),
        ("apis", spec.apis is None or spec.apis, "name at least one API"),
        ("apis", _is_unique(spec.apis or ()), "an API stands twice; keep one"),
        ("unsupported", spec.unsupported in UNSUPPORTED, _one_of(UNSUPPORTED)),
        ("nativeItems", _is_unique(spec.native_items or ()), "an item stands twice; keep one"),
        ("organization", _is_visible(spec.organization), "must be printable ASCII without spaces"),
        ("project", _is_visible(spec.project), "must be printable ASCII without spaces"),
        ("tlsCa", _are_words((spec.tls_ca,)), "must be the path of a PEM file"),
        ("apiKey", _is_visible(spec.credential.reveal()), "must be printable ASCII, no spaces"),
        ("apiKey", _has_needed_key(spec), "is missing; give the upstream's key"),
    )
    yield from (FieldProblem(field, message) for field, is_good, message in tests if not is_good)
    if (problem := check_base_url(spec.base_url)) is not None:
        yield FieldProblem("baseURL", problem)
    if spec.proxy and (problem := check_proxy(spec.proxy.reveal())) is not None:
        yield FieldProblem("proxy", problem)
    if (problem := check_renames(spec.renames)) is not None:
        yield FieldProblem("renames", problem)
    yield from check_headers(spec.headers)
    yield from check_prices(spec.prices)
    yield from check_limits("rates", spec.rates)


def _has_needed_key(spec: ChannelSpec) -> bool:
    return bool(spec.credential or spec.keys) or not _needs_key(spec.type)


def _needs_key(type_: str) -> bool:
    return type_ in CHANNEL_TYPES and CHANNEL_TYPES[type_].needs_key


def _endpoints(endpoints: Iterable[EndpointSpec]) -> Iterator[FieldProblem]:
    seen: set[str] = set()
    for number, endpoint in enumerate(endpoints):
        place = f"endpoints.{number}"
        if endpoint.api not in ALL_APIS:
            yield FieldProblem(f"{place}.apiFormat", _one_of(ALL_APIS))
        elif endpoint.api in seen:
            yield FieldProblem(f"{place}.apiFormat", f"{endpoint.api} stands twice; remove one")
        seen.add(endpoint.api)
        if endpoint.path and not _PATH.fullmatch(endpoint.path):
            yield FieldProblem(f"{place}.path", 'must begin with "/", as in "/v1/responses"')
        if endpoint.base_url and (problem := check_base_url(endpoint.base_url)) is not None:
            yield FieldProblem(f"{place}.baseURL", problem)
        if endpoint.transport and endpoint.transport not in TRANSPORTS:
            yield FieldProblem(f"{place}.transport", _one_of(TRANSPORTS))
            continue
        transport = endpoint.transport or transport_of_scheme(endpoint.base_url)
        if (problem := check_endpoint_transport(endpoint.api, transport)) is not None:
            yield FieldProblem(f"{place}.transport", problem)


def _one_of(words: Iterable[str]) -> str:
    return f"must be one of {', '.join(words)}"


def _is_unique(words: Collection[str]) -> bool:
    return len(set(words)) == len(words)


def _are_words(words: Iterable[str]) -> bool:
    return all(_WORDS.fullmatch(word) for word in words)


def _is_visible(text: str) -> bool:
    return not text or _VISIBLE.fullmatch(text) is not None
