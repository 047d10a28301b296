"""An agent as people write them: it asks, calls the tools that the model wants, and goes on."""

import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files

from longwire.demo.clients import Call, Conversation, Task


@dataclass(frozen=True, slots=True)
class ClientTurn:
    """One turn as the client saw it: `size` in bytes, `first_event` in seconds from sending on.

    `way` is what the gateway's headers say.
    """

    transport: str
    way: str
    size: int
    cached_tokens: int
    first_event: float


@dataclass(frozen=True, slots=True)
class Work:
    """All that an agent has to do."""

    task: Task
    questions: tuple[str, ...]


def read_work() -> Work:
    """Read `session.toml`."""
    script = tomllib.loads(files(__package__).joinpath("session.toml").read_text("utf-8"))
    return Work(Task(script["instructions"], script["tools"]), tuple(script["questions"]))


async def turns(conversation: Conversation, work: Work) -> AsyncIterator[ClientTurn]:
    """Do the work; give each turn as it ends."""
    calls_before = 0
    for question in work.questions:
        conversation.ask(question)
        while True:
            reply = await conversation.turn()
            yield _turn(conversation, reply.cached_tokens)
            if not reply.calls:
                break
            calls = enumerate(reply.calls, calls_before)
            conversation.answer({call.id: _result(call, number) for number, call in calls})
            calls_before += len(reply.calls)


def _turn(conversation: Conversation, cached_tokens: int) -> ClientTurn:
    meter = conversation.meter
    reason = meter.headers.get("x-longwire-reason", "")
    return ClientTurn(
        transport=meter.headers["x-longwire-transport"],
        way=f"{meter.headers['x-longwire-continuity']} {reason}".strip(),
        size=len(meter.body),
        cached_tokens=cached_tokens,
        first_event=meter.first_event,
    )


def _result(call: Call, number: int) -> str:
    """Return what a tool answers: a few KB, as files and test runs have."""
    lines = (
        f"{line:>4}  refund_{number}_{line} = book(order, cents={line * 37 % 9_973})"
        for line in range(1, 41 + number % 20)
    )
    return f"{call.name}: ok\n" + "\n".join(lines)
