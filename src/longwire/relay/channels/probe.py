"""A trial of a channel: two short turns over its real transport, the second to continue the first.

They go the way that turns of a client of the Responses API take, or in one API that is named. The
trial has a pool of its own, so that no live session is touched.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter

import msgspec

from longwire.core.errors import (
    ConfigurationError,
    LongwireError,
    UpstreamError,
    UpstreamRejected,
)
from longwire.core.events import Event, Kind
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.renames import is_pattern
from longwire.core.rules.lease import PoolLimits
from longwire.core.rules.routing import RESPONSES, Manner, Way
from longwire.core.rules.turn import Scope, SessionKey, Turn
from longwire.dialects.members import names_of
from longwire.dialects.ports import NO_HEADERS
from longwire.dialects.responses.image import items_of
from longwire.dialects.responses.request import decode_request
from longwire.dialects.responses.usage import decode_bill
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.provision import ProvisionContext, provision
from longwire.upstream.ports import Call, Delivery, Timeouts, Transport
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool

PATIENCE = Timeouts(connect=15.0, first_event=60.0, idle_event=60.0)
_SESSION = "probe"
_ANY_MODEL = "default"
_NAME_ONE = "Its list of models cannot be had, so 'default' was tried; name a model."
_INSTRUCTIONS = "Answer with a single word."
_QUESTIONS = ("Say: ready.", "Say: again.")


@dataclass(frozen=True, slots=True)
class Probed:
    """How a trial went: times in ms, None for what it did not come to; `error` is "" for success.

    `api` is what the upstream was asked in, `dropped` what of the turns could not be said there.
    `handshake_ms` is None over HTTP. `continued` tells of the second turn, with its cached tokens.
    """

    api: str = ""
    transport: str = ""
    model: str = ""
    handshake_ms: float | None = None
    first_event_ms: float | None = None
    continued: bool = False
    cached_tokens: int | None = None
    dropped: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One turn that was taken, over a transport."""

    transport: Transport
    delivery: Delivery
    first_event_ms: float
    terminal: Event
    dropped: tuple[str, ...]


async def probe(
    spec: ChannelSpec,
    model: str | None,
    timeouts: Timeouts = PATIENCE,
    account: LiveAccount | None = None,
    api: str = "",
) -> Probed:
    """Try a channel with a model, or the first one that it names or lists, for an account of it.

    Where there is no list, any name will do: an upstream with one model looks at none. An `api` of
    "" is the one that turns of the Responses API go by.
    """
    if api and api not in spec.offered:
        offers = ", ".join(spec.offered)
        return Probed(api=api, error=f"The channel does not offer {api}; it has {offers}.")
    handshakes: list[float] = []
    pool = Pool(PoolLimits(connections=2, connections_per_session=2))
    context = ProvisionContext(
        pool, timeouts, Heartbeat(), lambda *_: handshakes.append(perf_counter())
    )
    key = next((each for each in spec.keys_in_force if each.is_enabled), None)
    try:
        channel = provision(spec.for_key(key) if key else spec, context, account)
    except ConfigurationError as error:
        return Probed(error=str(error))
    try:
        return await _Trial(_serving(channel, api), handshakes).run(model)
    finally:
        pool.close()
        for transport in channel.by_api.values():
            await transport.close()


def _serving(channel: Channel, api: str) -> Channel:
    """Return a channel as it serves turns in an API, or by default those of the Responses API."""
    way = Way(api, Manner.TRANSLATED) if api else channel.way_of(_request(_ANY_MODEL, ()))
    return channel if way is None or way.api == RESPONSES else channel.serving(way)


