"""`GET /v1/models`: the models a key may use, from what channels declare and upstreams list."""

import asyncio
import time
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import LongwireError, UnknownModel
from longwire.core.routing import Route
from longwire.core.turn import Principal
from longwire.relay.channel import Channel, Snapshot
from longwire.server.auth import Keys
from longwire.server.errors import headers_of, request_id

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
        self._listed: dict[str, tuple[float, list[str]]] = {}

    async def index(self, request: Request) -> Response:
        """Answer all models."""
        return self._answer(request, {"object": "list", "data": await self._models(request)})

    async def one(self, request: Request) -> Response:
        """Answer one model. Raises `UnknownModel`."""
        name = request.path_params["id"]
        for model in await self._models(request):
            if model["id"] == name:
                return self._answer(request, model)
        raise UnknownModel(name, "no channel lists it")

    def _answer(self, request: Request, content: object) -> Response:
        named = {"x-request-id": request_id(headers_of(request.scope))}
        return JSONResponse(content, headers=named)

    async def _models(self, request: Request) -> list[dict[str, object]]:
        caller = self._keys.authenticate(headers_of(request.scope))
        channels = self._channels(caller)
        async with asyncio.TaskGroup() as group:
            asked = [(each.name, group.create_task(self._names(each))) for each in channels]
        owners: dict[str, str] = {}
        for channel, names in asked:
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
        literals = _literals(channel.route)
        if len(literals) == len(channel.route.models):
            return literals
        listed = await self._upstream_names(channel)
        return [*literals, *filter(channel.route.serves, listed)]

    async def _upstream_names(self, channel: Channel) -> list[str]:
        until, listed = self._listed.get(channel.endpoint, (0.0, []))
        if channel.listing is None or self._clock() < until:
            return listed
        try:
            listed, lasts = await channel.listing.models(), _LISTED_FOR
        except LongwireError as error:
            _log.warning("models_not_listed", channel=channel.name, reason=str(error))
            lasts = _FAILED_FOR
        self._listed[channel.endpoint] = self._clock() + lasts, listed
        return listed


def _literals(route: Route) -> list[str]:
    """Return the declared names that are no patterns."""
    return [name for name in route.models if not set(name) & set("*?[")]
