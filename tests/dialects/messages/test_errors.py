"""What a failure is to a client of this API."""

import json

import pytest

from longwire.core.errors import UpstreamRejected
from longwire.dialects.messages.client import Messages
from longwire.dialects.ports import Problem
from longwire.server.problems import problem_of
from tests.dialects.messages.answers import streamed, turn, whole

CLIENT = Messages()


def refused(status: int, code: str = "", message: str = "No.", **members) -> Problem:
    return CLIENT.refusal(Problem(status, code, message, **members), "req_1")


@pytest.mark.parametrize(
    ("status", "code", "expected", "kind"),
    [
        (400, "invalid_request_error", 400, "invalid_request_error"),
        (405, "", 405, "invalid_request_error"),
        (401, "invalid_api_key", 401, "authentication_error"),
        (402, "", 402, "billing_error"),
        (429, "insufficient_quota", 429, "billing_error"),
        (403, "permission_denied", 403, "permission_error"),
        (404, "model_not_found", 404, "not_found_error"),
        (413, "request_too_large", 413, "request_too_large"),
        (429, "rate_limit_exceeded", 429, "rate_limit_error"),
        (500, "server_error", 500, "api_error"),
        (502, "upstream_disconnected", 502, "api_error"),
        (503, "overloaded", 529, "overloaded_error"),
        (503, "slow_down", 529, "overloaded_error"),
        (529, "", 529, "overloaded_error"),
        (504, "upstream_timeout", 504, "timeout_error"),
        (501, "", 501, "not_supported"),
        (408, "request_timeout", 408, "timeout_error"),
        (503, "store_unavailable", 503, "api_error"),
    ],
)
def test_each_error_has_the_status_and_type_that_clients_know(
    status: int, code: str, expected: int, kind: str
) -> None:
    """The envelope is this API's, and names the request."""
    problem = refused(status, code)
    body = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": "req_1"}
    assert body == json.loads(problem.envelope())
    assert expected == problem.status


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            (
                "This model's maximum context length is 128,000 tokens. However, your messages "
                "resulted in 130123 tokens."
            ),
            "prompt is too long: 130123 tokens > 128000 maximum",
        ),
        (
            "Your input exceeds the context window of this model.",
            "prompt is too long: Your input exceeds the context window of this model.",
        ),
    ],
)
def test_a_full_context_is_said_so_that_clients_compact(message: str, expected: str) -> None:
    """Claude Code knows it by these words alone."""
    problem = refused(400, "context_length_exceeded", message)
    assert expected == json.loads(problem.envelope())["error"]["message"]
    assert 400 == problem.status


@pytest.mark.parametrize("code", ["", "400", "invalid_request_error", "INVALID_ARGUMENT"])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "messages: prompt is too long: 9 tokens > 8 maximum",
            "prompt is too long: 9 tokens > 8 maximum",
        ),
        (
            "input length and `max_tokens` exceed context limit: 7 + 2 > 8",
            "input length and `max_tokens` exceed context limit: 7 + 2 > 8",
        ),
        (
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            "prompt is too long: 9 tokens > 8 maximum",
        ),
        ("Input is too long.", "prompt is too long: Input is too long."),
    ],
)
def test_a_full_context_is_known_by_words_alone(code: str, message: str, expected: str) -> None:
    """Words that clients know stay as they are: by one of them they lower `max_tokens`."""
    problem = refused(400, code, message)
    error = json.loads(problem.envelope())["error"]
    assert (400, "invalid_request_error", expected) == (
        problem.status,
        error["type"],
        error["message"],
    )


@pytest.mark.parametrize(
    "message", ["You may send the maximum number of tokens allowed per minute: 8.", "Too long."]
)
def test_other_limits_are_no_full_context(message: str) -> None:
    """Nobody is to compact what will be served in a minute."""
    problem = refused(429, "", message)
    error = json.loads(problem.envelope())["error"]
    assert ("rate_limit_error", message) == (error["type"], error["message"])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("rate_limit_exceeded", (429, "rate_limit_error")),
        ("server_error", (500, "api_error")),
        ("insufficient_quota", (429, "billing_error")),
        ("server_is_overloaded", (529, "overloaded_error")),
        ("context_length_exceeded", (400, "invalid_request_error")),
        ("bio_policy", (400, "invalid_request_error")),
    ],
)
def test_a_failed_response_is_an_error_of_its_code(code: str, expected: tuple[int, str]) -> None:
    """Whole or streamed; one that nobody knows is the request's own fault, so never sent again."""
    error = {"code": code, "message": "No."}
    response = {"id": "resp_1", "status": "failed", "error": error, "output": []}
    failed = {"type": "response.failed", "response": response}
    for answer in (streamed, whole):
        with pytest.raises(UpstreamRejected) as caught:
            answer(turn(), [failed])
        problem = CLIENT.refusal(problem_of(caught.value), "req_1")
        shown = json.loads(problem.envelope())["error"]["type"]
        assert expected == (problem.status, shown)


@pytest.mark.parametrize("code", ["previous_response_not_found", "response_not_found"])
def test_a_thread_that_is_gone_is_told_by_its_code(code: str) -> None:
    """Clients then send everything again, with a new thread."""
    problem = refused(400, code, body=b"{}")
    assert 404 == problem.status
    error = json.loads(problem.envelope())["error"]
    assert ("not_found_error", "thread_not_found") == (
        error["type"],
        error["details"]["error_code"],
    )


def test_headers_say_when_to_try_again_and_what_is_left() -> None:
    """Of the gateway's own limits alone: an upstream's are no affair of its clients."""
    limits = {
        "retry-after": "7",
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "7s",
    }
    own = {"anthropic-ratelimit-requests-limit": "10", "anthropic-ratelimit-tokens-remaining": "0"}
    assert {"retry-after": "7", **own} == refused(429, headers=limits).headers
    assert {"retry-after": "7"} == refused(429, headers=limits, body=b"{}").headers
    ids = {"request-id": "req_1", "x-request-id": "req_1"}
    assert {**ids, **own} == CLIENT.headers("req_1", limits)
