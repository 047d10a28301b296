"""`GET /v1/models`: the models a key may use, from what channels declare and upstreams list.

With `client_version` the same list as Codex reads it: an upstream's own entries as they are, and
for all other models entries of that shape.
"""

import asyncio
import time
from collections.abc import Callable

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import LongwireError, UnknownModel
from longwire.core.rules.routing import Route
from longwire.core.rules.turn import Principal
from longwire.dialects.codex.models import CLIENT_VERSION, entry
from longwire.logger import structlog
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.server.auth import Keys
from longwire.server.problems import headers_of, request_id
from longwire.upstream.http.address import Listed

_log = structlog.get_logger()
_LISTED_FOR = 300.0
_FAILED_FOR = 30.0


class Models:
    """The list of models; upstream lists are kept for five minutes, by the seconds of `clock`."""

    def __init__(
        self,
        keys: Keys,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._snapshot = snapshot
        self._clock = clock
        self._listed: dict[str, tuple[float, Listed]] = {}

    async def index(self, request: Request) -> Response:
        """Answer all models."""
        if "client_version" in request.query_params:
            return await self.catalog(request)
        return self._answer(request, {"object": "list", "data": await self._models(request)})

    async def catalog(self, request: Request) -> Response:
        """Answer all models as Codex reads them; 304 where it has this list already."""
        caller = self._keys.authenticate(headers_of(request.scope))
        entries: dict[str, bytes] = {}
        etags: list[str] = []
        version = request.query_params.get("client_version", "")
        for channel in self._channels(caller):
            own = await self._upstream(channel, version)
            etags += [own.etag] if channel.vendor.lists_for_codex else []
            for name in filter(caller.grant.allows_model, self._names_in(channel, own)):
                sent = channel.renames.get(name, name)
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
        for model in await self._models(request):
            if model["id"] == name:
                return self._answer(request, model)
        raise UnknownModel(name, "no channel lists it")

    def _answer(self, request: Request, content: object) -> Response:
        headers = {"x-request-id": request_id(headers_of(request.scope))}
        return JSONResponse(content, headers=headers)

    async def _models(self, request: Request) -> list[dict[str, object]]:
        caller = self._keys.authenticate(headers_of(request.scope))
        channels = self._channels(caller)
        async with asyncio.TaskGroup() as group:
            lookups = [(each.name, group.create_task(self._names(each))) for each in channels]
        owners: dict[str, str] = {}
        for channel, names in lookups:
            for name in filter(caller.grant.allows_model, names.result()):
                owners.setdefault(name, channel)
        return [
            {"id": name, "object": "model", "created": 0, "owned_by": owner}
            for name, owner in owners.items()
        ]

    def _channels(self, caller: Principal) -> list[Channel]:
        """Return the channels that a caller may use, and forget what others listed."""
        channels = self._snapshot().channels
        live = {channel.endpoint for channel in channels.values()}
        self._listed = {each: held for each, held in self._listed.items() if each in live}
        return [
            channel
            for channel in channels.values()
            if channel.route.is_enabled and caller.grant.allows_channel(channel.id)
        ]

    async def _names(self, channel: Channel) -> list[str]:
        return self._names_in(channel, await self._upstream(channel))

    def _names_in(self, channel: Channel, listed: Listed) -> list[str]:
        """Return the names that callers may use of a channel, each under its own name for it."""
        literals = _literals(channel.route)
        return list(dict.fromkeys([*literals, *filter(channel.route.serves, listed.entries)]))

    async def _upstream(self, channel: Channel, version: str = "") -> Listed:
        """Return what a channel's upstream lists, where its names are not all declared."""
        until, listed = self._listed.get(channel.endpoint, (0.0, Listed({})))
        is_declared = len(_literals(channel.route)) == len(channel.route.models)
        if channel.listing is None or self._clock() < until:
            return listed
        if is_declared and not channel.vendor.lists_for_codex:
            return listed
        query = (
            {"client_version": version or CLIENT_VERSION} if channel.vendor.lists_for_codex else {}
        )
        try:
            listed, lasts = await channel.listing.listed(query), _LISTED_FOR
        except LongwireError as error:
            _log.warning("models_not_listed", channel=channel.name, reason=str(error))
            lasts = _FAILED_FOR
        self._listed[channel.endpoint] = self._clock() + lasts, listed
        return listed


def _literals(route: Route) -> list[str]:
    """Return the declared names that are no patterns."""
    return [name for name in route.models if not set(name) & set("*?[")]
