"""The routes of Gemini's API: models, their answers, whole and in streams, and counts of tokens."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from longwire.emulator.apis import Api, Endpoint, bearer
from longwire.emulator.cache import Caller
from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.gemini.answers import Candidate, tokens_of_text
from longwire.emulator.gemini.contents import opened_signature
from longwire.emulator.gemini.errors import envelope, unauthorized
from longwire.emulator.gemini.fields import COUNTED, read_fields
from longwire.emulator.gemini.requests import read, signs
from longwire.emulator.http import Form, play, respond, struck
from longwire.emulator.options import Json
from longwire.emulator.requests import Body, Request
from longwire.emulator.turns import Exchange, World, count_tokens
from longwire.emulator.wire import Outlet

NAME = "generate_content"
MOST_MODELS = 1000
METHODS = ("generateContent", "streamGenerateContent", "countTokens")
Answer = Callable[[World, Caller, web.Request, Body, int], Awaitable[web.StreamResponse]]


def token(request: web.Request) -> str:
    """The key in the header, or in the query; a bearer token does, too."""
    found = request.headers.get("x-goog-api-key") or request.query.get("key")
    return found or bearer(request)


API = Api(NAME, token, envelope, unauthorized)


def gemini_routes(world: World, endpoint: Endpoint) -> list[web.RouteDef]:
    """The routes of one emulator."""

    async def listed(request: web.Request, _: Caller) -> web.StreamResponse:
        return await struck(world, request, "models") or models(world, request)

    async def model(request: web.Request, _: Caller) -> web.StreamResponse:
        name = request.match_info["model"]
        if name not in world.options.gemini_models:
            raise not_found(name)
        return web.json_response(model_object(name))

    async def call(request: web.Request, caller: Caller) -> web.StreamResponse:
        method = request.match_info["method"]
        if method not in METHODS:
            raise Rejected(f"There is no method {method}.", status=404)
        if method == "countTokens":
            refusal = await struck(world, request, "count")
            return refusal or await respond(world, caller, request, count)
        return await respond(world, caller, request, answer)

    return [
        web.get("/v1beta/models", endpoint("public", listed, API)),
        web.get("/v1beta/models/{model}", endpoint("public", model, API)),
        web.post("/v1beta/models/{model}:{method}", endpoint("public", call, API)),
        web.post("/v1/models/{model}:{method}", endpoint("public", call, API)),
    ]


async def answer(
    world: World, caller: Caller, request: web.Request, body: Body, size: int
) -> web.StreamResponse:
    """Run the turn into chunks or one response."""
    model = request.match_info["model"]
    streams = request.match_info["method"] == METHODS[1]
    caller = replace(caller, prompts=world.cached_prompts(NAME, caller.account))
    shown = {"model": model, "input": body.get("contents"), "store": False}
    record = world.journal.turn(caller, size, shown)

    def tell(parsed: Request, response_id: str) -> Candidate:
        has_ids, in_pieces = world.options.gemini_ids, world.options.gemini_calls == "pieces"
        return Candidate(parsed, response_id, streams, signs(model), has_ids, in_pieces)

    def begin(outlet: Outlet) -> Exchange:
        parsed = read(body, model, caller.account, world.options, world.script)
        record.thoughts = signatures_in(body["contents"])
        return Exchange(world, caller, parsed, record, outlet, tell)

    return await play(world, request, record, form_of(request, streams=streams), begin)


def signatures_in(contents: Json) -> int:
    """How many signatures of thoughts came back; dummies are none."""
    parts = [part for content in in_list(contents) for part in in_list(content["parts"])]
    found = [part.get("thoughtSignature") or part.get("thought_signature") for part in parts]
    return sum(opened_signature(str(signature)) is not None for signature in found if signature)


def in_list(value: Json) -> list[Json]:
    """The entries of a list, of which one may stand alone."""
    return value if isinstance(value, list) else [value]


def form_of(request: web.Request, *, streams: bool) -> Form:
    """One response, a stream of events, or a list that comes piece by piece."""
    if not streams:
        return Form(streams=False, encode=whole, headers={}, error=envelope)
    if request.query.get("alt") == "sse":
        headers = {"content-type": "text/event-stream"}
        return Form(streams=True, encode=sse, headers=headers, error=envelope)
    headers = {"content-type": "application/json; charset=UTF-8"}
    return Form(streams=True, encode=entries(), headers=headers, error=envelope, end=b"]")


def sse(event: Event) -> bytes:
    """One event of a stream; points at which nothing is said are none."""
    return b"data: %b\r\n\r\n" % event.payload if event.payload else b""


def whole(event: Event) -> bytes:
    """The response, and nothing before it."""
    return event.payload if event.mark == "terminal" else b""


def entries() -> Callable[[Event], bytes]:
    """What writes the entries of a JSON list, with what stands between them."""
    marks = iter([b"["])

    def entry(event: Event) -> bytes:
        return next(marks, b",\r\n") + event.payload if event.payload else b""

    return entry


async def count(
    world: World, caller: Caller, request: web.Request, body: Body, _: int
) -> web.StreamResponse:
    """`:countTokens`: the contents as a turn would have them, counted."""
    known = read_fields(body, COUNTED)
    inner = known.get("generateContentRequest") or {"contents": known.get("contents")}
    model = request.match_info["model"]
    parsed = read(inner, model, caller.account, world.options, world.script)
    tokens = count_tokens(world, caller, parsed)
    return web.json_response({"totalTokens": tokens, "promptTokensDetails": tokens_of_text(tokens)})


def models(world: World, request: web.Request) -> web.Response:
    """The models of the settings, page by page."""
    names = world.options.gemini_models
    start = int(request.query.get("pageToken") or 0)
    end = start + min(int(request.query.get("pageSize") or 50), MOST_MODELS)
    following = {"nextPageToken": str(end)} if end < len(names) else {}
    page = [model_object(name) for name in names[start:end]]
    return web.json_response({"models": page, **following})


def model_object(name: str) -> Json:
    """One entry of the list."""
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }


def not_found(name: str) -> Rejected:
    """A model that there is not."""
    message = f"models/{name} is not found for API version v1beta, or is not supported."
    return Rejected(message, status=404, violation=False)
