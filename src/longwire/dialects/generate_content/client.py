"""Clients of Gemini's API: how their answers, errors and headers are written."""

from typing import Final

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.counts import Counts
from longwire.dialects.generate_content import errors
from longwire.dialects.generate_content.answer import GenerateContentAnswer
from longwire.dialects.own_fields import GEMINI
from longwire.dialects.ports import Answer, Headers, Problem

COUNTS: Final = Counts(b'{"totalTokens":%d}', errors.envelope)


class GenerateContent:
    """Gemini's API."""

    fields = GEMINI

    def answer(self, turn: Turn, aggregate: Aggregate, _headers: Headers) -> Answer:
        """Return what encodes the answer to a turn."""
        if turn.purpose is Purpose.COUNT:
            return COUNTS
        return GenerateContentAnswer(turn, aggregate)

    def refusal(self, problem: Problem, _request_id: str) -> Problem:
        """Return a problem in this API's words."""
        return errors.refusal(problem)

    def headers(self, request_id: str, limits: Headers) -> dict[str, str]:
        """Return the headers of any reply."""
        return {**limits, "x-request-id": request_id}
