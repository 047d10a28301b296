"""Output of the Responses API as parts of the one content that Gemini's API knows.

Items are shown one after another: events of a later one wait until the one before is done. What
was not streamed follows once an item is done. A call is shown whole; reasoning travels sealed, with
the part behind it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.generate_content.calls import client_name
from longwire.dialects.generate_content.options import Options
from longwire.dialects.generate_content.signatures import Reasoned, Signature
from longwire.dialects.halves import Pieces
from longwire.dialects.messages.render import Item, decode_text, item_of, joined, rest_of
from longwire.dialects.messages.stream import ACTING, Frame
from longwire.dialects.responses import output_events
from longwire.dialects.responses.odd_output import says, text_of
from longwire.dialects.stops import Cutter

_EMPTY: Final = b'""'
_INCOMPLETE: Final = b'"incomplete"'
_ESCAPE: Final = b"\\u"
_BREAK: Final = b"\\n\\n"
_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")
"""Between the tokens of JSON alone there are line breaks, and no event may have one."""
_TEXTS: Final = frozenset({output_events.TEXT, output_events.REFUSAL})
_THOUGHTS: Final = frozenset({output_events.SUMMARY, output_events.REASONING})
_encode: Final = msgspec.json.Encoder().encode
_decode_object: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class Shown(NamedTuple):
    """A part: a raw JSON text, which may be a thought, or a call as raw JSON; and its signature."""

    text: bytes = b""
    is_thought: bool = False
    call: bytes = b""
    signature: bytes = b""

    def goes_on_with(self, before: "Shown") -> bool:
        """Whether it is more of the text of the part before it."""
        is_text = not (self.call or before.call or self.signature)
        return is_text and self.is_thought == before.is_thought

    def encode(self) -> bytes:
        """Return it as raw JSON."""
        sealed = b',"thoughtSignature":%b' % self.signature if self.signature else b""
        if self.call:
            return b'{"functionCall":%b%b}' % (self.call, sealed)
        thought = b',"thought":true' if self.is_thought else b""
        return b'{"text":%b%b%b}' % (self.text, thought, sealed)


class Parts:
    """Turns the events of one response into parts, in the order of their items.

    `stop` is the sequence that cut the answer, so that nothing is shown behind it. What else says
    how it ended: whether it `has_calls`, and whether it `is_refused`. While it `is_within_emoji`,
    half of one waits for the other. `said` are the texts that were shown of the item under way,
    `unfinished` the calls whose arguments broke off: how the answer ends decides on them.
    """

    def __init__(self, options: Options) -> None:
        self.has_calls = self.is_refused = self.is_within_emoji = False
        self.stop: str | None = None
        self.under_way: int | None = None
        self.said: list[bytes] = []
        self.unfinished: list[Item] = []
        self._options = options
        self._cutter = Cutter(options.stops) if options.stops else None
        self._done: set[int] = set()
        self._latest = -1
        self._waiting: dict[int, list[Frame]] = {}
        self._item = Item()
        self._halves = Pieces()
        self._pending: list[Reasoned] = []
        self._arguments: list[Raw] = []
        self._last = ""
        self._summary = 0
        self._ready: list[Shown] = []

    @property
    def is_cut(self) -> bool:
        """Whether a stop sequence ended the answer."""
        return self.stop is not None

    @property
    def can_flow(self) -> bool:
        """Whether more of the text under way is shown as it comes."""
        is_bare = self._cutter is None and not self.is_within_emoji
        return is_bare and self.under_way is not None and bool(self.said) and self._last == "text"

    def feed(self, frame: Frame) -> Sequence[Shown]:
        """Take an event of output; return what can be shown now."""
        self._take(frame)
        self._go_on()
        return self._taken()

    def end(self, output: Iterable[bytes] = (), *, is_short: bool = False) -> Sequence[Shown]:
        """Return what is left when the response is over; `output` where its items never came.

        Of an answer that `is_short`, for it was stopped early, half a call is not shown.
        """
        while self.under_way is not None:
            self._end_item()
            self._go_on()
        if not self._done:
            for index, raw in enumerate(output):
                self._take(Frame(output_events.ITEM_DONE, index, item=Raw(raw)))
        if self._cutter is not None and not self.is_cut:
            self._show(self._cutter.rest())
        for item in () if is_short else self.unfinished:
            self._show_call(item)
        if self._pending:
            self._put(Shown(_EMPTY, signature=self._signature()))
        return self._taken()

    def _taken(self) -> Sequence[Shown]:
        ready, self._ready = self._ready, []
        return ready

    def _take(self, frame: Frame) -> None:
        if frame.type not in ACTING or self.is_cut or not self._has_turn(frame):
            return
        delta = bytes(frame.delta)
        if _ESCAPE in delta or (self.is_within_emoji and delta[:1] == b'"'):
            delta = self._halves.joined(delta)
            self.is_within_emoji = self._halves.is_held
        if frame.type == output_events.ITEM_DONE:
            self._finish(item_of(frame.item))
        elif frame.type in _TEXTS:
            self.is_refused = self.is_refused or frame.type == output_events.REFUSAL
            self._text(delta)
        elif frame.type == output_events.ARGUMENTS:
            self._arguments.append(Raw(delta))
        elif frame.type in _THOUGHTS:
            self._thought(delta, frame.summary_index)

    def _has_turn(self, frame: Frame) -> bool:
        """Say whether an event is of the item under way, which it may begin."""
        index = self._index_of(frame)
        if index in self._done:
            return False
        if self.under_way is None:
            self.under_way = index
            self.said.clear()
            self._arguments.clear()
            self._item, self._summary = item_of(frame.item), 0
        elif self.under_way != index:
            self._waiting.setdefault(index, []).append(frame)
        return self.under_way == index

    def _index_of(self, frame: Frame) -> int:
        """Return which item an event is of; one that does not say is of the one under way."""
        if frame.output_index is not None:
            return frame.output_index
        if frame.type == output_events.ITEM_ADDED and self.under_way is not None:
            self._end_item()
            self._go_on()
        return self._latest + 1 if self.under_way is None else self.under_way

    def _text(self, delta: bytes) -> None:
        if delta[:1] != b'"' or delta == _EMPTY:
            return
        is_first = not self.said
        self.said.append(delta)
        if is_first and self._last == "text":
            delta = b'"%b%b' % (_BREAK, delta[1:])
        if self._cutter is None:
            self._show_text(delta)
            return
        self._show(self._cutter.feed(decode_text(delta)))
        self.stop = self._cutter.found

    def _show(self, text: str) -> None:
        if text:
            self._show_text(_encode(text))

    def _show_text(self, text: bytes) -> None:
        phase = self._item.phase if self._last != "text" or self._pending else None
        self._put(Shown(text, signature=self._signature(phase=phase)))
        self._last = "text"

    def _thought(self, delta: bytes, part: int | None = None) -> None:
        """Show more of what was reasoned, apart from an earlier part of its summary."""
        if delta[:1] != b'"' or delta == _EMPTY or not self._options.shows_thoughts:
            return
        if self.said and part not in (None, self._summary):
            delta = b'"%b%b' % (_BREAK, delta[1:])
        self._summary = self._summary if part is None else part
        self.said.append(delta)
        self._put(Shown(delta, is_thought=True))

    def _put(self, part: Shown) -> None:
        self._ready.append(part)

    def _signature(self, call_id: str = "", phase: str | None = None) -> bytes:
        """Return what travels with the next part, b"" for nothing."""
        pending, self._pending = self._pending, []
        if not pending and not call_id and phase is None:
            return b""
        return Signature(tuple(pending), call_id, phase).encode()

    def _finish(self, item: Item) -> None:
        """End an item; what was not streamed of it is shown whole."""
        self._end_emoji()
        match item.type:
            case "message":
                self._item = item
                self.is_refused = self.is_refused or item.is_refusal
                self._text(rest_of(self.said, item.text))
            case "reasoning":
                self._thought(rest_of(self.said, item.thoughts))
                if bytes(item.encrypted_content)[:1] == b'"':  # nobody keeps it by its id alone
                    self._pending.append(Reasoned.of(item))
            case "function_call":
                self._call(item)
            case _:
                pass
        if not self.is_cut:
            self._end_item()

    def _call(self, item: Item) -> None:
        """Take a call, behind all of the text before it."""
        if self._cutter is not None:
            self._show(self._cutter.rest())
        if self._arguments and not says(item.arguments):
            item.arguments = Raw(joined(self._arguments))
        if bytes(item.status) == _INCOMPLETE and not _is_whole(item.arguments):
            self.unfinished.append(item)
        else:
            self._show_call(item)

    def _show_call(self, item: Item) -> None:
        self.has_calls = True
        call_id, name = item.call_id or "", item.name or ""
        named = client_name(name, self._options.originals)
        own = b'"id":%b,' % _encode(call_id) if call_id else b""
        call = b'{%b"name":%b,"args":%b}' % (own, _encode(named), _arguments(item.arguments))
        self._put(Shown(call=call, signature=self._signature(call_id)))
        self._last = "call"

    def _end_emoji(self) -> None:
        """Show what is left of an emoji whose other half did not come."""
        rest, self.is_within_emoji = self._halves.rest(), False
        if rest == _EMPTY:
            return
        if self._item.type == "reasoning":
            self._thought(rest)
        else:
            self._text(rest)

    def _end_item(self) -> None:
        """End the item under way, if there is one."""
        self._end_emoji()
        if self.under_way is not None:
            self._done.add(self.under_way)
            self._latest = max(self._latest, self.under_way)
        self.under_way = None

    def _go_on(self) -> None:
        """Go on with the items that wait, as far as those before them are done."""
        while self._waiting and self.under_way is None:
            for frame in self._waiting.pop(next(iter(self._waiting))):
                self._take(frame)


def _is_whole(arguments: Raw) -> bool:
    """Whether the arguments of a call are an object, to its end."""
    try:
        _decode_object(decode_text(text_of(arguments)))
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _arguments(arguments: Raw) -> bytes:
    """Return the arguments of a call as an object; what is none is put into one."""
    raw = text_of(arguments)
    text = decode_text(raw)
    if not text.strip():
        return b"{}"
    try:
        _decode_object(text)
    except (msgspec.MsgspecError, RecursionError):
        return b'{"arguments":%b}' % raw
    return text.encode("utf-8", "replace").translate(_BREAKS)


def whole_parts(shown: Iterable[Shown]) -> list[bytes]:
    """Return parts as raw JSON, with pieces of one text put together; one, at least."""
    folded: list[Shown] = []
    for part in shown:
        before = folded[-1] if folded else None
        if before is not None and part.goes_on_with(before):
            folded[-1] = before._replace(text=before.text[:-1] + part.text[1:])
        else:
            folded.append(part)
    return [part.encode() for part in folded] or [Shown(_EMPTY).encode()]
