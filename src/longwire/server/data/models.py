"""`GET /v1/models`: the models a key may use: configured ones, and those that channels serve.

With `client_version` the same list as Codex reads it: an upstream's own entries as they are, and
for all other models entries of that shape. With `anthropic-version`, or below `/anthropic`, it is
Anthropic's; below `/v1beta`, or with a header of Google's clients, it is Gemini's.
"""

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import UnknownModel
from longwire.dialects.clients import dialect_at, model_form
from longwire.dialects.codex.models import entry
from longwire.dialects.generate_content.targets import PATHS as GEMINI_PATHS
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.listings import Listings
from longwire.relay.channels.offered import OfferedModels
from longwire.server.auth import Keys
from longwire.server.problems import headers_of, request_id


class Models:
    """The list of models, as far as upstreams have listed theirs."""

    def __init__(self, keys: Keys, offered: OfferedModels, listings: Listings) -> None:
        self._keys = keys
        self._offered = offered
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
        channels = await self._offered.channels(caller.grant, version)
        for name, route in self._offered.configured(caller.grant):
            entries[name] = self._entry(name, self._offered.target(route))
        for channel in channels:
            own = self._listings.of(channel)
            etags += [own.etag] if channel.vendor.lists_for_codex else []
            for name in filter(caller.grant.allows_model, self._offered.names_of(channel)):
                if not self._offered.is_configured(name):
                    entries.setdefault(name, self._entry(name, channel))
        if any(map(self._offered.is_configured, entries)):
            etags = []  # the list is not its upstream's alone
        body = b'{"models":[%b]}' % b",".join(entries.values())
        etag = etags[0] if len(etags) == 1 and etags[0] else f'"{blake3(body).hexdigest(length=8)}"'
        headers = {"x-request-id": request_id(headers_of(request.scope)), "etag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, "application/json")

    def _entry(self, name: str, channel: Channel) -> bytes:
        """Return the entry of a model: its upstream's own under the caller's name, or a new one."""
        sent, listed = channel.sent_name(name), self._listings.of(channel).entries
        return entry(name, listed.get(sent) if channel.vendor.lists_for_codex else None)

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
        owners = await self._offered.owners(caller.grant, wanted)
        return [
            {"id": name, "object": "model", "created": 0, "owned_by": owner}
            for name, owner in owners.items()
        ]


def _query_key(request: Request) -> str:
    """Return the key in a query, which clients of Gemini's API put there."""
    may_be_there = request.scope["path"].startswith(GEMINI_PATHS)
    return request.query_params.get("key", "") if may_be_there else ""
