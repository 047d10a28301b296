"""Calls of one conversation and what answers them: each by the id that it has upstream.

Clients name them in their own ways: Gemini CLI puts `<name>__` before each id, `google-genai`
answers by the name alone, and a resumed session repeats its answers. Law: whatever they do, a call
and its answer have the id that the upstream gave it, as long as anything of it came back.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec
from blake3 import blake3

from longwire.dialects.fields import invalid
from longwire.dialects.names import LONGEST, shortened

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")
_DIGEST: Final = 4
_encode: Final = msgspec.json.Encoder().encode


def upstream_name(name: str) -> str:
    """Return the name of a function as the Responses API takes it: no dots, no colons, not long."""
    if _NAME.fullmatch(name):
        return name
    digest = blake3(name.encode("utf-8", "surrogatepass")).hexdigest(length=_DIGEST)
    return f"{_OTHER.sub('_', name)[: LONGEST - 2 * _DIGEST - 1]}_{digest}"


def client_name(name: str, originals: Mapping[str, str]) -> str:
    """Return a name as the client knows it."""
    return originals.get(name, name)


class Calls:
    """The calls so far; `count` makes an id for one that has none."""

    def __init__(self) -> None:
        self._count = 0
        self._ids: dict[str, str] = {}
        self._open: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._outputs: dict[str, bytes] = {}
        self._answered: dict[tuple[str, bytes], str] = {}
        self._names: dict[str, str] = {}

    def called(self, name: str, identity: str | None, own: str) -> bytes:
        """Note a call; return its id upstream: its `own`, where that came back, as raw JSON."""
        self._count += 1
        call_id = own or _bare(identity, name) or f"call_{self._count}"
        call_id = shortened(call_id)
        if identity:
            self._ids[identity] = call_id
        self._close(call_id, but=name)
        self._open[name][call_id] = None
        self._outputs.pop(call_id, None)  # some upstreams use an id again
        self._names[call_id] = name
        return _encode(call_id)

    def answered(self, name: str, identity: str | None, output: bytes, at: str) -> bytes | None:
        """Note an answer; return its item, None for one that only repeats what was said.

        Raises `InvalidRequest` for one that names no call.
        """
        call_id = self._named(identity, name) if identity else self._next(name, output)
        if call_id is None:
            fault = "names no function that was called before and is open; send the call's 'id'"
            raise invalid(f"{at}.name", fault)
        if self._outputs.get(call_id) == output:
            return None
        self._outputs[call_id] = output
        self._close(call_id)
        named = self._names.get(call_id, name)
        if not self._was_answered(self._answered.get((named, output)), output):
            self._answered[named, output] = call_id
        written = _encode(call_id)
        return b'{"type":"function_call_output","call_id":%b,"output":%b}' % (written, output)

    def _named(self, identity: str, name: str) -> str:
        return self._ids.get(identity) or shortened(_bare(identity, name))

    def _next(self, name: str, output: bytes) -> str | None:
        """Return the first open call of a function, else one that was answered just so."""
        first = next(iter(self._open[name]), None)
        if first is not None:
            return first
        call_id = self._answered.get((name, output))
        return call_id if self._was_answered(call_id, output) else None

    def _was_answered(self, call_id: str | None, output: bytes) -> bool:
        return call_id is not None and self._outputs.get(call_id) == output

    def _close(self, call_id: str, but: str = "") -> None:
        """Take a call from those that are open, unless it is one of this name."""
        name = self._names.get(call_id)
        if name is not None and name != but:
            self._open[name].pop(call_id, None)


def _bare(identity: str | None, name: str) -> str:
    """Return an id without the name that Gemini CLI puts before it."""
    return (identity or "").removeprefix(f"{name}__")
