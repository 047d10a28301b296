"""Every shape of an upstream's error, brought to one."""

import json
from typing import Any

import pytest

from longwire.dialects.responses.errors import decode_problem
from tests.dialects.recordings import FOLDER, needs_recordings

FULL = {"type": "invalid_request_error", "code": "c", "message": "No.", "param": "p"}
ENVELOPE = {"message": "No.", "type": "upstream_error", "param": None, "code": None}


@pytest.mark.parametrize(
    ("frame", "status", "error"),
    [
        ({"type": "error", "status": 404, "error": FULL}, 404, FULL),
        ({"type": "error", "status_code": 404, "error": FULL}, 404, FULL),
        ({"type": "error", "error": FULL}, 400, FULL),
        (
            {"type": "error", "code": "server_error", "message": "No.", "param": None},
            500,
            {**ENVELOPE, "code": "server_error"},
        ),
        (
            {"type": "error", "error_type": "t", "status_code": 418, "code": "c", "message": "No."},
            418,
            {**ENVELOPE, "type": "t", "code": "c"},
        ),
        (
            {"type": "error", "status": 400, "error": {"detail": "No."}},
            400,
            ENVELOPE | {"detail": "No."},
        ),
        ({"detail": "No."}, 502, ENVELOPE),
        (
            {"type": "response.failed", "response": {"error": {"code": "c", "message": "No."}}},
            502,
            ENVELOPE | {"code": "c"},
        ),
        (
            {"error": {"message": "Previous response with id 'r' not found."}},
            400,
            ENVELOPE
            | {
                "message": "Previous response with id 'r' not found.",
                "code": "previous_response_not_found",
            },
        ),
        (
            {"error": {"message": "Invalid `previous_response_id`."}, "status": 400},
            400,
            ENVELOPE
            | {"message": "Invalid `previous_response_id`.", "code": "previous_response_not_found"},
        ),
        (
            {"error": {"type": "previous_response_not_found", "message": "No."}},
            400,
            ENVELOPE
            | {"type": "previous_response_not_found", "code": "previous_response_not_found"},
        ),
        ({"type": "response.error", "error": FULL, "status": 400}, 400, FULL),
        ({"error": "No."}, 502, ENVELOPE),
        (
            {"error": {**FULL, "plan_type": "plus", "resets_at": 5}, "status": 429},
            429,
            {**FULL, "plan_type": "plus", "resets_at": 5},
        ),
        ({"type": "error", "status": 7, "error": {"message": "No."}}, 502, ENVELOPE),
    ],
)
def test_an_error_is_brought_to_the_envelope(
    frame: dict[str, Any], status: int, error: dict[str, Any]
) -> None:
    """Status and code decide; what the upstream said stays said."""
    problem = decode_problem(json.dumps(frame).encode())
    assert (status, error) == (problem.status, dict(problem.error))


@pytest.mark.parametrize("place", ["frame", "error"])
def test_headers_are_read_in_both_places(place: str) -> None:
    """Upstreams wrap those of an HTTP answer beside the error or in it."""
    headers = {"Retry-After": 3, "x-other": None}
    frame = (
        {"error": {**FULL, "headers": headers}}
        if place == "error"
        else {"error": FULL, "headers": headers}
    )
    problem = decode_problem(json.dumps(frame).encode())
    assert ({"retry-after": "3"}, FULL) == (problem.headers, dict(problem.error))


FULL_AT_GOOGLE = "The input token count (1200000) exceeds the maximum number of tokens allowed (1)."


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, "RESOURCE_EXHAUSTED", 429),
        ({"code": "429", "status": "RESOURCE_EXHAUSTED"}, "RESOURCE_EXHAUSTED", 429),
        ({"code": 504, "status": "DEADLINE_EXCEEDED"}, "DEADLINE_EXCEEDED", 504),
        ({"code": 400, "status": "INVALID_ARGUMENT"}, "INVALID_ARGUMENT", 400),
        (
            {"code": 400, "status": "INVALID_ARGUMENT", "message": FULL_AT_GOOGLE},
            "context_length_exceeded",
            400,
        ),
        ({"code": 400, "message": "maximum context length"}, "context_length_exceeded", 400),
        ({"code": 503}, "503", 503),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_code_that_is_a_status_is_the_last_word(
    error: dict[str, Any], code: str, status: int
) -> None:
    """What it is called, or what its words say, tells more."""
    problem = decode_problem(json.dumps({"error": {"message": "No.", **error}}).encode())
    assert (status, code, code) == (problem.status, problem.code, problem.error["code"])


@needs_recordings
def test_google_says_when_to_try_again() -> None:
    """The delay in the details of a 429 is the `retry-after` that clients read, rounded up."""
    body = FOLDER.joinpath("gemini", "google-429-retry-info.json").read_bytes()
    rejection = decode_problem(body).to_rejection()
    assert (429, {"retry-after": "35"}) == (rejection.status, rejection.headers)


@pytest.mark.parametrize("delay", ["", "soon", "-1s", "9", 7, None, "1e999s", "99999999999s"])
def test_a_delay_that_is_none_says_nothing(delay: object) -> None:
    """Only seconds are read."""
    error = {"code": 429, "message": "No.", "details": [5, {"retryDelay": delay}]}
    assert {} == decode_problem(json.dumps({"error": error}).encode()).headers


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b"\xff\xfe"])
def test_what_is_no_json_object_is_an_error_all_the_same(body: bytes) -> None:
    """A proxy's page in front of the upstream, for one."""
    problem = decode_problem(body)
    assert (502, "") == (problem.status, problem.code)


def test_a_rejection_carries_the_envelope() -> None:
    """Ready to be sent to the caller."""
    rejection = decode_problem(json.dumps({"status": 429, "error": FULL}).encode()).to_rejection()
    assert (429, "c", {"error": FULL}) == (
        rejection.status,
        rejection.code,
        json.loads(rejection.body),
    )
