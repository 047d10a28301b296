"""The Chat Completions API to its clients."""

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.answer import ChatAnswer
from longwire.dialects.own_fields import CHAT
from longwire.dialects.ports import Headers, Problem


class ChatCompletions:
    """Chat Completions; its errors have the envelope of all of OpenAI's APIs."""

    fields = CHAT

    def answer(self, turn: Turn, aggregate: Aggregate, _headers: Headers) -> ChatAnswer:
        """Return what encodes an answer."""
        return ChatAnswer(turn, aggregate)

    def refusal(self, problem: Problem, _request_id: str) -> Problem:
        """Return the problem: its envelope is this API's."""
        return problem

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply."""
        return {**limits, "x-request-id": request_id}
