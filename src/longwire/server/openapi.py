"""The OpenAPI document of the data plane: its routes, what they take, and how they fail.

The body of a request is OpenAI's or Anthropic's; only what the gateway reads is described.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.nouns.passed_api import PASSED_APIS, PassedApi
from longwire.core.rules.session import KEY_HEADER, OTHER_KEY_HEADERS

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}


def _object(*required: str, **properties: Mapping[str, object]) -> dict[str, Any]:
    return {"type": "object", "required": [*required], "properties": properties}


_ERROR: Final = _object(
    "error",
    error=_object(
        *("message", "type", "param", "code"),
        message=_TEXT,
        type=_TEXT,
        param=_TEXT_OR_NULL,
        code=_TEXT_OR_NULL,
    ),
)
_REQUEST: Final = {
    "description": "A request for a response, as OpenAI's API has it; other members pass as given.",
    **_object(
        "model",
        model={"type": "string", "minLength": 1},
        input={"anyOf": [_TEXT, {"type": "array", "items": {"type": "object"}}]},
        stream={"type": "boolean"},
        background={"type": "boolean"},
        previous_response_id=_TEXT_OR_NULL,
        prompt_cache_key=_TEXT_OR_NULL,
    ),
}
_OBJECTS: Final = {"type": "array", "minItems": 1, "items": {"type": "object"}}
_CHAT_REQUEST: Final = {
    "description": "A request for a chat completion, as OpenAI's API has it.",
    **_object(
        *("model", "messages"),
        model={"type": "string", "minLength": 1},
        messages=_OBJECTS,
        stream={"type": "boolean"},
        max_completion_tokens={"type": "integer", "minimum": 1},
    ),
}
_COUNT_REQUEST: Final = {
    "description": "What is counted of a request for a message, as Anthropic's API has it.",
    **_object(
        *("model", "messages"),
        model={"type": "string", "minLength": 1},
        messages=_OBJECTS,
        system={"anyOf": [_TEXT, {"type": "array", "items": {"type": "object"}}]},
    ),
}
_MESSAGES_REQUEST: Final = {
    "description": "A request for a message, as Anthropic's API has it.",
    "allOf": [
        {"$ref": "#/components/schemas/CountRequest"},
        _object(
            "max_tokens",
            max_tokens={"type": "integer", "minimum": 1},
            stream={"type": "boolean"},
        ),
    ],
}
_ANTHROPIC_ERROR: Final = _object(
    *("type", "error"),
    type={"const": "error"},
    error=_object("type", "message", type=_TEXT, message=_TEXT),
    request_id=_TEXT,
)
_MODEL: Final = _object(
    *("id", "object", "created", "owned_by"),
    id=_TEXT,
    object={"const": "model"},
    created={"type": "integer"},
    owned_by={"type": "string", "description": "The channel that lists it first."},
)
_MODELS: Final = _object(
    *("object", "data"),
    object={"const": "list"},
    data={"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
)
_ANTHROPIC_MODEL: Final = _object(
    *("type", "id", "display_name", "created_at", "lifecycle"),
    type={"const": "model"},
    id=_TEXT,
    display_name=_TEXT,
    created_at=_TEXT,
    lifecycle=_TEXT,
)
_ANTHROPIC_MODELS: Final = _object(
    *("data", "has_more", "first_id", "last_id"),
    data={"type": "array", "items": {"$ref": "#/components/schemas/AnthropicModel"}},
    has_more={"type": "boolean"},
)
_GEMINI_REQUEST: Final = {
    "description": "A request for content, as Google's API has it.",
    **_object(
        "contents",
        contents=_OBJECTS,
        systemInstruction={"type": "object"},
        generationConfig={"type": "object"},
    ),
}
_GEMINI_ERROR: Final = _object(
    "error",
    error=_object(
        *("code", "message", "status"),
        code={"type": "integer"},
        message=_TEXT,
        status=_TEXT,
        details={"type": "array"},
    ),
)
_GEMINI_MODEL: Final = _object("name", "displayName", name=_TEXT, displayName=_TEXT)
_GEMINI_MODELS: Final = _object(
    "models",
    models={"type": "array", "items": {"$ref": "#/components/schemas/GeminiModel"}},
    nextPageToken=_TEXT,
)
_PASSED_REQUEST: Final = {
    "description": "As OpenAI's API has it: all but the model passes as it is.",
    **_object("model", model={"type": "string", "minLength": 1}),
}
_FORM: Final = {
    "description": "The same as a form, with its files.",
    **_object("model", model={"type": "string", "minLength": 1}, file={"type": "string"}),
}
_STAGE: Final = _object("status", status=_TEXT)
_ID: Final = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
_REST: Final = {"name": "rest", "in": "path", "required": True, "schema": _TEXT}
_JSON: Final = "application/json"
_KEYS: Final = {
    "key": {"type": "http", "scheme": "bearer"},
    **{
        name: {"type": "apiKey", "in": "header", "name": name}
        for name in (KEY_HEADER, *OTHER_KEY_HEADERS)
    },
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{name: []} for name in _KEYS]
_FAILURES: Final = {
    "400": "The request cannot be read, or names a field with a wrong value.",
    "401": "No key, or one that is not accepted.",
    "404": "No such model for this key.",
    "413": "The body is too large.",
    "429": "A limit of the key, of its channels or of the upstream is reached.",
    "500": "A failure of the gateway's own.",
    "502": "The upstream cannot be reached, or broke off.",
    "503": "Every connection is busy, or the gateway is shutting down.",
    "504": "The upstream was silent for too long.",
}


async def openapi(_request: Request) -> Response:
    """Answer with the document."""
    return JSONResponse(document())


def document() -> dict[str, Any]:
    """Return the document."""
    schemas = {"Error": _ERROR, "Request": _REQUEST, "Model": _MODEL, "Models": _MODELS}
    schemas |= {"ChatRequest": _CHAT_REQUEST, "MessagesRequest": _MESSAGES_REQUEST}
    schemas |= {"CountRequest": _COUNT_REQUEST, "PassedRequest": _PASSED_REQUEST, "Form": _FORM}
    schemas |= {"AnthropicError": _ANTHROPIC_ERROR, "AnthropicModel": _ANTHROPIC_MODEL}
    schemas |= {"AnthropicModels": _ANTHROPIC_MODELS}
    schemas |= {"GeminiRequest": _GEMINI_REQUEST, "GeminiError": _GEMINI_ERROR}
    schemas |= {"GeminiModel": _GEMINI_MODEL, "GeminiModels": _GEMINI_MODELS}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Longwire", "version": version("longwire")},
        "security": _SECURITY,
        "paths": _paths(),
        "components": {
            "schemas": schemas | {"Stage": _STAGE},
            "securitySchemes": _KEYS,
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/v1/responses": {"post": _create(), "get": _upgrade()},
        "/v1/responses/compact": {"post": _compact()},
        "/v1/responses/input_tokens": {"post": _count()},
        **{path: {"post": each} for path, each in (*_dialects(), *_gemini())},
        **{f"/v1{api.path}": {"post": _passed(api)} for api in PASSED_APIS.values()},
        **{f"/v1/responses/{{id}}{path}": each for path, each in _stored().items()},
        **_models("/v1", "Models", "Model", "Error"),
        **_models("/anthropic/v1", "AnthropicModels", "AnthropicModel", "AnthropicError"),
        **_models("/v1beta", "GeminiModels", "GeminiModel", "GeminiError"),
        "/api/hello": {"get": _open("A sign of life, for Claude Code.", _JSON)},
        "/health": {"get": _probe("The process lives.")},
        "/ready": {"get": _probe("It can serve.", {"503": "It starts, leaves or drains."})},
        "/metrics": {"get": _metrics()},
        "/openapi.json": {"get": _open("This document.", "application/json")},
        **{f"/backend-api/{path}": operations for path, operations in _codex().items()},
    }


def _models(prefix: str, several: str, one: str, error: str) -> dict[str, Any]:
    listed = _read("The models that the key may use.", several, "401", error=error)
    found = _read("One model.", one, "401", "404", error=error)
    return {
        f"{prefix}/models": {"get": listed},
        f"{prefix}/models/{{id}}": {"get": {**found, "parameters": [_ID]}},
    }


def _dialects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is asked in other APIs of the same models."""
    chat, messages = "Ask for a chat completion.", "Ask for a message."
    count = "Count what a request for a message would send; one JSON answer."
    yield "/v1/chat/completions", _create(chat, "ChatRequest")
    for prefix in ("", "/anthropic"):
        path = f"{prefix}/v1/messages"
        yield path, _create(messages, "MessagesRequest", "AnthropicError")
        yield f"{path}/count_tokens", _create(count, "CountRequest", "AnthropicError")


