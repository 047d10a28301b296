"""Errors of upstreams as a client of Chat Completions reads them."""

import json

import pytest

from longwire.dialects.chat_completions.client import ChatCompletions
from longwire.dialects.own_fields import CHAT, in_own_words
from longwire.dialects.ports import Problem
from tests.dialects.answering import Answering
from tests.dialects.chat_completions.answers import turn_of


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("reasoning.effort", "reasoning_effort"),
        ("text.verbosity", "verbosity"),
        ("text.format", "response_format"),
        ("text.format.type", "response_format.type"),
        ("text.format.schema", "response_format.json_schema.schema"),
        ("max_output_tokens", "max_completion_tokens"),
        ("input", "messages"),
        ("input[1].call_id", "messages"),
        ("tools[0].name", "tools[0]"),
        ("temperature", "temperature"),
        ("inputs", "inputs"),
        (None, None),
    ],
)
def test_a_field_has_the_name_that_the_client_knows(param, expected):
    """The upstream's words stay; what cannot be named for sure is named by what it is in."""
    error = {"message": f"Wrong: {param}", "type": "x", "param": param, "code": "c", "more": 1.50}
    problem = Problem(400, "c", "m", body=json.dumps({"error": error}).encode())
    problem = in_own_words(problem, CHAT)
    said = json.loads(problem.envelope())
    assert {"error": {**error, "param": expected}} == said
    answer = Answering(turn_of()).answer
    assert said == json.loads(answer.failure(problem).removeprefix(b"data: "))


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b'{"error":"x"}', b'{"error":{"param":5}}'])
def test_an_error_of_another_form_passes(body):
    """As it came."""
    assert body == in_own_words(Problem(502, "c", "m", body=body), CHAT).envelope()


def test_a_field_of_the_gateways_own_error_stays():
    """It is the client's own already, where its own body could not be read."""
    problem = Problem(400, "c", "m", "reasoning.effort")
    assert problem == ChatCompletions().refusal(problem, "r")
