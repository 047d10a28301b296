"""`GET /v1/models`: the models a key may use, from what channels declare and upstreams list.

With `client_version` the same list as Codex reads it: an upstream's own entries as they are, and
for all other models entries of that shape. With `anthropic-version`, or below `/anthropic`, it is
Anthropic's; below `/v1beta`, or with a header of Google's clients, it is Gemini's.
"""

from collections.abc import Callable

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import UnknownModel
from longwire.core.nouns.renames import is_pattern
from longwire.core.rules.routing import Route
from longwire.core.rules.turn import Principal
from longwire.dialects.clients import dialect_at, model_form
from longwire.dialects.codex.models import CLIENT_VERSION, entry
from longwire.dialects.generate_content.targets import PATHS as GEMINI_PATHS
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.relay.channels.listings import Listings
from longwire.server.auth import Keys
from longwire.server.problems import headers_of, request_id


class Models:
    """The list of models, as far as upstreams have listed theirs."""

    def __init__(self, keys: Keys, snapshot: Callable[[], Snapshot], listings: Listings) -> None:
        self._keys = keys
        self._snapshot = snapshot
        self._listings = listings

    async def index(self, request: Request) -> Response:
        """Answer all models."""
        if "client_version" in request.query_params:
            return await self.catalog(request)
        models = await self._models(request)
        form = model_form(request.scope["path"], headers_of(request.scope))
        if form is not None:
            names = [str(each["id"]) for each in models]
            return self._answer(request, form.page(names, request.query_params))
        return self._answer(request, {"object": "list", "data": models})

    async def catalog(self, request: Request) -> Response:
        """Answer all models as Codex reads them; 304 where it has this list already."""
        caller = self._keys.authenticate(headers_of(request.scope))
        entries: dict[str, bytes] = {}
        etags: list[str] = []
        version = request.query_params.get("client_version", "")
        for channel in await self._channels(caller, version):
            own = self._listings.of(channel)
            etags += [own.etag] if channel.vendor.lists_for_codex else []
            for name in filter(caller.grant.allows_model, self._names(channel)):
                sent = channel.sent_name(name)
                raw = own.entries.get(sent) if channel.vendor.lists_for_codex else None
                entries.setdefault(name, entry(name, raw))
        body = b'{"models":[%b]}' % b",".join(entries.values())
        etag = etags[0] if len(etags) == 1 and etags[0] else f'"{blake3(body).hexdigest(length=8)}"'
        headers = {"x-request-id": request_id(headers_of(request.scope)), "etag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, "application/json")

    async def one(self, request: Request) -> Response:
        """Answer one model. Raises `UnknownModel`."""
        name = request.path_params["id"]
        form = model_form(request.scope["path"], headers_of(request.scope))
        for model in await self._models(request, name):
            if model["id"] == name:
                return self._answer(request, model if form is None else form.one(name))
        raise UnknownModel(name, "no channel lists it")

    def _answer(self, request: Request, content: object) -> Response:
        headers = headers_of(request.scope)
        dialect = dialect_at(request.scope["path"], headers)
        return JSONResponse(content, headers=dialect.headers(request_id(headers), {}))

    async def _models(self, request: Request, wanted: str = "") -> list[dict[str, object]]:
        """Return the models that a caller may use, with the one wanted if it is renamed."""
        caller = self._keys.authenticate(headers_of(request.scope), _query_key(request))
        owners: dict[str, str] = {}
        for channel in await self._channels(caller):
            renamed = [wanted] if channel.sent_name(wanted) != wanted else []
            for name in filter(caller.grant.allows_model, [*self._names(channel), *renamed]):
                owners.setdefault(name, channel.name)
        return [
            {"id": name, "object": "model", "created": 0, "owned_by": owner}
            for name, owner in owners.items()
        ]

    async def _channels(self, caller: Principal, version: str = "") -> list[Channel]:
        """Return the channels that a caller may use, once it was tried to learn their lists."""
        live = self._snapshot().channels.values()
        self._listings.forget_others({each.endpoint for each in live})
        channels = [
            channel
            for channel in live
            if channel.route.is_enabled and caller.grant.allows_channel(channel.id)
        ]
        await self._listings.look(filter(_needs_list, channels), version or CLIENT_VERSION)
        return channels

    def _names(self, channel: Channel) -> list[str]:
        """Return the names that callers may use of a channel, each under its own name for it."""
        listed = filter(channel.route.serves, self._listings.of(channel).entries)
        return list(dict.fromkeys([*_literals(channel.route), *listed]))


def _query_key(request: Request) -> str:
    """Return the key in a query, which clients of Gemini's API put there."""
    may_be_there = request.scope["path"].startswith(GEMINI_PATHS)
    return request.query_params.get("key", "") if may_be_there else ""


def _needs_list(channel: Channel) -> bool:
    """Whether not all is known of a channel's models without its upstream's list."""
    return channel.vendor.lists_for_codex or any(map(is_pattern, channel.spec.models))


def _literals(route: Route) -> list[str]:
    """Return the declared names that are no patterns."""
    return [name for name in route.models if not is_pattern(name)]
