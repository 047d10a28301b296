"""Responses over HTTP: a body cut into frames, or the error that a response or its lack means.

Codes and statuses decide, and the upstream's own message is kept in the standard envelope.
"""

import asyncio
import html
import re
import ssl
from collections.abc import Sequence
from dataclasses import replace

import aiohttp
import msgspec

from longwire.core.errors import UpstreamDisconnected, UpstreamError, UpstreamUnavailable
from longwire.core.events import Event, Kind
from longwire.core.sse import Decoder
from longwire.dialects.ports import Reading
from longwire.dialects.raw_json import splice
from longwire.dialects.responses.errors import decode_problem, is_error
from longwire.dialects.responses.stream import terminal_of
from longwire.upstream.net.session import PROXY_FAILURES

_LARGEST_BODY = 64 * 1024 * 1024
_LARGEST_ERROR = 1024 * 1024
_REMAINING_READS = 16
_ERRORS = 400
_EVENTS, _JSON = "text/event-stream", "application/json"
_NO_DATA = (b"", b"[DONE]")
"""What keeps a stream alive, and what ends it: neither is an event."""
_ERROR_TIMEOUT = 10.0
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


_BROKEN = (aiohttp.ClientPayloadError, RuntimeError)
"""What reading a body raises that is cut short, or no HTTP; the latter for an ill-formed chunk."""


async def more_of(content: aiohttp.StreamReader) -> bytes:
    """Return more of a body, b"" at its end. Raises `UpstreamDisconnected` for one that is none."""
    try:
        return await content.readany()
    except _BROKEN as error:
        raise _broken_off() from error


def _broken_off() -> UpstreamDisconnected:
    """Return the error of such a body, without the addresses and names that aiohttp writes."""
    return UpstreamDisconnected("The upstream broke off: its answer is cut short, or no HTTP.")


