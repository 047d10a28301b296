"""All routes and middleware, in one list, but for turns, which go past it over either transport."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from longwire.dialects.clients import ROUTES
from longwire.dialects.generate_content.targets import ACTIONS
from longwire.server.cors import Cors, CorsAnswers
from longwire.server.data.codex_side import CodexSide
from longwire.server.data.models import Models
from longwire.server.data.passed import PATHS
from longwire.server.health import Probes
from longwire.server.no_route import refuse
from longwire.server.openapi import openapi
from longwire.server.paths import canonical
from longwire.server.problems import Edge

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_UPGRADES = ("/v1/responses", "/backend-api/codex/responses")
_POSTED = {path.decode() for path in ROUTES}.difference(_UPGRADES)
_MODEL_ACTIONS = [f"/v1beta/models/{{id:path}}:{action}" for action in ACTIONS]
_ANY = ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
_USE_POST = "Use POST, or ask for an upgrade to WebSocket."


@dataclass(frozen=True, slots=True)
class Mounts:
    """Everything that is served as ASGI: turns over `websocket`, the admin API, and the rest."""

    websocket: ASGIApp
    admin: ASGIApp
    pages: ASGIApp
    models: Models
    stored: ASGIApp
    passed: ASGIApp
    side: CodexSide
    probes: Probes


def application(mounts: Mounts, lifespan: Lifespan, cors: Cors) -> ASGIApp:
    """Return the whole server as one ASGI application."""
    models, probes, stored = mounts.models, mounts.probes, _Whole(mounts.stored)
    router = Starlette(
        routes=[
            Route("/health", probes.health),
            Route("/ready", probes.ready),
            Route("/metrics", probes.metrics),
            Route("/openapi.json", openapi),
            *_model_routes(models),
            Route("/api/hello", _hello),
            Route("/v1/responses", _upgrade_wanted, methods=["GET", "POST"]),
            *(Route(path, _post_wanted, methods=_ANY) for path in _POSTED),
            Route("/v1/responses/{id}", stored, methods=["GET", "DELETE"]),
            Route("/v1/responses/{id}/cancel", stored, methods=["POST"]),
            Route("/v1/responses/{id}/input_items", stored, methods=["GET"]),
            *_passed_routes(mounts.passed),
            *_codex_routes(models, mounts.side),
            Route("/admin/graphql", _Whole(mounts.admin)),
            Route("/admin/oidc/callback", _Whole(mounts.admin)),
            WebSocketRoute("/admin/graphql", _Whole(mounts.admin)),
        ],
        middleware=[*([Middleware(CorsAnswers, cors)] if cors else []), Middleware(Edge)],
        exception_handlers={HTTPException: refuse},
        lifespan=lifespan,
    )
    router.router.default = mounts.pages
    router.router.redirect_slashes = False

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope["path"] = canonical(scope["path"])
        is_turns = scope["type"] == "websocket" and scope["path"] in _UPGRADES
        await (mounts.websocket if is_turns else router)(scope, receive, send)

    return serve


def _model_routes(models: Models) -> list[BaseRoute]:
    """Return the lists of models, of each API that has one."""
    return [
        Route("/v1/models", models.index),
        Route("/v1/models/{id:path}", models.one),
        Route("/anthropic/v1/models", models.index),
        Route("/anthropic/v1/models/{id:path}", models.one),
        *(Route(path, _post_wanted, methods=_ANY) for path in _MODEL_ACTIONS),
        Route("/v1beta/models", models.index),
        Route("/v1beta/models/{id:path}", models.one),
    ]


def _passed_routes(passed: ASGIApp) -> list[BaseRoute]:
    """Return OpenAI's APIs beside conversations."""
    return [Route(path, _Whole(passed), methods=["POST"]) for path in PATHS]


def _codex_routes(models: Models, side: CodexSide) -> list[BaseRoute]:
    """Return what a Codex client asks for that is signed in with ChatGPT."""
    return [
        Route("/backend-api/codex/responses", _upgrade_wanted, methods=["GET", "POST"]),
        Route("/backend-api/codex/models", models.catalog),
        Route("/backend-api/wham/accounts/check", side.account),
        Route("/backend-api/wham/usage", side.usage),
        Route("/backend-api/wham/settings/user", side.settings),
        Route("/backend-api/codex/analytics-events/events", side.swallow, methods=["POST"]),
        Route("/backend-api/ps/mcp", side.nothing, methods=["GET", "POST"]),
        Route("/backend-api/ps/plugins/{rest:path}", side.plugins),
    ]


class _Whole:
    """An application at a route of its own: to the router a function would be an endpoint."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._app(scope, receive, send)


async def _hello(_request: Request) -> Response:
    """Answer Claude Code, which asks for this when it starts."""
    return Response(b"{}", media_type="application/json")


async def _post_wanted(_request: Request) -> Response:
    raise HTTPException(405, headers={"Allow": "POST"})


async def _upgrade_wanted(_request: Request) -> Response:
    raise HTTPException(426, _USE_POST, {"upgrade": "websocket"})
