"""Clients of Anthropic's Messages API: how their answers, errors and headers are written."""

from typing import Final

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.counts import Counts
from longwire.dialects.messages import errors
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.own_fields import MESSAGES
from longwire.dialects.ports import Answer, Headers, Problem

COUNTS: Final = Counts(b'{"input_tokens":%d}', errors.envelope)


class Messages:
    """The Messages API."""

    fields = MESSAGES

    def answer(self, turn: Turn, aggregate: Aggregate, _headers: Headers) -> Answer:
        """Return what encodes the answer to a turn."""
        if turn.purpose is Purpose.COUNT:
            return COUNTS
        return MessagesAnswer(turn, aggregate)

    def refusal(self, problem: Problem, request_id: str) -> Problem:
        """Return a problem in this API's words."""
        return errors.refusal(problem, request_id)

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply."""
        own = {"request-id": request_id, "x-request-id": request_id}
        return {**errors.limit_headers(limits), **own}
