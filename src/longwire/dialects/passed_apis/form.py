"""A form with files, read as it arrives for the few fields that the gateway goes by.

Law: a form that another reader could read otherwise is refused: a field that routes stands once,
in its plain spelling, and the form has its end (RFC 7578, RFC 2046 section 5.1).
"""

import re
from email.message import Message
from typing import Final, NamedTuple

from longwire.core.errors import InvalidRequest

READ: Final = frozenset({"model", "stream"})
_LONGEST_VALUE: Final = 1024
_LARGEST_HEAD: Final = 16 * 1024
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER: Final = re.compile(rb';[ \t]*([^\s=;]+)[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|([^\s;"]*))')
_parameters: Final = _PARAMETER.findall
_AFTER_DELIMITER: Final = re.compile(rb"(--)|[ \t]*\r\n")
_END_OF_HEAD: Final = b"\r\n\r\n"


class Field(NamedTuple):
    """The value of a field, and where it begins in the form."""

    value: bytes
    start: int


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a media type names. Raises `InvalidRequest` for none."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise _broken("its content-type names no boundary; let your client set that header")
    return boundary.encode()


class Form:
    """Reads a form part by part, with never more than a head or a short value in memory.

    `fields` are those of `READ` that have come; each is there once the part behind it begins.
    """

    __slots__ = ("_at", "_delimiter", "_field", "_in_head", "_rest", "fields", "has_ended")

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # As if a line had ended before it: then the first delimiter is like all others.
        self._rest = bytearray(b"\r\n")
        self._at = -2
        self._in_head = False
        self._field = ""
        self.fields: dict[str, Field] = {}
        self.has_ended = False

    def feed(self, chunk: bytes) -> None:
        """Read more of it, cut anywhere. Raises `InvalidRequest`."""
        if self.has_ended:
            return
        self._rest += chunk
        while self._read_head() if self._in_head else self._read_body():
            pass

    def end(self) -> None:
        """Note that nothing more comes. Raises `InvalidRequest` where the form is not whole."""
        if not self.has_ended:
            raise _broken("it ends before its last boundary; send it whole")

    def _read_body(self) -> bool:
        """Read on to the next delimiter; return whether it is there, and more may be read."""
        rest, size = self._rest, len(self._delimiter)
        end = rest.find(self._delimiter)
        if self._field and (len(rest) - size if end < 0 else end) > _LONGEST_VALUE:
            message = f"The form's field '{self._field}' is too long."
            raise InvalidRequest(message, param=self._field)
        if end < 0:
            if not self._field:
                self._skip(max(0, len(rest) - size + 1))
            return False
        after = _AFTER_DELIMITER.match(rest, end + size)
        if after is None:
            self._check_line(end + size)
            return False
        if self._field:
            self.fields[self._field] = Field(bytes(rest[:end]), self._at)
        self._field, self._in_head = "", after[1] is None
        self.has_ended = after[1] is not None
        # The end of the line stays: a part without any header begins with an empty one.
        self._skip(after.end() - (0 if self.has_ended else 2))
        return not self.has_ended

    def _check_line(self, start: int) -> None:
        """Check that a delimiter may still become one, with what has not come of its line."""
        line = self._rest[start : start + _LONGEST_VALUE]
        if len(line) == _LONGEST_VALUE or line.strip(b" \t\r\n-"):
            raise _broken("a line begins as its boundary, and is none; use another boundary")

    def _read_head(self) -> bool:
        """Read the headers of a part; return whether they are there."""
        end = self._rest.find(_END_OF_HEAD)
        if (len(self._rest) if end < 0 else end) > _LARGEST_HEAD:
            raise _broken(f"a part has more than {_LARGEST_HEAD} bytes of headers")
        if end < 0:
            return False
        self._begin(bytes(self._rest[:end]))
        self._skip(end + len(_END_OF_HEAD))
        self._in_head = False
        return True

    def _begin(self, head: bytes) -> None:
        """Begin a part, by its headers."""
        name, is_encoded = "", False
        for line in head.split(b"\r\n"):
            header, _, value = line.partition(b":")
            header = header.strip().lower()
            if header == b"content-disposition":
                name = _named(value)
            elif header == b"content-transfer-encoding":
                is_encoded = value.strip().lower() not in (b"7bit", b"8bit", b"binary")
        if name not in READ:
            return
        if name in self.fields:
            message = f"The form's field '{name}' stands twice; send it once."
            raise InvalidRequest(message, param=name)
        if is_encoded:
            message = f"The form's field '{name}' is encoded; send it plain."
            raise InvalidRequest(message, param=name)
        self._field = name

    def _skip(self, count: int) -> None:
        del self._rest[:count]
        self._at += count


def _named(disposition: bytes) -> str:
    """Return the name of a part. Raises `InvalidRequest` where readers may differ about it."""
    found: list[tuple[bytes, bytes]] = [
        (name.lower(), quoted or bare) for name, quoted, bare in _parameters(disposition)
    ]
    names = [value for name, value in found if name.startswith(b"name")]
    if len(names) != 1 or (b"name", names[0]) not in found or b"\\" in names[0]:
        raise _broken("a part has no name, or one that can be read in several ways")
    return names[0].decode("utf-8", "replace")


def _broken(fault: str) -> InvalidRequest:
    return InvalidRequest(f"The form cannot be read: {fault}.", code="invalid_form")
