"""An agent as people write them with the official client: it resends its whole history each turn.

The history grows as the client's own examples grow it, `input += response.output`; nothing in here
knows of the gateway.
"""

import json
import time
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from openai.types.responses import ResponseCompletedEvent

from longwire.core.errors import UpstreamDisconnected


@dataclass(frozen=True, slots=True)
class ClientTurn:
    """One turn as the client saw it: `size` in bytes, `first_event` in seconds from sending on.

    `sent` is the history as the request held it; `way` is what the gateway's headers say.
    """

    transport: str
    way: str
    size: int
    sent: list[dict[str, Any]]
    cached_tokens: int
    first_event: float


class Agent:
    """Asks the questions of `session.toml` and calls its tools as often as the model wants to."""

    def __init__(self, base_url: str, key: str, model: str) -> None:
        http = DefaultAsyncHttpxClient(event_hooks={"request": [self._sends]})
        self.client = AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=http)
        self._model = model
        self._script = tomllib.loads(files(__package__).joinpath("session.toml").read_text("utf-8"))
        self._sent_at = 0.0

    async def _sends(self, _request: object) -> None:
        """Measure from here: before, the client was busy with the history on its own."""
        self._sent_at = time.perf_counter()

    async def turns(self) -> AsyncIterator[ClientTurn]:
        """Give each turn as it ends."""
        history: list[Any] = []
        for question in self._script["questions"]:
            new: list[Any] = [{"role": "user", "content": question}]
            while new:
                history += new
                turn, output = await self._ask(history)
                history += output
                calls = [item for item in output if item.type == "function_call"]
                new = [_result(call, number) for number, call in enumerate(calls, len(history))]
                yield turn

    async def _ask(self, history: list[Any]) -> tuple[ClientTurn, list[Any]]:
        """Send the history and read the stream to its end; also give the model's output items."""
        answer = await self.client.responses.with_raw_response.create(
            model=self._model,
            instructions=self._script["instructions"],
            input=history,
            tools=self._script["tools"],
            include=["reasoning.encrypted_content"],
            store=False,
            stream=True,
        )
        events = aiter(answer.parse())
        event = await anext(events)
        first_event = time.perf_counter() - self._sent_at
        async for event in events:  # noqa: B007 - the last one counts
            pass
        if not isinstance(event, ResponseCompletedEvent) or event.response.usage is None:
            raise UpstreamDisconnected(f"the session broke: a turn ended with {event.type}")
        body, headers = answer.http_request.content, answer.headers
        reason = headers.get("x-longwire-reason", "")
        turn = ClientTurn(
            transport=headers["x-longwire-transport"],
            way=f"{headers['x-longwire-continuity']} {reason}".strip(),
            size=len(body),
            sent=json.loads(body)["input"],
            cached_tokens=event.response.usage.input_tokens_details.cached_tokens,
            first_event=first_event,
        )
        return turn, event.response.output


def _result(call: Any, number: int) -> dict[str, str]:  # noqa: ANN401 - one of 30 item types
    """What a tool answers: a few KB, as files and test runs have."""
    lines = (
        f"{line:>4}  refund_{number}_{line} = book(order, cents={line * 37 % 9_973})"
        for line in range(1, 41 + number % 20)
    )
    text = f"{call.name}: ok\n" + "\n".join(lines)
    return {"type": "function_call_output", "call_id": call.call_id, "output": text}
