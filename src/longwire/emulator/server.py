"""The emulator: one aiohttp server, its routes, and who may come in.

Law: a stopped emulator keeps its port, its counters and its stored responses, so that a start is
a restart; connection caches die with their sockets.
"""

import asyncio
import base64
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import msgspec
from aiohttp import hdrs, web

from longwire.emulator.apis import RESPONSES, Api, Handler, Serve
from longwire.emulator.cache import Caller, Lanes, Store
from longwire.emulator.chat.routes import chat_routes
from longwire.emulator.control import control_routes
from longwire.emulator.counters import Counters, Journal, Turn
from longwire.emulator.errors import Rejected, detail
from longwire.emulator.faults import Faults
from longwire.emulator.gemini.routes import gemini_routes
from longwire.emulator.http import answer_responses, compact, count, respond, struck, upgrades
from longwire.emulator.issuer import Issuer
from longwire.emulator.issuer_routes import issuer_routes
from longwire.emulator.messages import Memory, by_version, messages_routes
from longwire.emulator.oddities import applied
from longwire.emulator.options import IssuerOptions, Options, Route, Script
from longwire.emulator.passed.routes import passed_routes
from longwire.emulator.turns import World
from longwire.emulator.websocket import Connection
from longwire.emulator.wire import abort

ROUTES: dict[str, Route] = {"/v1": "public", "/backend-api/codex": "codex"}


