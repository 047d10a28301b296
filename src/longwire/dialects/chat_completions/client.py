"""The Chat Completions API to its clients."""

from dataclasses import replace

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.answer import ChatAnswer
from longwire.dialects.chat_completions.errors import with_own_param
from longwire.dialects.ports import Headers, Problem


class ChatCompletions:
    """Chat Completions; its errors have the envelope of all of OpenAI's APIs."""

    def answer(self, turn: Turn, aggregate: Aggregate, _headers: Headers) -> ChatAnswer:
        """Return what encodes an answer."""
        return ChatAnswer(turn, aggregate)

    def refusal(self, problem: Problem, _request_id: str) -> Problem:
        """Return the problem: its envelope is this API's, its field what the client has sent."""
        if problem.body is None:
            return problem
        return replace(problem, body=with_own_param(problem.body))

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply."""
        return {**limits, "x-request-id": request_id}
