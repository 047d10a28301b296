"""Turns over HTTP: one POST each, its response read as server-sent events or as JSON.

A response is read as its reader awaits the next events, so a slow reader slows the upstream's
socket. A request is sent once; whether it is sent again is the relay's to say.
"""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import token_hex
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from longwire.core.errors import (
    ReplaySafety,
    ThreadUnsupported,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.events import Event, Kind
from longwire.core.rules.continuity import Reason
from longwire.core.rules.exchange import Exchange, Phase
from longwire.core.rules.turn import UNARY
from longwire.dialects.ports import Fallback, Media, Upload
from longwire.dialects.responses.call import SUFFIXES, encode_body
from longwire.upstream.event_reader import EventReader
from longwire.upstream.http.address import Address, Fetched, Listed, joined
from longwire.upstream.http.answer import (
    Reader,
    SaidReader,
    any_media_type,
    failure,
    media_type,
    more_of,
    reader_of,
    rejection,
    said_reader_of,
)
from longwire.upstream.http.listing import HEADERS, MOST_PAGES, Page, page_of
from longwire.upstream.net.proxies import environment_proxy
from longwire.upstream.net.session import FAILURES, session, whole_body
from longwire.upstream.net.urls import below
from longwire.upstream.oauth.credentials import AuthHeaders, Credentials, StaticKey
from longwire.upstream.ports import Call, Delivery, FastPath, Timeouts

_JSON, _EVENTS = "application/json", "text/event-stream"
_LARGE_BODY = 512 * 1024
_SETTLE_TIMEOUT = 0.25
_REDIRECTS = 300
_MODELS_TIMEOUT = 15.0
_LARGEST_LIST = 16 * 1024 * 1024


class HttpTransport:
    """Sends turns to one endpoint over HTTP; close it when nothing is under way any more."""

    def __init__(
        self, address: Address, timeouts: Timeouts, credentials: Credentials | None = None
    ) -> None:
        """Send to an address; `credentials` are read for each request."""
        self._address = address
        self._credentials = credentials or StaticKey({})
        self._timeouts = timeouts
        self._host = urlsplit(address.url).netloc.rpartition("@")[2]
        self._proxy = address.proxy or environment_proxy(address.url)
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0
        self._retires = False

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator["_Stream"]:
        """Send the turn in full and give its stream; leaving early closes the connection."""
        async with self._in_use(), self._request(call) as stream:
            yield stream

    @asynccontextmanager
    async def _in_use(self) -> AsyncIterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._retires and not self._under_way:
                await self.close()

    @asynccontextmanager
    async def _request(self, call: Call) -> AsyncIterator["_Stream"]:
        turn = call.turn
        is_passed_on = call.said is not None and call.said.is_passed_on
        if turn.source.is_in_thread and not is_passed_on:
            raise ThreadUnsupported
        body, suffix, callers = _outgoing(call)
        url = below(self._address.url, suffix)
        media = call.said.media if call.said is not None else None
        outside = turn.refers_outside or media is not None
        delivery = Delivery(
            transport="http",
            continuity="as-given" if outside else "fresh",
            reason=None if outside else (call.reason or Reason.HTTP_TRANSPORT).value,
            bytes_sent=len(body),
        )
        own = await self._credentials.headers()
        deadline = asyncio.get_running_loop().time() + self._timeouts.first_of(call)
        headers = {**self._headers(own, callers), **_own_headers(media), **call.trace}
        response = await self._post(url, body, headers, deadline)
        try:
            if response.status >= _REDIRECTS:
                error = await rejection(response, is_passed_on=is_passed_on)
                if isinstance(error, UpstreamRejected):
                    error.tokens_revision = own.revision
                error.bytes_sent = len(body)
                raise error
            if media is not None:
                delivery = replace(delivery, media_type=any_media_type(response))
            stream = _Stream(
                _reader(response, call), self._host, self._timeouts, delivery, deadline
            )
            stream.headers = {name.lower(): value for name, value in response.headers.items()}
            yield stream
            await stream.settle()
        finally:
            response.close()

    async def models(self) -> list[str]:
        """Return the ids of the upstream's own model list. Raises `UpstreamError`."""
        return list((await self.listed()).entries)

    async def listed(self, query: Mapping[str, str] = MappingProxyType({})) -> Listed:
        """Return the upstream's own model list. Raises `UpstreamError`."""
        url = self._address.models_url
        if url is None:
            raise UpstreamUnavailable(
                f"{self._address.url} is used exactly as it stands and does not tell where the "
                "models are listed; name them in the channel's `models`."
            )
        headers = {**HEADERS, **self._headers(await self._credentials.headers())}
        try:
            async with self._in_use(), asyncio.timeout(_MODELS_TIMEOUT):
                return await self._listed(url, query, headers)
        except (*FAILURES, RecursionError) as error:
            raise self._failure(error) from error

    async def _listed(
        self, url: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Listed:
        """Return a list, read page by page."""
        page, etag = await self._page(url, query, headers)
        entries = dict(page.entries)
        for _ in range(MOST_PAGES - 1):
            if not page.following:
                break
            page, etag = await self._page(url, {**query, **page.following}, headers)
            entries.update(page.entries)
        return Listed(entries, etag)

    async def _page(
        self, url: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[Page, str]:
        """Return a page of a list, and its ETag."""
        client = self._client()
        async with client.get(
            url, params=query, headers=headers, allow_redirects=False
        ) as response:
            if response.status >= _REDIRECTS:
                raise await rejection(response)
            page = page_of(await whole_body(response, _LARGEST_LIST))
            etag = response.headers.get("etag", "")
            return page, etag if etag.isascii() else ""  # it goes on as a header

    @asynccontextmanager
    async def fetch(
        self, method: str, target: str, callers: Mapping[str, str]
    ) -> AsyncIterator[Fetched]:
        """Send a request about a response, to `target` below where turns go; give its answer.

        `target` is a path with its query as a client wrote it. Raises `UpstreamError` for what is
        no success, too.
        """
        url = URL(self._address.url + target, encoded=True)
        own = await self._credentials.headers()
        headers = {**self._headers(own, callers), "accept-encoding": "identity"}
        async with self._in_use():
            try:
                async with asyncio.timeout(self._timeouts.first_event):
                    response = await self._client().request(
                        method, url, headers=headers, allow_redirects=False
                    )
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise self._failure(error) from error
            try:
                if response.status >= _REDIRECTS:
                    raise await rejection(response)
                kind = media_type(response, "application/json")
                yield Fetched(response.status, kind, self._chunks(response))
            finally:
                response.close()

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        seconds = self._timeouts.idle_event
        try:
            while True:
                async with asyncio.timeout(seconds):
                    chunk = await more_of(response.content)
                if not chunk:
                    return
                yield chunk
        except TimeoutError:
            raise UpstreamTimeout("next event", seconds) from None
        except (aiohttp.ClientError, OSError) as error:
            raise failure(error, self._host) from error

    def _headers(
        self, own: AuthHeaders, callers: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, str]:
        address = self._address
        return joined({**address.defaults, **callers}, address.headers, own.headers)

    async def retire(self) -> None:
        """Close when nothing is under way any more; who holds a turn may use it to its end."""
        self._retires = True
        if not self._under_way:
            await self.close()

    async def close(self) -> None:
        """Close all connections."""
        open_session, self._session = self._session, None
        if open_session is not None:
            await open_session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session(self._proxy, self._address.tls, self._timeouts.connect)
        return self._session

    async def _post(
        self, url: str, body: bytes | Upload, headers: Mapping[str, str], deadline: float
    ) -> aiohttp.ClientResponse:
        data: Any = body
        if not isinstance(body, bytes):
            data, headers = body.chunks(), {**headers, "content-length": str(len(body))}
        elif len(body) >= _LARGE_BODY:
            data = io.BytesIO(body)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._client().post(
                    url, data=data, headers=headers, allow_redirects=False
                )
        except FAILURES as error:
            if not isinstance(body, bytes) and body.failure is not None:
                raise body.failure from None
            failed = self._failure(error)
            is_unsent = isinstance(error, aiohttp.ConnectionTimeoutError)
            if not is_unsent and not isinstance(failed, UpstreamUnavailable):
                failed.safety, failed.bytes_sent = ReplaySafety.AMBIGUOUS, len(body)
            raise failed from error

    def _failure(self, error: Exception) -> UpstreamError:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return UpstreamTimeout("connect", self._timeouts.connect)
        if isinstance(error, TimeoutError):
            return UpstreamTimeout("first event", self._timeouts.first_event)
        return failure(error, self._host)


def _own_headers(media: Media | None) -> dict[str, str]:
    """Return the headers that say what is sent, and what is wanted."""
    content_type, accept = media or (_JSON, _EVENTS)
    return {"content-type": content_type, "accept": accept, "accept-encoding": "identity"}


def _outgoing(call: Call) -> tuple[bytes | Upload, str, Mapping[str, str]]:
    """Return the body of a call, what stands behind the endpoint's path, and its headers.

    Those of the caller are for the Responses API: another vendor has no business with them.
    """
    said, turn = call.said, call.turn
    if said is not None:
        return said.body, said.suffix, said.headers
    streams = turn.streams or not turn.runs_in_background
    body = encode_body(turn, streams=streams, adapt_input=call.adapt_input)
    return body, SUFFIXES.get(turn.purpose, ""), call.headers


def _reader(response: aiohttp.ClientResponse, call: Call) -> Reader:
    if call.said is not None:
        reading = call.said.reading(Fallback(token_hex(12), int(time.time())))
        if call.said.media is not None:
            return SaidReader(response.content, reading, streams=True)
        return said_reader_of(response, reading)
    return reader_of(response, needs_id=call.turn.purpose not in UNARY)


class _Stream:
    """The events of one response: iterate it once, in the task that opened it."""

    def __init__(
        self, reader: Reader, host: str, timeouts: Timeouts, delivery: Delivery, deadline: float
    ) -> None:
        self._event_reader = EventReader(Exchange(is_alone=True))
        self._event_reader.exchange.step(Kind.SENT)
        is_said = isinstance(reader, SaidReader)
        event_reader = self._event_reader
        self._read_all = event_reader.take_all if is_said else event_reader.read_all
        self._reader = reader
        self._host = host
        self.aggregate = self._event_reader.aggregate
        self.delivery = delivery
        self._timeouts = timeouts
        self._deadline = deadline
        self._quiet_until = 0.0
        self.headers: Mapping[str, str] = {}
        self._restart_silence()

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Do without: over HTTP all events come in batches."""

    def when_drained(self, then: Callable[[], object]) -> bool:  # noqa: ARG002
        """Drain nothing: no history is kept over HTTP."""
        return False

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        return self

    async def __anext__(self) -> Sequence[Event]:
        while self._event_reader.exchange.ending is None:
            frames = await self._read()
            if frames is None:
                return ()
            events = self._take(frames)
            if events:
                return events
        if self._event_reader.failure is not None:
            raise self._event_reader.failure
        raise StopAsyncIteration

    async def settle(self) -> None:
        """Read to the end of a body whose terminal came, so that its connection may serve again."""
        if self.aggregate.terminal is None:
            return
        try:
            async with asyncio.timeout(_SETTLE_TIMEOUT):
                await self._reader.skip()
        except (TimeoutError, aiohttp.ClientError, UpstreamDisconnected):
            return

    async def _read(self) -> Sequence[Any] | None:
        """Return what comes next, None after `silence` seconds without an event.

        These are frames, or events where the answer is of another API.
        """
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(min(self._deadline, self._quiet_until)):
                return await self._reader.read()
        except TimeoutError:
            # Not by the clock alone: a loop of whole milliseconds wakes a little early.
            if self._deadline <= self._quiet_until or now() >= self._deadline:
                raise self._event_reader.fail(Kind.TIMEOUT, self._timeout()) from None
            self._quiet_until = now() + self._timeouts.silence
            return None
        except UpstreamRejected as error:
            raise self._event_reader.fail(Kind.ERROR, error) from None
        except UpstreamError as error:
            raise self._event_reader.fail(Kind.LOST, error) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._event_reader.fail(Kind.LOST, failure(error, self._host)) from error

    def _take(self, read: Sequence[Any]) -> list[Event]:
        events = self._read_all(read)
        if any(event.kind is not Kind.VENDOR for event in events):
            now = asyncio.get_running_loop().time()
            self._deadline = now + self._timeouts.idle_event
            self._restart_silence()
        return events

    def _restart_silence(self) -> None:
        self._quiet_until = asyncio.get_running_loop().time() + self._timeouts.silence

    def _timeout(self) -> UpstreamTimeout:
        if self._event_reader.exchange.phase is Phase.AWAITING:
            return UpstreamTimeout("first event", self._timeouts.first_event)
        return UpstreamTimeout("next event", self._timeouts.idle_event)
