"""Random agents: a client each, with a history of its own that it may edit, cut and branch.

Law: an agent never sends what a correct client would not, and always knows what the model must
have been shown.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.spellings import SPELLINGS, Spelling

Item = dict[str, Any]
LONGEST = 48
"""Items of a history at which an agent begins a new one or keeps its end alone."""

TOOLS = [
    {
        "type": "function",
        "name": "read",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        },
    },
    {
        "type": "function",
        "name": "run",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
    },
]


@dataclass(frozen=True, slots=True)
class Ways:
    """How an agent works, for its whole life; of several `keys` each turn takes the next one."""

    conversation: int
    keys: tuple[int, ...]
    model: str
    session: str
    headers: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    spelling: Spelling = SPELLINGS[0]
    refers: bool = False


@dataclass(slots=True)
class Asked:
    """One turn to be sent: `input` is the request's, `history` all that the model shall see."""

    number: int
    ways: Ways
    key: int
    input: str | list[Item]
    history: list[Item]
    previous: str | None = None
    streams: bool = True
    is_linear: bool = True
    """Whether the history is the last answered one with something new at its end."""
    known: dict[str, Item] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the request; its metadata tell the witness whose it is."""
        ways = self.ways
        told = {
            "turn": str(self.number),
            "owner": f"k{self.key}",
            "session": ways.session,
            "conversation": f"-c{ways.conversation}-",
            "marker": self.marker,
        }
        members = {"model": ways.model, "input": self.input, "stream": self.streams}
        previous = {"previous_response_id": self.previous} if self.previous else {}
        metadata = {**ways.members.get("metadata", {}), **told}
        return {**members, **previous, **ways.members, "metadata": metadata}

    @property
    def marker(self) -> str:
        """Words that are this caller's in this conversation."""
        return f"mark-k{self.key}-c{self.ways.conversation}-"


class Agent:
    """One conversation: what is said next, and what becomes of the answer."""

    def __init__(self, ways: Ways, chance: random.Random, numbers: Iterator[int]) -> None:
        self.ways = ways
        self._chance = chance
        self._numbers = numbers
        self._history: list[Item] = []
        self._known: dict[str, Item] = {}
        self._last: Sequence[Item] = ()
        self._previous: tuple[str, int] | None = None
        self._turns = 0
        self._is_linear = False

    def next(self) -> Asked:
        """Say something and return the turn that asks for the answer."""
        if self._chance.random() < 0.08:  # noqa: PLR2004
            self._change()
        if len(self._history) > LONGEST:
            self._cut()
        self._history += self._following()
        return self._asked()

    def again(self) -> Asked:
        """Return a turn with the history as it stands."""
        return self._asked()

    def branches(self, count: int) -> list[Asked]:
        """Return some turns that go on from the same history in different ways."""
        turns = [self.next()]
        if self._history[-1].get("role") != "user":
            return turns
        for _ in range(count - 1):
            other = self._asked()
            other.history = [*other.history[:-1], *self._said("another way")]
            other.input, other.previous = other.history, None
            turns.append(other)
        return turns

    def _asked(self) -> Asked:
        self._turns += 1
        keys = self.ways.keys
        asked = Asked(
            number=next(self._numbers),
            ways=self.ways,
            key=keys[self._turns % len(keys)],
            input=[*self._history],
            history=[*self._history],
            streams=self._chance.random() < 0.7,  # noqa: PLR2004
            known=self._known,
        )
        asked.is_linear, self._is_linear = self._is_linear, False
        if self._previous is not None:
            asked.previous, held = self._previous
            asked.input = asked.history[held:]
        elif len(self._history) == 1 and self._chance.random() < 0.5:  # noqa: PLR2004
            asked.input = self._history[0]["content"]
        return asked

    def take(self, asked: Asked, response: Item) -> None:
        """Add an answer to the history, as this agent's client spells it."""
        output = response["output"]
        self._history = [*asked.history]
        held = len(self._history) + len(output)
        self._history += self.ways.spelling(output)
        self._known |= {item["id"]: item for item in output}
        self._last = output
        self._previous = (response["id"], held) if self.ways.refers else None
        self._is_linear = True

    def take_partly(self, items: list[Item]) -> None:
        """Go on from what was finished of an answer that broke off, as some clients do."""
        self._previous = None
        self._history += self.ways.spelling(items)
        self._known |= {item["id"]: item for item in items}
        self._last = items

    def forget_response(self) -> None:
        """Send the whole history with the next turn."""
        self._previous = None

    def _calls(self) -> list[Item]:
        return [item for item in self._last if item["type"] == "function_call"]

    def _following(self) -> Iterator[Item]:
        calls = self._calls()
        for number, call in enumerate(calls):
            text = f"{self._marker} {call['name']} gave ✓ {number}"
            yield {"type": "function_call_output", "call_id": call["call_id"], "output": text}
        if not calls:
            yield from self._said("what")
        self._last = ()

    def _said(self, words: str) -> list[Item]:
        size = self._chance.choice((10, 10, 10, 200, 2_000, 20_000))
        opens_alike = not self._history and self._chance.random() < 0.3  # noqa: PLR2004
        text = "Hello." if opens_alike else f"{self._marker} {words} {self._turns} {'…' * size}"
        return [{"role": "user", "content": text}]

    @property
    def _marker(self) -> str:
        return f"mark-k{self.ways.keys[0]}-c{self.ways.conversation}-"

    def _change(self) -> None:
        """Edit the history, or change what must be equal to continue."""
        self._previous, self._is_linear = None, False
        asked = [n for n, item in enumerate(self._history) if item.get("role") == "user"]
        kind = self._chance.choice(("edit", "edit", "cut", "instructions"))
        if kind == "instructions" or not asked:
            told = f"Rules of {self._turns}."
            self.ways = replace(self.ways, members={**self.ways.members, "instructions": told})
        elif kind == "cut":
            self._cut()
        else:
            edited = self._chance.choice(asked)
            self._history[edited] = self._said("no, rather")[0]

    def _cut(self) -> None:
        """Keep the history from one of the user's messages on, or up to one."""
        self._previous, self._is_linear = None, False
        asked = [n for n, item in enumerate(self._history) if item.get("role") == "user"]
        at = self._chance.choice(asked)
        if self._chance.random() < 0.5 or not at:  # noqa: PLR2004
            self._history = self._history[at:]
        else:
            self._history, self._last = self._history[:at], ()