class Emulator:
    """A local upstream. Use it as `async with Emulator(Options()) as emulator`."""

    def __init__(
        self,
        options: Options | None = None,
        script: Script | None = None,
        on_turn: Callable[[str], object] | None = None,
    ) -> None:
        self.options, script, faults = applied(options or Options(), script or Script())
        self.faults = Faults()
        self.faults.add(*faults)
        self.journal = Journal(self.options.recent_turns, on_turn)
        store = Store(self.options.stored_responses)
        self.world = World(self.options, script, self.faults, self.journal, store)
        self.memory = Memory()
        self.issuer = Issuer(self.options.issuer or IssuerOptions())
        self.port = self.options.port
        self.connections = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        app = web.Application(client_max_size=self.options.max_body)
        for prefix, route in ROUTES.items():
            app.router.add_route("*", f"{prefix}/responses", self._endpoint(route, self._responses))
            app.router.add_post(f"{prefix}/responses/compact", self._endpoint(route, self._compact))
            listing = self._endpoint(route, self._models)
            if route == "public":
                listing = by_version(self.world, self._endpoint, listing)
            app.router.add_get(f"{prefix}/models", listing)
        app.router.add_post("/v1/responses/input_tokens", self._endpoint("public", self._count))
        model = self._endpoint("public", self._model)
        one = by_version(self.world, self._endpoint, model)
        app.router.add_get("/v1/models/{id}", one)
        app.router.add_route("*", "/v1/responses/{id}", self._endpoint("public", self._stored))
        app.add_routes(chat_routes(self.world, self._endpoint))
        app.add_routes(gemini_routes(self.world, self._endpoint))
        app.add_routes(passed_routes(self.world, self._endpoint))
        app.add_routes(messages_routes(self.world, self.memory, self._endpoint))
        app.add_routes(control_routes(self.world))
        if self.options.issuer is not None:
            app.add_routes(issuer_routes(self.issuer, self.journal))
        runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(
            runner,
            self.options.host,
            self.port,
            ssl_context=self._tls(),
            reuse_address=True,
        )
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self.port = int(runner.addresses[0][1])
        self._runner = runner

    async def stop(self) -> None:
        """Abort all connections and stop listening; idempotent."""
        runner, self._runner = self._runner, None
        if runner is not None:
            for site in list(runner.sites):
                await site.stop()
            self._abort_all(runner)
            await runner.cleanup()

    def drop_connections(self) -> None:
        """Abort every connection with RST and go on listening."""
        if self._runner is not None:
            self._abort_all(self._runner)

    @property
    def url(self) -> str:
        """`http://host:port`, or https with a certificate."""
        scheme = "https" if self.options.tls_cert else "http"
        return f"{scheme}://{self.options.host}:{self.port}"

    @property
    def script(self) -> Script:
        """What the model answers; set it at any time, it holds from the next request on."""
        return self.world.script

    @script.setter
    def script(self, script: Script) -> None:
        self.world.script = script

    @property
    def counters(self) -> Counters:
        """Totals; the same object for the emulator's life."""
        return self.journal.counters

    @property
    def violations(self) -> list[str]:
        """What a correct client would never have sent."""
        return self.journal.violations

    @property
    def turns(self) -> deque[Turn]:
        """The recent turns, oldest first."""
        return self.journal.turns

    def _abort_all(self, runner: web.AppRunner) -> None:
        for protocol in runner.server.connections if runner.server else ():
            if protocol.transport is not None:
                abort(protocol.transport)

    def _tls(self) -> ssl.SSLContext | None:
        if self.options.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.options.tls_cert, self.options.tls_key)
        return context

    def _endpoint(self, route: Route, serve: Serve, api: Api = RESPONSES) -> Handler:
        """`serve` behind the faults of the handshake, the check of the caller and error bodies."""

        async def endpoint(request: web.Request) -> web.StreamResponse:
            try:
                refusal = await struck(self.world, request, "handshake")
                return refusal or await serve(request, self._caller(request, route, api))
            except Rejected as error:
                self.counters.handshakes_refused += upgrades(request)
                error.request_id = f"req_{self.connections}"
                headers = {api.id_header: error.request_id, **error.headers}
                return web.json_response(api.envelope(error), status=error.status, headers=headers)

        return endpoint

    def _caller(self, request: web.Request, route: Route, api: Api) -> Caller:
        """Who asks; raises Rejected with 401, or as the API has it."""
        token = api.token(request)
        keys = self.options.api_keys
        if not token or (keys is not None and token not in keys):
            raise api.unauthorized(token)
        named = request.headers.get("chatgpt-account-id")
        check = self._check_of(token, named, route)
        check()
        claimed = claimed_account(token) if route == "codex" else None
        if claimed is not None and claimed != named:
            raise detail("The chatgpt-account-id header does not match the token.", 401)
        self.connections += 1
        clock = asyncio.get_running_loop().time
        return Caller(
            transport="websocket" if upgrades(request) else "http",
            route=route,
            account=(named if route == "codex" else None) or token,
            fingerprint=(named or token)[-4:] if self._signs_in(route) else token[-4:],
            connection=self.connections,
            lanes=Lanes(clock, self.options.idle_eviction),
            check=check,
            api=api.name,
        )

    def _check_of(self, token: str, named: str | None, route: Route) -> Callable[[], None]:
        """What says whether a token still lives."""
        return partial(self.issuer.check, token, named) if self._signs_in(route) else lambda: None

    def _signs_in(self, route: Route) -> bool:
        return self.options.issuer is not None and route == "codex"

    async def _responses(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        if upgrades(request):
            return await Connection(self.world, caller, request).serve()
        if request.method != hdrs.METH_POST:
            raise Rejected("Use POST, or upgrade to a WebSocket.", status=405, violation=False)
        return await respond(self.world, caller, request, answer_responses)

    async def _compact(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        return await compact(self.world, caller, request)

    async def _count(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        refusal = await struck(self.world, request, "count")
        return refusal or await count(self.world, caller, request)

    async def _models(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        refusal = await struck(self.world, request, "models")
        return refusal or models(self.options.models, caller.route)

    async def _model(self, request: web.Request, _: Caller) -> web.StreamResponse:
        name = request.match_info["id"]
        if name not in self.options.models:
            message = f"The model '{name}' does not exist."
            raise Rejected(message, code="model_not_found", status=404, violation=False)
        return web.json_response(model_object(name))

    async def _stored(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        key = (caller.account, request.match_info["id"])
        content = self.world.store.responses.get(key)
        if content is None:
            message = f"Response with id '{key[1]}' not found."
            raise Rejected(message, code="response_not_found", status=404, violation=False)
        if request.method == hdrs.METH_DELETE:
            self.world.store.drop(*key)
            return web.json_response({"id": key[1], "object": "response", "deleted": True})
        return web.Response(body=content, content_type="application/json")


def claimed_account(token: str) -> str | None:
    """The account that a JWT speaks for (its signature is not checked), else None."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["https://api.openai.com/auth"]["chatgpt_account_id"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def model_object(name: str) -> dict[str, Any]:
    """One entry of the public model list."""
    return {"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "emulator"}


def models(names: Sequence[str], route: Route) -> web.Response:
    """The model list in the form of the public API or of the Codex backend."""
    if route == "public":
        return web.json_response({"object": "list", "data": [model_object(name) for name in names]})
    entries = [{"slug": name, "display_name": name, "context_window": 272_000} for name in names]
    return web.json_response({"models": entries}, headers={"etag": '"emulator-1"'})
