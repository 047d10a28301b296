"""What one node asks all others: the question goes over tidings, answers come back through Valkey.

Law: who does not answer in time is named, and nobody waits again for one that has been silent
since. Answers have a connection of their own, with tidings: a large one makes no turn wait.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from longwire.core.errors import FleetUnavailable, LongwireError
from longwire.core.ports import Tidings
from longwire.fleet.nodes import Node, Nodes
from longwire.logger import structlog

if TYPE_CHECKING:
    from longwire.fleet.valkey import Valkey

_log = structlog.get_logger()
_KIND: Final = "question"
_IN_TIME: Final = 1.0
_LASTS: Final = 10
_FIRST_LOOK, _LONGEST_PAUSE = 0.01, 0.1
_MOST_WAITING: Final = 64
_MOST_BYTES: Final = 1 << 20
_MOST_UNPACKED: Final = 1 << 25
_UNKNOWN: Final = b""
"""The answer of a node that does not know a kind of question: it is of another version."""

Answering = Callable[[Mapping[str, Any]], Any]
"""Answers a question with these facts by what JSON can hold."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What other nodes answered, by name, and the names of those that did not."""

    by_node: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[str] = ()

    def rows(self, fields: Collection[str]) -> list[dict[str, Any]]:
        """Return the rows that all of them answered with; not those that lack one of the fields.

        A node of another version may tell less.
        """
        rows = (row for node in sorted(self.by_node) for row in self.by_node[node])
        return [row for row in rows if row.keys() >= set(fields)]


class _Question(msgspec.Struct):
    id: str
    kind: str
    node: str
    facts: dict[str, Any]


class Asking:
    """Asks the other nodes, and answers them. Without `valkey` there are none."""

    def __init__(self, nodes: Nodes, tidings: Tidings, valkey: "Valkey | None" = None) -> None:
        self._nodes = nodes
        self._tidings = tidings
        self._valkey = valkey
        self._answering: dict[str, Answering] = {}
        self._missed: dict[str, float] = {}
        self._waiting: deque[_Question] = deque(maxlen=_MOST_WAITING)
        self._has_some = asyncio.Event()
        tidings.hear(_KIND, self._take)

    @property
    def node(self) -> str:
        """The name of the node that asks."""
        return self._nodes.own.name

    def answer(self, kind: str, answering: Answering) -> None:
        """Have questions of a kind answered, from now on."""
        self._answering[kind] = answering

    async def ask(self, kind: str, facts: Mapping[str, Any], node: str = "") -> Answers:
        """Ask the other nodes, or the one of that name. Never fails: who is silent is missing."""
        if self._valkey is None:
            return Answers(missing=(node,) if node else ())
        present = await self._nodes.presence()
        names = {
            each.epoch: each.name
            for each in present.nodes
            if each.epoch != self._nodes.own.epoch and node in {"", each.name}
        }
        raw = await self._collect(
            self._valkey,
            _Question(uuid4().hex, kind, node, dict(facts)),
            [each for each in present.nodes if each.epoch in names],
        )
        answers: dict[str, Any] = {}
        for epoch, answer in raw.items():
            with suppress(zlib.error, msgspec.DecodeError):  # as that of a node that knows nothing
                answers[names[epoch]] = _unpacked(answer)
        missing = {*names.values(), *([node] if node else [])} - answers.keys()
        return Answers(answers, sorted(missing))

    async def _collect(
        self, valkey: "Valkey", question: _Question, nodes: Sequence[Node]
    ) -> Mapping[str, bytes]:
        """Return the answers that come in time, by epoch."""
        now = asyncio.get_running_loop().time
        waited_for = {each.epoch for each in nodes if not self._was_silent(each, now())}
        found: dict[str, bytes] = {}
        if nodes:
            self._tidings.tell(_KIND, msgspec.to_builtins(question))
        with suppress(FleetUnavailable, TimeoutError):
            async with asyncio.timeout(_IN_TIME):
                await _look_on(valkey, question.id, waited_for, found)
        silent = {epoch: now() for epoch in waited_for - found.keys()}
        present = {each.epoch for each in nodes}
        self._missed = {e: at for e, at in {**self._missed, **silent}.items() if e in present}
        return found

    def _was_silent(self, node: Node, now: float) -> bool:
        """Whether a node missed a question, and no heartbeat of it was heard since."""
        return now - node.age < self._missed.get(node.epoch, float("-inf"))

    def _take(self, _node: str, facts: Mapping[str, Any]) -> None:
        question = msgspec.convert(facts, _Question)
        if question.node in {"", self.node}:
            self._waiting.append(question)
            self._has_some.set()

    async def answer_others(self) -> None:
        """Answer what other nodes ask, until cancelled."""
        while self._valkey is not None:
            await self._has_some.wait()
            self._has_some.clear()
            while self._waiting:
                question = self._waiting.popleft()
                key = _key(question.id, self._nodes.own.epoch)
                with suppress(FleetUnavailable):
                    await self._valkey.call("SET", key, self._answer_to(question), "EX", _LASTS)

    def _answer_to(self, question: _Question) -> bytes:
        """Return the answer as it is sent; that of another version's question says so."""
        answering = self._answering.get(question.kind)
        if answering is None:
            return _UNKNOWN
        try:
            answer = zlib.compress(msgspec.json.encode(answering(question.facts)), 1)
        except (LongwireError, LookupError, TypeError, ValueError) as error:
            _log.warning("question_not_answered", kind=question.kind, error=repr(error))
            return _UNKNOWN
        if len(answer) > _MOST_BYTES:
            _log.warning("question_not_answered", kind=question.kind, bytes=len(answer))
            return _UNKNOWN
        return answer


async def _look_on(
    valkey: "Valkey", question_id: str, epochs: AbstractSet[str], found: dict[str, bytes]
) -> None:
    """Add the answers of these nodes until all have come, one by one: any of them may be large."""
    pause = _FIRST_LOOK
    while missing := epochs - found.keys():
        for epoch in missing:
            answer = await valkey.call("GET", _key(question_id, epoch))
            if answer is not None:
                found[epoch] = answer
        if not epochs <= found.keys():
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _key(question_id: str, epoch: str) -> str:
    return f"lw:{{answer:{question_id}}}:{epoch}"


def _unpacked(answer: bytes) -> Any:  # noqa: ANN401 - as the other node answered
    return msgspec.json.decode(zlib.decompressobj().decompress(answer, _MOST_UNPACKED))


class LatestAnswers:
    """The other nodes' answers to one question, asked anew where they are too old, once for all."""

    def __init__(self, asking: Asking, kind: str, seconds: float = 1.0) -> None:
        self._asking = asking
        self._kind = kind
        self._seconds = seconds
        self._last = Answers()
        self._last_at = float("-inf")
        self._in_flight: asyncio.Event | None = None

    async def get(self) -> Answers:
        """Return answers that are not older than so many seconds."""
        now = asyncio.get_running_loop().time
        while self._in_flight is not None:
            await self._in_flight.wait()
        if now() - self._last_at >= self._seconds:
            self._in_flight = answered = asyncio.Event()
            try:
                self._last = await self._asking.ask(self._kind, {})
                self._last_at = now()
            finally:
                self._in_flight = None
                answered.set()
        return self._last
