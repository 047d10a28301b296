"""`GET /v1/models`: the models a key may use, from what channels declare and upstreams list."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import LongwireError, UnknownModel
from longwire.core.routing import Route
from longwire.server.auth import Keys
from longwire.server.errors import headers_of, request_id

_log = structlog.get_logger()
_LISTED_FOR = 300.0
_FAILED_FOR = 30.0

Listing = Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Source:
    """A channel as the list sees it: `listing` asks its upstream for names."""

    route: Route
    listing: Listing

    @property
    def literals(self) -> list[str]:
        """The declared names that are no patterns."""
        return [name for name in self.route.models if not set(name) & set("*?[")]


class Models:
    """The list of models; upstream lists are kept for five minutes, by the seconds of `clock`."""

    def __init__(
        self, keys: Keys, sources: Sequence[Source], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._sources = [source for source in sources if source.route.is_enabled]
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
        self._keys.authenticate(headers_of(request.scope))
        async with asyncio.TaskGroup() as group:
            asked = [
                (source.route.channel, group.create_task(self._names(source)))
                for source in self._sources
            ]
        owners: dict[str, str] = {}
        for channel, names in asked:
            for name in names.result():
                owners.setdefault(name, channel)
        return [
            {"id": name, "object": "model", "created": 0, "owned_by": owner}
            for name, owner in owners.items()
        ]

    async def _names(self, source: Source) -> list[str]:
        if len(source.literals) == len(source.route.models):
            return source.literals
        listed = await self._upstream_names(source)
        return [*source.literals, *filter(source.route.serves, listed)]

    async def _upstream_names(self, source: Source) -> list[str]:
        channel = source.route.channel
        until, listed = self._listed.get(channel, (0.0, []))
        if self._clock() < until:
            return listed
        try:
            listed, lasts = await source.listing(), _LISTED_FOR
        except LongwireError as error:
            _log.warning("models_not_listed", channel=channel, reason=str(error))
            lasts = _FAILED_FOR
        self._listed[channel] = self._clock() + lasts, listed
        return listed
