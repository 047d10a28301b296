"""From failures to what callers get to read."""

import json

import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from longwire.core import errors
from longwire.core.nouns.sign_on import SignOnProblem, SignOnRefused
from longwire.server.problems import problem_of, request_id, response_to

TABLE = [
    (errors.InvalidRequest("m", param="p"), 400, "invalid_request_error", "p"),
    (errors.InvalidRequest("m", code="c"), 400, "c", None),
    (errors.BodyTooLarge(1), 413, "request_too_large", None),
    (errors.FrameTooLarge(1), 413, "request_too_large", None),
    (errors.Unauthenticated("m"), 401, "invalid_api_key", None),
    (errors.UnknownResponse("x"), 404, "response_not_found", "response_id"),
    (errors.UnknownModel("x", "y"), 404, "model_not_found", "model"),
    (errors.Forbidden("m"), 403, "permission_denied", None),
    (errors.NotFound("channel", "x"), 404, "not_found", None),
    (SignOnRefused(SignOnProblem.NO_EMAIL, "m"), 400, "sign_on_refused", None),
    (errors.Conflict("m", param="name"), 409, "conflict", "name"),
    (errors.InvalidFields([errors.FieldProblem("f", "m")]), 400, "invalid_fields", "f"),
    (errors.LimitReached("m", code="c", retry_after=3), 429, "c", None),
    (errors.UpstreamUnavailable("m"), 502, "upstream_unavailable", None),
    (errors.ChannelRefused("a", "key"), 502, "channel_refused", None),
    (errors.AccountUnavailable("m"), 503, "account_unavailable", None),
    (errors.BodyTooSlow(), 408, "request_timeout", None),
    (errors.UpstreamDisconnected("m"), 502, "upstream_disconnected", None),
    (errors.UpstreamTimeout("connect", 1), 504, "upstream_timeout", None),
    (errors.Overloaded("m", 3), 503, "overloaded", None),
    (errors.StoreUnavailable("secret"), 503, "store_unavailable", None),
    (errors.ConfigurationError("secret"), 500, "configuration_error", None),
    (HTTPException(404), 404, "unknown_url", None),
    (HTTPException(405), 405, "method_not_allowed", None),
    (HTTPException(426), 426, "upgrade_required", None),
    (KeyError("secret"), 500, "internal_error", None),
]


@pytest.mark.parametrize(("error", "status", "code", "param"), TABLE)
def test_every_failure_has_its_row(error, status, code, param):
    """Status, type, code and field follow from the error's class, in OpenAI's envelope."""
    with capture_logs():
        response = response_to(error, "req_1")
    shown = json.loads(response.body)["error"]
    kind = "invalid_request_error" if status < 500 else "server_error"
    assert response.status_code == status
    assert (shown["code"], shown["param"], shown["type"]) == (code, param, kind)
    assert response.headers["x-request-id"] == "req_1"
    assert response.headers["content-type"] == "application/json"
    assert "secret" not in shown["message"]


def test_every_caller_and_upstream_error_is_in_the_table():
    """No expected error falls through to the internal one."""
    tested = {type(error) for error, *_ in TABLE} | {errors.UpstreamRejected}
    leaves = {
        kind
        for family in (errors.CallerError, errors.UpstreamError)
        for kind in family.__subclasses__()
    }
    assert leaves <= tested


def test_an_upstream_refusal_passes_as_it_was():
    """Status, body and headers are the upstream's own."""
    body = b'{"error": {"message": "No.", "code": null, "more": 1E2}}'
    error = errors.UpstreamRejected(429, body, {"retry-after": "7"})
    response = response_to(error, "req_1")
    assert (response.status_code, response.body) == (429, body)
    assert response.headers["retry-after"] == "7"


def test_when_to_come_back():
    """An overloaded gateway says when to try again; a missing key says what to send."""
    assert response_to(errors.Overloaded("m", 3), "r").headers["retry-after"] == "3"
    assert response_to(errors.Unauthenticated("m"), "r").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (ZeroDivisionError("why"), "internal_error"),
        (errors.StoreUnavailable("why"), "store_unavailable"),
    ],
)
def test_only_what_the_operator_can_mend_is_logged(error, event):
    """A bug or a database that is away is logged with its trace and id; an upstream's fault not."""
    with capture_logs() as lines:
        response_to(errors.UpstreamUnavailable("m"), "req_1")
        response_to(error, "req_2")
    (line,) = lines
    assert (event, "req_2", error) == (line["event"], line["request_id"], line["exc_info"])


def test_quotes_of_the_caller_are_cut_and_encodable():
    """A message that quotes a body can be sent whatever was in it."""
    problem = problem_of(errors.InvalidRequest("\ud800" * 9999, param="\udfff"))
    assert len(problem.message) <= 2000
    assert json.loads(problem.envelope())["error"]["param"] == "?"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":{"message":"No.","code":"c"}}', ("c", "No.")),
        (b'{"error":{"message":"No.","type":"t"}}', ("t", "No.")),
        (b"[]", ("upstream_error", "The upstream refused the request with status 500.")),
    ],
)
def test_what_an_upstream_said_can_stand_in_a_stream(body, words):
    """Code and message are found for an event, too."""
    problem = problem_of(errors.UpstreamRejected(500, body))
    assert (problem.code, problem.message) == words


@pytest.mark.parametrize("sent", ["a", "x" * 128, "req_!~"])
def test_a_sane_request_id_is_kept(sent):
    """The caller's own id stays, so that both logs speak of the same request."""
    assert request_id({"x-request-id": sent}) == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "\u00e9", "a\x00", "a\r\nb: c"])
def test_any_other_is_replaced(sent):
    """Ids that are empty, long or not visible ASCII are not repeated."""
    new = request_id({"x-request-id": sent})
    assert new.startswith("req_")
    assert len(new) == 36
