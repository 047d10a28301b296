"""The OpenAPI document of the data plane: its routes, what they take, and how they fail.

The body of a request is OpenAI's and passes as it is; only what the gateway reads is described.
"""

from importlib.metadata import version
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_REQUEST: Final = {
    "type": "object",
    "required": ["model"],
    "description": "A request for a response, as OpenAI's API has it; other members pass as given.",
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "input": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}],
        },
        "stream": {"type": "boolean"},
        "background": {"type": "boolean"},
        "previous_response_id": {"type": ["string", "null"]},
        "prompt_cache_key": {"type": ["string", "null"]},
    },
}
_MODEL: Final = {
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string", "description": "The channel that lists it first."},
    },
}
_MODELS: Final = {
    "type": "object",
    "required": ["object", "data"],
    "properties": {
        "object": {"const": "list"},
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
    },
}
_STAGE: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}},
}
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
    return {
        "openapi": "3.1.0",
        "info": {"title": "Longwire", "version": version("longwire")},
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas | {"Stage": _STAGE},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    named = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/responses": {
            "post": {
                "summary": "Ask for a response; with `stream`, as server-sent events.",
                "requestBody": {"required": True, "content": _json("Request")},
                "responses": {"200": _answer("The response, or its events."), **_failures()},
            },
            "get": {
                "summary": "The WebSocket mode for clients does not exist yet.",
                "responses": _failures("426"),
            },
        },
        "/v1/models": {
            "get": {
                "summary": "The models that the key may use.",
                "responses": {"200": _told("The models.", "Models"), **_failures("401")},
            }
        },
        "/v1/models/{id}": {
            "get": {
                "summary": "One model.",
                "parameters": [named],
                "responses": {"200": _told("The model.", "Model"), **_failures("401", "404")},
            }
        },
        "/health": {"get": _probe("The process lives.")},
        "/ready": {
            "get": {
                **_probe("It can serve."),
                "responses": {
                    "200": _told("It can serve.", "Stage"),
                    "503": _told("It starts, or drains.", "Stage"),
                },
            }
        },
        "/metrics": {
            "get": {
                "summary": "Metrics in Prometheus' text format.",
                "security": [],
                "responses": {"200": {"description": "Metrics.", "content": {"text/plain": {}}}},
            }
        },
        "/openapi.json": {
            "get": {
                "summary": "This document.",
                "security": [],
                "responses": {"200": {"description": "It.", "content": {"application/json": {}}}},
            }
        },
    }


def _probe(text: str) -> dict[str, Any]:
    return {"summary": text, "security": [], "responses": {"200": _told(text, "Stage")}}


def _answer(text: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {}, "text/event-stream": {}}
    return {"description": text, "content": content}


def _told(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": _json(schema)}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _failures(*statuses: str) -> dict[str, Any]:
    """Return these failures, or all; any other has the same shape."""
    told = {"426": "Use POST.", **_FAILURES}
    chosen = statuses or tuple(_FAILURES)
    default = {"default": _told("Any other failure.", "Error")}
    return {status: _told(told[status], "Error") for status in chosen} | default
