"""All sessions in step: every client does a turn before any of them does the next."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from anthropic import AnthropicError
from openai import OpenAIError

from longwire.core.errors import UpstreamUnavailable
from longwire.demo.agent import ClientTurn, read_work, turns
from longwire.demo.clients import ChatCompletions, Messages, Responses
from longwire.demo.report import Row, Session
from longwire.demo.stage import KEY, MODELS, TRANSLATED
from longwire.emulator import Emulator


@dataclass(frozen=True, slots=True)
class Player:
    """A client at its work, and what is kept of it.

    `expected` digests, after a turn, what the model was to be shown in it.
    """

    session: Session
    turns: AsyncIterator[ClientTurn]
    expected: Callable[[], str]

    async def next_turn(self, upstream: Emulator) -> bool:
        """Do the next turn; False where none is left."""
        sockets, violations = upstream.counters.sockets_opened, len(upstream.violations)
        try:
            turn = await anext(self.turns, None)
        except (AnthropicError, OpenAIError) as error:
            raise UpstreamUnavailable(f"{self.session.name} broke off: {error}") from error
        if turn is not None:
            self.session.rows.append(Row(turn, upstream.turns[-1], self.expected()))
        self.session.handshakes += upstream.counters.sockets_opened - sockets
        self.session.violations += upstream.violations[violations:]
        return turn is not None


async def play_translated(upstream: Emulator, url: str) -> Session:
    """Run the first two turns of Responses at an upstream of Messages alone."""
    work = read_work()
    client = Responses(url, KEY, TRANSLATED, work.task)
    session = Session("Responses", "http")
    player = Player(session, turns(client, work), client.shown_in_messages)
    try:
        await player.next_turn(upstream)
        await player.next_turn(upstream)
        return session
    finally:
        await client.close()


async def play(
    upstream: Emulator, url: str, show: Callable[[Sequence[Session]], None]
) -> list[Session]:
    """Run the agent's session through each API, and through the first once more over HTTP.

    All are shown after each turn that all of them have done.
    """
    work, model = read_work(), MODELS["websocket"]
    responses = Responses(url, KEY, model, work.task)
    chat = ChatCompletions(url, KEY, model, work.task)
    messages = Messages(url, KEY, model, work.task)
    in_full = Responses(url, KEY, MODELS["http"], work.task)
    players = [
        Player(Session("Responses"), turns(responses, work), responses.shown),
        Player(Session("Chat Completions"), turns(chat, work), responses.shown),
        Player(Session("Messages"), turns(messages, work), responses.shown),
        Player(Session("over HTTP", "http"), turns(in_full, work), in_full.shown),
    ]
    sessions = [player.session for player in players]
    try:
        while all([await player.next_turn(upstream) for player in players]):
            show(sessions)
        return sessions
    finally:
        for conversation in (responses, chat, messages, in_full):
            await conversation.close()
