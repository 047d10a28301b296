"""The dialects of those who call us: which route reads and answers in which."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from longwire.core import sse
from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.chat_completions.client import ChatCompletions
from longwire.dialects.chat_completions.request import API as CHAT_COMPLETIONS
from longwire.dialects.chat_completions.request import decode_request as decode_chat
from longwire.dialects.codex.client import client_of
from longwire.dialects.generate_content.client import COUNTS as CONTENT_COUNTS
from longwire.dialects.generate_content.client import GenerateContent
from longwire.dialects.generate_content.models import GOOGLE_CLIENT, gemini_model, gemini_page
from longwire.dialects.generate_content.request import API as GENERATE_CONTENT
from longwire.dialects.generate_content.request import decode_request as decode_content
from longwire.dialects.generate_content.targets import PATHS as GEMINI_PATHS
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.messages.client import COUNTS, Messages
from longwire.dialects.messages.models import ANTHROPIC_VERSION, model_of, models_page
from longwire.dialects.messages.request import API as MESSAGES
from longwire.dialects.messages.request import decode_count as decode_message_count
from longwire.dialects.messages.request import decode_request as decode_message
from longwire.dialects.own_fields import RESPONSES
from longwire.dialects.ports import (
    NO_HEADERS,
    ClientDialect,
    Decode,
    Headers,
    Problem,
    Skim,
)
from longwire.dialects.responses.answer import EventEncoder, response_of
from longwire.dialects.responses.request import decode_compaction, decode_count, decode_request


class ResponsesAnswer:
    """An answer of the Responses API."""

    __slots__ = ("_client", "_encoder", "_is_count", "encode_plain")
    is_cut = False

    def __init__(self, turn: Turn, aggregate: Aggregate, headers: Headers) -> None:
        encoder = EventEncoder(turn.source.previous_response_id, aggregate)
        self._is_count = turn.purpose is Purpose.COUNT
        self._client = client_of(headers)
        self._encoder = encoder
        self.encode_plain = encoder.encode_plain

    def keep_alive(self) -> bytes:
        """Return what bridges silence."""
        return self._client.keep_alive(self._encoder)

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as server-sent events."""
        return self._encoder.encode_batch(self._client.events(events))

    def whole(self, terminal: Event) -> bytes:
        """Return the response alone; a count is none, and passes."""
        return response_of(terminal.raw if self._is_count else self._encoder.encode(terminal))

    def failure(self, problem: Problem) -> bytes:
        """Return the `response.failed` that ends a stream."""
        failed = self._encoder.failure(problem.code, problem.message)
        return sse.encode("response.failed", failed)


class Responses:
    """The Responses API, whose form the gateway keeps inside."""

    fields = RESPONSES

    def answer(self, turn: Turn, aggregate: Aggregate, headers: Headers) -> ResponsesAnswer:
        """Return what encodes an answer."""
        return ResponsesAnswer(turn, aggregate, headers)

    def refusal(self, problem: Problem, _request_id: str) -> Problem:
        """Return the problem: its envelope is this API's."""
        return problem

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply."""
        return {**limits, "x-request-id": request_id}


_EVENTS: Final = b"text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests are posted: how they are read, and in what they are answered.

    Where upstreams speak this `api`, too, its requests are read by `skim`.
    With an `estimate` a turn that no upstream can serve has that body for its answer. `key` is the
    gateway's key where the request's target has it. A stream is of the media type `streams_as`.
    """

    decode: Decode
    dialect: ClientDialect
    estimate: Callable[[Turn], bytes] | None = None
    key: str = field(default="", repr=False)
    streams_as: bytes = _EVENTS
    api: str = ""
    skim: Skim | None = None