class _Trial:
    """Two turns over one channel."""

    def __init__(self, channel: Channel, handshakes: list[float]) -> None:
        self._channel = channel
        self._handshakes = handshakes
        self._is_guess = False
        self._probed = Probed(api=channel.way.api)

    async def run(self, model: str | None) -> Probed:
        """Take both turns; a failure comes with what was found so far."""
        try:
            await self._run(model)
        except LongwireError as error:
            is_guess = self._is_guess and isinstance(error, UpstreamRejected)
            words = f"{_words(error)} {_NAME_ONE}" if is_guess else _words(error)
            return replace(self._probed, error=words)
        return self._probed

    async def _run(self, model: str | None) -> None:
        name = model or await self._first_model()
        sent = self._channel.sent_name(name)
        self._probed = replace(self._probed, model=sent)
        began = perf_counter()
        first = await self._first(sent)
        handshake = (self._handshakes[0] - began) * 1000 if self._handshakes else None
        is_websocket = first.delivery.transport == "websocket"
        self._probed = replace(
            self._probed,
            transport=first.delivery.transport,
            handshake_ms=handshake if is_websocket else None,
            first_event_ms=first.first_event_ms,
            dropped=first.dropped,
        )
        second = await self._take(first.transport, _request(sent, items_of(first.terminal)))
        usage = decode_bill(second.terminal).usage
        self._probed = replace(
            self._probed,
            continued=second.delivery.continuity == "continued",
            cached_tokens=usage.cached if usage else None,
            dropped=names_of((*first.dropped, *second.dropped)),
        )

    async def _first(self, model: str) -> _Taken:
        """Take the first turn; where there are both transports, over HTTP if WebSocket fails."""
        turn = _request(model, ())
        if self._channel.websocket is not None and self._channel.http is not None:
            with suppress(LongwireError):
                return await self._take(self._channel.websocket, turn)
        transport = self._channel.http or self._channel.websocket
        if transport is None:
            raise ConfigurationError("the channel has no transport; set one")
        return await self._take(transport, turn)

    async def _take(self, transport: Transport, turn: Turn) -> _Taken:
        key = SessionKey(self._channel.endpoint, Scope(_SESSION), _SESSION)
        call = self._channel.said(Call(turn, key), NO_HEADERS)
        began, first_event = perf_counter(), 0.0
        async with transport.open(call) as stream:
            async for batch in stream:
                first_event = first_event or (perf_counter() - began if batch else 0.0)
            terminal = stream.aggregate.terminal
        if terminal is None or terminal.kind is not Kind.COMPLETED:
            reason = decode_bill(terminal).error_code if terminal else ""
            raise ConfigurationError(
                f"the upstream ended the response as {terminal.name if terminal else 'nothing'}"
                + (f" ({reason})" if reason else "")
            )
        await asyncio.sleep(0)
        dropped = tuple(call.turn.source.dropped)
        return _Taken(transport, stream.delivery, first_event * 1000, terminal, dropped)

    async def _first_model(self) -> str:
        """Return the first model that the channel names, its upstream lists, or that may do."""
        for model in self._channel.spec.models:
            if not is_pattern(model):
                return model
        serves, models = self._channel.route.serves, [_ANY_MODEL]
        if self._channel.listing is not None:
            with suppress(UpstreamError):
                models = await self._channel.listing.models() or models
        for model in filter(serves, models):
            self._is_guess = model == _ANY_MODEL
            return model
        raise ConfigurationError("no model is known to try; name one")


def _request(model: str, answer: list[bytes] | tuple[()]) -> Turn:
    """Return the first turn, or the second one, which brings the first and its answer along."""
    questions = [msgspec.json.encode({"role": "user", "content": text}) for text in _QUESTIONS]
    items = [questions[0], *answer, questions[1]] if answer else questions[:1]
    body = {
        "model": model,
        "instructions": _INSTRUCTIONS,
        "input": [msgspec.Raw(item) for item in items],
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "stream": True,
    }
    return decode_request(msgspec.json.encode(body))


def _words(error: LongwireError) -> str:
    """Return what went wrong, in the upstream's own words where it has some."""
    if not isinstance(error, UpstreamRejected):
        return str(error)
    try:
        message = msgspec.json.decode(error.body)["error"]["message"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return f"{error} Check the base URL."
    return f"{message} (status {error.status})"
