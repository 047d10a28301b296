"""How the emulator behaves: `Options` for the server as a whole, `Script` for its pretended model.

These values and the request decide everything; nothing is random or read from the environment.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Json = Any  # a decoded JSON value
Size = Annotated[int, Meta(ge=0)]
Route = Literal["public", "codex"]
Transport = Literal["websocket", "http"]
Vendor = Literal[
    "openai", "azure", "deepseek", "kimi", "glm", "qwen", "mistral", "groq", "xai", "vllm",
    "vllm_unparsed", "ollama", "openrouter", "gemini", "anthropic",
]  # fmt: skip


class IssuerOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How people sign in. Durations are seconds."""

    client_id: str = "app_EMoamEEZ73f0CkXaXp7hrann"
    people: tuple[str, ...] = ("ada@example.org",)
    access_lifetime: float = 864_000.0
    reuse_leeway: bool = False
    """Answer a refresh token again as before, until what came for it was first used."""
    device_interval: int = 5


class Options(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of one emulator. Durations are seconds, sizes bytes."""

    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: str | None = None
    tls_key: str | None = None
    api_keys: tuple[str, ...] | None = None
    """Bearer tokens that are let in; None lets any non-empty one in."""
    models: tuple[str, ...] = ("gpt-5.5", "gpt-5.2", "gpt-5-mini")
    strict: bool = True
    """Answer unknown top-level parameters with an error."""
    check_encrypted: bool = True
    """Accept only `encrypted_content` that was minted here for the same account."""
    needs_instructions: bool = False
    """The Codex route wants a text as `instructions`, be it empty, as for its older models."""
    check_ids: bool = False
    """Refuse ids of items that do not begin as this vendor's do, on the public route, too."""
    needs_reasoning: bool = True
    """Refuse items by their ids where the reasoning that led to them is missing."""
    paired_ids: bool = False
    """Also demand that `encrypted_content` comes with the id it was minted for, as Azure does."""
    multiplexing: bool = True
    """Lanes (`stream_id`) on the public route; the Codex route never has them."""
    max_active: int = 16
    max_lanes: int = 32
    max_message: int = 16 * 1024 * 1024
    max_body: int = 256 * 1024 * 1024
    lifetime: float = 3600.0
    announce_limit: Literal["next_create", "idle"] = "next_create"
    """Whether the lifetime's end is told to the next create or to the idle socket."""
    idle_eviction: float | None = None
    """A lane forgets its response after so long without a turn."""
    zdr: bool = False
    """Zero data retention: `store` counts as false."""
    stored_responses: int = 1000
    terminal_output: Literal["full", "null", "missing", "empty"] = "full"
    warm_up: Literal["full", "terminal_only"] = "full"
    unstored_reference_status: Literal[400, 404] = 400
    message_start: Literal["plain", "duplicate", "spliced", "whole"] = "plain"
    """How a stream of Messages begins: once, twice, anew in its middle, or with all its blocks."""
    message_usage: Literal["always", "at_end"] = "always"
    """Whether `message_start` of a stream of Messages has a usage, too."""
    message_pings: bool = False
    """Pings behind each event of a stream of Messages."""
    threads: Literal["full", "unsupported", "unknown"] = "full"
    """Whether Messages keeps threads, refuses them, or knows no such member."""
    thread_lifetime: float = 300.0
    """How long a thread lives after its last request."""
    context_window: int | None = None
    """The most tokens of a prompt of Messages, its `max_tokens` included."""
    fragment_bytes: int | None = None
    """Split server messages into WebSocket fragments of this size."""
    compression: bool = True
    """Agree to permessage-deflate when it is offered (server frames stay uncompressed)."""
    obfuscation: bool = True
    done_marker: bool = False
    """End SSE streams with `data: [DONE]`."""
    recent_turns: int = 10_000
    chat_vendor: Vendor = "openai"
    """Whose Chat Completions are spoken."""
    chat_ending: Literal["plain", "twice", "no_reason", "no_done"] = "plain"
    """How a stream of Chat Completions ends: also with a second finish chunk, or without a part."""
    gemini_models: tuple[str, ...] = ("gemini-3-pro-preview", "gemini-3-flash", "gemini-2.5-flash")
    """The models that Gemini's API lists."""
    gemini_ids: bool = True
    """Gemini's calls have ids."""
    gemini_calls: Literal["whole", "pieces"] = "whole"
    """Whether a stream brings each value of a call's arguments by its path."""
    gemini_signatures: bool = True
    """Refuse calls to Gemini 3 models that come back without their thought signature."""
    oddities: tuple[str, ...] = ()
    """What it does beside the specification, by name."""
    issuer: IssuerOptions | None = None
    """Sign people in, and let only their live access tokens in on the Codex route."""


class Call(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that the pretended model makes: the name of a function, and JSON in a string."""

    tool: str
    arguments: str


class Script(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the pretended model answers. Sizes in bytes, delays in milliseconds."""

    tool_rounds: Size = 1
    parallel_calls: Annotated[int, Meta(ge=1, le=128)] = 1
    custom_tools: bool = False
    tool: str = ""
    """The one tool that is called, by its name, where it is offered."""
    arguments: str = ""
    """What it is called with, as JSON; "" makes arguments up from the tool's schema."""
    calls: tuple[Call, ...] = ()
    """What is called one after the other instead, of those whose tool is offered."""
    text: str = ""
    """The answer, in place of one that tells the context's digest."""
    refusal: str = ""
    """What the model says in place of an answer."""
    phases: bool = False
    """Whether commentary comes before a final answer, too."""
    searches: bool = False
    """Whether it searches the web before it answers, where `web_search` is offered."""
    reasoning: bool = True
    summaries: Annotated[int, Meta(ge=0, le=16)] = 1
    """Parts of the summary of its reasoning."""
    commentary: bool = True
    deltas: Annotated[int, Meta(ge=1)] = 4
    delta_bytes: Size = 0
    text_bytes: Size = 0
    item_bytes: Annotated[int, Meta(ge=128)] = 1024 * 1024
    delay_ms: Annotated[float, Meta(ge=0)] = 0
    first_event_ms: Annotated[float, Meta(ge=0)] = 0
    upload_ms_per_kib: Annotated[float, Meta(ge=0)] = 0
    finish: Annotated[
        str, Meta(pattern=r"^(completed|incomplete|cancelled|failed:[a-z0-9_]+)$")
    ] = "completed"
    finish_reason: str = ""
    """The reason that the answer names for its end, in the API's own words."""
    block_reason: str = ""
    """Why Gemini's API blocks the prompt: there is no candidate."""
    error: str | dict[str, Any] | None = None
    """The error of a response that fails, in place of the code's own."""
    output: bool = True
    """Whether there are items at all."""
    end_without_terminal: bool = False
    unknown_events: bool = False