_RESPONSES, _CHAT, _MESSAGES = Responses(), ChatCompletions(), Messages()
_GEMINI = GenerateContent()
_RESPONSE, _COMPACTION = Route(decode_request, _RESPONSES), Route(decode_compaction, _RESPONSES)
_MESSAGE = Route(decode_message, _MESSAGES, api=MESSAGES, skim=decode_message)
_MESSAGE_COUNT = Route(decode_message_count, _MESSAGES, COUNTS.estimate)
ROUTES: Final[Mapping[bytes, Route]] = {
    b"/v1/responses": _RESPONSE,
    b"/v1/responses/compact": _COMPACTION,
    b"/v1/responses/input_tokens": Route(decode_count, _RESPONSES),
    b"/v1/chat/completions": Route(decode_chat, _CHAT, api=CHAT_COMPLETIONS, skim=decode_chat),
    b"/backend-api/codex/responses": _RESPONSE,
    b"/backend-api/codex/responses/compact": _COMPACTION,
    b"/v1/messages": _MESSAGE,
    b"/v1/messages/count_tokens": _MESSAGE_COUNT,
    b"/anthropic/v1/messages": _MESSAGE,
    b"/anthropic/v1/messages/count_tokens": _MESSAGE_COUNT,
}
"""The routes by their paths, but for those of Gemini's API, whose paths name the model."""

_JSON: Final = b"application/json"


def route_to(target: Target) -> Route:
    """Return the route of what is posted to a model in Gemini's API."""
    return Route(
        partial(decode_content, target=target),
        _GEMINI,
        CONTENT_COUNTS.estimate if target.counts else None,
        target.key,
        _JSON if target.is_array else _EVENTS,
    )


_DECODERS: Final[Mapping[str, Decode]] = {
    "responses": decode_request,
    CHAT_COMPLETIONS: decode_chat,
    MESSAGES: decode_message,
}


def decoder_of(api: str, model: str) -> Decode:
    """Return what reads requests in an API; those of Gemini's have the model beside their body."""
    return _DECODERS.get(api) or partial(decode_content, target=Target(model))


_POSTED = [(path.decode(), route.dialect) for path, route in ROUTES.items()]
_DIALECTS: Mapping[str, ClientDialect] = {
    CHAT_COMPLETIONS: _CHAT,
    MESSAGES: _MESSAGES,
    GENERATE_CONTENT: _GEMINI,
}


def dialect_of(api: str) -> ClientDialect:
    """Return the dialect of a turn by its API, as the log names it."""
    return _DIALECTS.get(api.partition("/")[0], _RESPONSES)


def dialect_at(path: str, headers: Headers = NO_HEADERS) -> ClientDialect:
    """Return the dialect in which a path is answered: that of the route that it is, or is below.

    Elsewhere clients of Messages and of Gemini's API are known by a header, or by their own paths.
    """
    for posted, dialect in _POSTED:
        if path == posted or path.startswith(posted + "/"):
            return dialect
    if speaks_gemini(path, headers):
        return _GEMINI
    return _MESSAGES if speaks_messages(path, headers) else _RESPONSES


def speaks_messages(path: str, headers: Headers) -> bool:
    """Whether who asks, for a path that is of several APIs or of none, speaks the Messages API."""
    return ANTHROPIC_VERSION in headers or path.startswith("/anthropic/")


def speaks_gemini(path: str, headers: Headers) -> bool:
    """Whether who asks for such a path speaks Gemini's API."""
    return GOOGLE_CLIENT in headers or path.startswith(GEMINI_PATHS)


class ModelForm(NamedTuple):
    """How models are listed: one by its name, and the page of all names that a query asks for."""

    one: Callable[[str], dict[str, object]]
    page: Callable[[Sequence[str], Mapping[str, str]], dict[str, object]]


def model_form(path: str, headers: Headers) -> ModelForm | None:
    """Return how models are listed for who asks for such a path; None for OpenAI's own form."""
    if speaks_gemini(path, headers):
        return ModelForm(gemini_model, gemini_page)
    return ModelForm(model_of, models_page) if speaks_messages(path, headers) else None