def _gemini() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is asked of a model in Gemini's API."""
    texts = {
        "generateContent": "Ask for content; one JSON answer.",
        "streamGenerateContent": "Ask for content, as an array; with `alt=sse` as events.",
        "countTokens": "Count what such a request would send; one JSON answer.",
    }
    for action, text in texts.items():
        created = _create(text, "GeminiRequest", "GeminiError")
        yield f"/v1beta/models/{{id}}:{action}", {**created, "parameters": [_ID]}


def _codex() -> dict[str, Any]:
    """Return what Codex asks for that is signed in with ChatGPT."""
    listed = {**_open("The models that the key may use, as Codex reads them.", _JSON)}
    listed["responses"] |= {"304": {"description": "The list is the same."}, **_failures("401")}
    listed["security"] = _SECURITY
    return {
        "codex/responses": {"post": _create(), "get": _upgrade()},
        "codex/responses/compact": {"post": _compact()},
        "codex/models": {"get": listed},
        "codex/analytics-events/events": {"post": _open("Taken unread.", _JSON, "202")},
        "wham/accounts/check": {"get": _open("The account of the caller's own token.", _JSON)},
        "wham/usage": {"get": _open("How much of a subscription is used.", _JSON)},
        "wham/settings/user": {"get": _open("No settings.", _JSON)},
        "ps/plugins/{rest}": {"get": {**_open("No plugins.", _JSON), "parameters": [_REST]}},
        "ps/mcp": dict.fromkeys(("get", "post"), _nothing()),
    }


