"""One turn over HTTP as a client takes it, and whether what came back is well formed.

Law: an answer is one response with one terminal at its end, or an error with its envelope.
"""

import asyncio
import json
from dataclasses import dataclass, field

import aiohttp

from bench.agents import Asked, Item

_OK = 200
_LONGEST = 60.0
_TERMINALS = frozenset(
    f"response.{end}" for end in ("completed", "incomplete", "failed", "cancelled")
)


@dataclass(slots=True)
class Told:
    """What came back: `response` is the terminal's; `broken` says how an answer was no answer."""

    asked: Asked
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    response: Item = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    text: str = ""
    broken: str = ""
    has_left: bool = False
    was_disturbed: bool = False
    losses: int = 0
    """How often all connections had been cut when it ended."""

    @property
    def is_answered(self) -> bool:
        """Whether the model's answer arrived whole."""
        return self.response.get("status") in ("completed", "incomplete") and not self.broken

    @property
    def transport(self) -> str:
        """The way to the upstream, by the gateway's headers."""
        return self.headers.get("x-longwire-transport", "")

    @property
    def way(self) -> str:
        """How the turn travelled, by the gateway's headers: `continued`, `fresh replayed`."""
        names = ("x-longwire-continuity", "x-longwire-reason")
        return " ".join(filter(None, (self.headers.get(name) for name in names)))


@dataclass(frozen=True, slots=True)
class Hold:
    """When a client hangs up: after so many `seconds` or `bytes`, 0 for never."""

    seconds: float = 0.0
    bytes: int = 0


async def ask(client: aiohttp.ClientSession, url: str, key: str, asked: Asked, hold: Hold) -> Told:
    """Send one turn and read its answer, as far as the client wants to."""
    told = Told(asked)
    headers = {"authorization": f"Bearer {key}", **asked.ways.headers}
    try:
        async with (
            asyncio.timeout(hold.seconds or _LONGEST),
            client.post(url, json=asked.body(), headers=headers) as answer,
        ):
            told.status, told.headers = (
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
            )
            content = await _read(answer, hold.bytes)
            told.has_left = content is None
    except TimeoutError:
        told.has_left = bool(hold.seconds)
        told.broken = "" if told.has_left else f"no answer within {_LONGEST:.0f} seconds"
        return told
    except (aiohttp.ClientError, OSError) as error:
        told.broken = f"{type(error).__name__}: {error}"
        return told
    told.text = (content or b"").decode()
    if not told.has_left:
        _understand(told)
    return told


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Read the body; None when the client hung up before its end."""
    if not most:
        return await answer.read()
    content = b""
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) >= most and not answer.content.at_eof():
            answer.close()
            return None
    return content


def _understand(told: Told) -> None:
    """Take an answer apart; whatever is not well formed makes it broken."""
    try:
        is_stream = told.headers.get("content-type", "").startswith("text/event-stream")
        if is_stream:
            _understand_stream(told)
        else:
            body = json.loads(told.text)
            if told.status == _OK:
                told.response = body
                told.broken = _wrong_previous([body], told)
            elif not str(body["error"]["message"]):
                told.broken = "an error without a message"
    except (ValueError, KeyError, TypeError) as error:
        told.broken = f"not well formed: {error!r}"


def _understand_stream(told: Told) -> None:
    events = [json.loads(line[6:]) for line in told.text.split("\n") if line.startswith("data: ")]
    numbered = [event["sequence_number"] for event in events]
    states = [event["response"] for event in events if "response" in event]
    ends = [e for e in events if e["type"] in _TERMINALS]
    told.items = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    told.response = events[-1].get("response", {}) if events else {}
    if numbered != list(range(len(events))):
        told.broken = f"numbered {numbered}"
    elif len(ends) != 1 or ends[0] is not events[-1]:
        told.broken = f"{len(ends)} terminals, the last event is {events[-1]['type']}"
    else:
        told.broken = _wrong_previous(states, told)


def _wrong_previous(states: list[Item], told: Told) -> str:
    """Say whether a state names another previous response than the client; not all name one."""
    named = {s["previous_response_id"] for s in states if "previous_response_id" in s}
    return "" if named <= {told.asked.previous} else f"previous_response_id {named}"