class _SseReader:
    """Reads the events of a body, one pull at a time.

    `read` returns the frames that the next bytes complete, possibly none. It raises
    `UpstreamDisconnected` at the body's end and `ValueError` for a body too large. Cancelling loses
    nothing: the next call goes on where this one waited. `skip` reads on to the end, which is near.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self._decoder = Decoder(_LARGEST_BODY)

    async def read(self) -> Sequence[bytes]:
        try:  # not by `more_of`: these are most reads, and each call costs
            chunk = await self._content.readany()
        except _BROKEN as error:
            raise _broken_off() from error
        if not chunk:
            raise UpstreamDisconnected("The upstream ended the stream before the response.")
        events = self._decoder.feed(chunk)
        return [_frame(name, value) for name, value in events if value.strip() not in _NO_DATA]

    async def skip(self) -> None:
        for _ in range(_REMAINING_READS):
            if not await more_of(self._content):
                return


def _frame(name: str, value: bytes) -> bytes:
    """Return an event's JSON; an error that only the event's name says gets its type."""
    if name != "error":
        return value
    try:
        return splice(value, {"type": b'"error"'})
    except msgspec.MsgspecError:
        message = decode_problem(value).error["message"]
        return msgspec.json.encode({"type": "error", "error": message})


class _JsonReader:
    """Reads a response that comes whole, as `_SseReader` does events."""

    def __init__(self, content: aiohttp.StreamReader, *, needs_id: bool) -> None:
        self._needs_id = needs_id
        self._content = content
        self._body = bytearray()

    async def read(self) -> Sequence[bytes]:
        chunk = await more_of(self._content)
        self._body += chunk
        if len(self._body) > _LARGEST_BODY:
            raise ValueError(f"a response passes {_LARGEST_BODY} bytes")
        if chunk:
            return ()
        body = bytes(self._body)
        terminal = terminal_of(body)
        if terminal.response_id is None and self._needs_id:
            raise decode_problem(body).to_rejection()
        return (terminal.raw,)

    async def skip(self) -> None:
        return


class SaidReader:
    """Reads an answer of another API than Responses, as `_SseReader` does; `read` gives events.

    A body that is no stream is read at its end.
    """

    def __init__(self, content: aiohttp.StreamReader, reading: Reading, *, streams: bool) -> None:
        self._content = content
        self._reading = reading
        self._body = None if streams else bytearray()
        self._has_ended = False

    async def read(self) -> Sequence[Event]:
        """Return the next events. Raises as `_SseReader.read` does."""
        if self._has_ended:
            raise UpstreamDisconnected("The upstream ended the stream before the response.")
        try:  # not by `more_of`: these are most reads, and each call costs
            chunk = await self._content.readany()
        except _BROKEN as error:
            raise _broken_off() from error
        self._has_ended = not chunk
        try:
            if self._body is None:
                return self._reading.feed(chunk) if chunk else self._reading.end()
            self._body += chunk
            if len(self._body) > _LARGEST_BODY:
                raise ValueError(f"a response passes {_LARGEST_BODY} bytes")
            return () if chunk else self._reading.whole(bytes(self._body))
        except RecursionError:
            raise ValueError("its answer is nested too deeply to be read") from None

    async def skip(self) -> None:
        """Read on to the end, which is near."""
        for _ in range(_REMAINING_READS):
            if not await more_of(self._content):
                return


Reader = _SseReader | _JsonReader | SaidReader


def said_reader_of(response: aiohttp.ClientResponse, reading: Reading) -> Reader:
    """Return what reads an answer of another API than Responses, for its media type."""
    return SaidReader(response.content, reading, streams=media_type(response) == _EVENTS)


def reader_of(response: aiohttp.ClientResponse, *, needs_id: bool = True) -> Reader:
    """Return the reader for a response's media type; without one it is taken for events.

    A JSON response without an id is an error, unless it needs none.
    """
    if media_type(response) == _EVENTS:
        return _SseReader(response.content)
    return _JsonReader(response.content, needs_id=needs_id)


def media_type(response: aiohttp.ClientResponse, default: str = _EVENTS) -> str:
    """Return what a success comes as: events, or JSON; `default` where it does not say.

    Raises `UpstreamUnavailable` for anything else, such as a page that a browser would run.
    """
    named = response.headers.get("content-type", "").partition(";")[0].strip().lower() or default
    if named not in (_EVENTS, _JSON):
        raise UpstreamUnavailable(
            f"The upstream answered with {named[:80]} instead of events; check the base_url."
        )
    return named


def any_media_type(response: aiohttp.ClientResponse) -> str:
    """Return what a success comes as, whatever that is, but a page that a browser would run.

    Raises `UpstreamUnavailable` for that.
    """
    named = response.headers.get("content-type", "application/octet-stream")
    if named.partition(";")[0].strip().lower() == "text/html":
        raise UpstreamUnavailable("The upstream answered with a page; check the base_url.")
    return named


async def rejection(
    response: aiohttp.ClientResponse, *, is_passed_on: bool = False
) -> UpstreamError:
    """Return the error that an unsuccessful response means; its HTTP status wins.

    An API's error that `is_passed_on` is kept as it was written, too.
    """
    if response.status < _ERRORS:
        return UpstreamUnavailable(
            f"The upstream answered with status {response.status}; correct the base_url."
        )
    raw = await _error_body(response)
    original = Event(Kind.ERROR, "error", raw) if is_passed_on and is_error(raw) else None
    if response.content_type == "text/html":
        raw = _envelope_of_page(response.status, raw.decode("utf-8", "replace"))
    elif not raw.strip():
        raw = msgspec.json.encode({"message": f"The upstream answered {response.status}."})
    headers = {name.lower(): value for name, value in response.headers.items()}
    problem = decode_problem(raw)
    headers = {**problem.headers, **headers}
    rejected = replace(problem, status=response.status, headers=headers).to_rejection()
    rejected.original = original
    return rejected


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    try:
        async with asyncio.timeout(_ERROR_TIMEOUT):
            return await response.content.readexactly(_LARGEST_ERROR)
    except asyncio.IncompleteReadError as error:
        return error.partial
    except (aiohttp.ClientError, OSError, RuntimeError):  # the last for an ill-formed chunk
        return b""


def _envelope_of_page(status: int, page: str) -> bytes:
    title = _TITLE.search(page)
    words = f": {html.unescape(title[1]).strip()}" if title else ""
    return msgspec.json.encode({"message": f"The upstream answered {status} with a page{words}."})


def failure(error: Exception, host: str) -> UpstreamError:
    """Return the error that a failed connection means, with what an operator can do about it."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    inside_a_tunnel = type(error) is aiohttp.ClientOSError
    match (error.__cause__ or error) if inside_a_tunnel else error:
        case _ if isinstance(error, PROXY_FAILURES):
            mend = "the proxy cannot be used; check the channel's proxy"
        case aiohttp.ClientConnectorDNSError():
            mend = "its name cannot be resolved; check the base_url and the DNS"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            mend = "its certificate is not trusted; set tls_ca to the authority's PEM file"
        case aiohttp.ClientSSLError():
            mend = "TLS failed; check that the base_url's scheme and port belong together"
        case aiohttp.ClientConnectorError():
            mend = "it cannot be reached; check that it runs, and the base_url"
        case aiohttp.InvalidURL():
            mend = "this is no usable URL; correct the base_url"
        case _:
            return UpstreamDisconnected(f"The upstream {host} broke off: {reason}.")
    return UpstreamUnavailable(f"No connection to the upstream {host}: {mend} ({reason}).")