def _nothing() -> dict[str, Any]:
    return {"summary": "There is no such server.", "security": [], "responses": _failures("404")}


def _compact() -> dict[str, Any]:
    return _create("Shorten a history; one JSON answer, never a stream.")


def _count() -> dict[str, Any]:
    return _create("Count what a request would send; one JSON answer.")


def _stored() -> dict[str, Any]:
    """Return what can be asked of a response where it was made."""
    texts = {
        "": {"get": "The response; with `stream`, its events.", "delete": "Delete it."},
        "/cancel": {"post": "Cancel one that runs in the background."},
        "/input_items": {"get": "What it was asked."},
    }
    return {
        path: {
            method: {
                "summary": text,
                "parameters": [_ID],
                "responses": {"200": _answer("As the upstream says it."), **_failures()},
            }
            for method, text in methods.items()
        }
        for path, methods in texts.items()
    }


def _create(
    summary: str = "Ask for a response; with `stream`, as server-sent events.",
    request: str = "Request",
    error: str = "Error",
) -> dict[str, Any]:
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {"200": _answer("The answer, or its events."), **_failures(error=error)},
    }


def _passed(api: PassedApi) -> dict[str, Any]:
    content = _json("PassedRequest")
    if api.takes_forms:
        content["multipart/form-data"] = {"schema": {"$ref": "#/components/schemas/Form"}}
    answer = _answer("As the upstream says it.")
    answer["content"]["*/*"] = {}
    return {
        "summary": f"{api.name}: passed on to a channel that has it, with the model.",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": answer, **_failures()},
    }


def _upgrade() -> dict[str, Any]:
    summary = "Upgrade to the API's WebSocket mode; without an upgrade it is refused."
    switched = {"101": {"description": "Messages from here on."}}
    return {"summary": summary, "responses": {**switched, **_failures("401", "426", "503")}}


def _read(text: str, schema: str, *failures: str, error: str = "Error") -> dict[str, Any]:
    others = _failures(*failures, error=error)
    return {"summary": text, "responses": {"200": _response(text, schema), **others}}


def _probe(text: str, others: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    texts = {"200": text, **others}
    responses = {status: _response(each, "Stage") for status, each in texts.items()}
    return {"summary": text, "security": [], "responses": responses}


def _metrics() -> dict[str, Any]:
    found = _open("Metrics in Prometheus' text format.", "text/plain")
    found["responses"]["404"] = {"description": "Another node answers than the one meant."}
    return {**found, "parameters": [{"name": "node", "in": "query", "schema": _TEXT}]}


def _open(text: str, media_type: str, status: str = "200") -> dict[str, Any]:
    content: dict[str, Any] = {media_type: {}}
    responses: dict[str, Any] = {status: {"description": text, "content": content}}
    return {"summary": text, "security": [], "responses": responses}


def _answer(text: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {}, "text/event-stream": {}}
    return {"description": text, "content": content}


def _response(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": _json(schema)}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _failures(*statuses: str, error: str = "Error") -> dict[str, Any]:
    """Return these failures, or all; any other has the same shape."""
    texts = {"426": "Use POST.", **_FAILURES}
    chosen = statuses or tuple(_FAILURES)
    default = {"default": _response("Any other failure.", error)}
    return {status: _response(texts[status], error) for status in chosen} | default
