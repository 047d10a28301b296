"""Server-sent events as bytes: encode one, decode a stream that may be cut anywhere.

The grammar is the HTML standard's, "9.2.6 Interpreting an event stream".
"""

from functools import lru_cache

COMMENT_KEEP_ALIVE = b": keep-alive\n"
"""One line: some clients take every blank line for the end of an event."""

_LF, _CR = b"\n\r"  # a number is found in bytes many times faster than a text
_BOM = b"\xef\xbb\xbf"


def encode(name: str, data: bytes) -> bytes:
    """Encode one event; `data` is JSON, which never holds a raw line break in compact form."""
    if _LF in data or _CR in data:
        data = b"\ndata: ".join(data.splitlines())
    return b"%b%b\n\n" % (prefix(name), data)


@lru_cache(maxsize=256)
def prefix(name: str) -> bytes:
    """Return what stands before the data of an event."""
    return b"event: %b\ndata: " % name.encode()


class Decoder:
    """Turn chunks of a stream into `(name, data)` pairs; an event cut by the end is dropped.

    Raises `ValueError` once a single event passes `limit` bytes.
    """

    __slots__ = ("_buffer", "_data", "_is_start", "_limit", "_name", "_size")

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._limit = limit
        self._is_start = True

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """Take the next chunk and return the events it completes."""
        seen = 0 if self._is_start else max(len(self._buffer) - 1, 0)  # a CR may be half a CRLF
        self._buffer += chunk
        if self._is_start and len(self._buffer) >= len(_BOM):
            self._is_start = False
            if self._buffer.startswith(_BOM):
                del self._buffer[: len(_BOM)]
        events: list[tuple[str, bytes]] = []
        for line in self._take_lines(seen):
            self._take(line, events)
        if len(self._buffer) + self._size > self._limit:
            raise ValueError(f"an event passes {self._limit} bytes")
        return events

    def _take_lines(self, seen: int) -> list[bytes]:
        """Take all whole lines; a trailing CR may be half of a CRLF and waits for the rest.

        No line ends before `seen`: a long one that comes in many pieces is not searched with each.
        """
        last = len(self._buffer) - 1
        end = max(self._buffer.rfind(_LF, seen), self._buffer.rfind(_CR, seen, max(last, 0)))
        if end < 0:
            return []
        whole = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]

    def _take(self, line: bytes, events: list[tuple[str, bytes]]) -> None:
        if not line:
            if self._data:
                events.append((self._name.decode("utf-8", "replace"), b"\n".join(self._data)))
            self._name, self._data, self._size = b"", [], 0
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif field == b"event":
            self._name = value
