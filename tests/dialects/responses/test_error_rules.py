"""Every rule for an upstream's error, by an example of it."""

import json
from dataclasses import replace

import pytest

from longwire.core.errors import ChannelRefused
from longwire.core.rules.recovery import Trouble
from longwire.dialects.responses.errors import (
    ERROR_RULES,
    decode_problem,
    rule_of,
    trouble_of,
)
from longwire.relay.turns.failures import without_credentials
from tests.relay.turns.failures import channel

DUPLICATE = "Duplicate item found with id rs_1. Remove duplicate items from your input."
FOREIGN_ID = "Invalid 'input[2].id': 'toolu_1'. Expected an ID that begins with 'fc'."
UNREADABLE = (
    r"Invalid .{0,2}(signature|data)\W* in \W*(redacted_)?thinking\W* block"
    "|[Tt]hought[ _]signature is not valid|Corrupted thought signature"
)
NO_KEY = "API key not valid. Please pass a valid API key."
NO_CREDIT = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."
)


def openai(code, message="No."):
    """An error as OpenAI writes it, whose types say little."""
    return {"type": "invalid_request_error", "code": code, "message": message, "param": None}


def typed(kind):
    """An error as Anthropic, and Codex's backend in part, write it: its type is its code."""
    return {"type": kind, "message": "No."}


def google(status):
    """An error as Google writes it, over a WebSocket that has no status of its own."""
    return {"status": status, "message": "No."}


# By code, or by text where a rule has no code: an error that names no number as its status, the
# status that it gets, and what struck.
EXAMPLES = {
    "previous_response_not_found": (
        openai(None, "Previous response with id 'resp_1' not found."),
        400,
        Trouble.FORGOT,
    ),
    "websocket_connection_limit_reached": (
        openai(None, "Responses websocket connection limit reached (60 minutes)."),
        400,
        Trouble.EXPIRED,
    ),
    "invalid_encrypted_content": (
        openai(None, "The encrypted content gAAA could not be verified."),
        400,
        Trouble.SEALED_ELSEWHERE,
    ),
    UNREADABLE: (
        openai(None, "messages.1.content.0: Invalid `signature` in `thinking` block"),
        400,
        Trouble.SEALED_ELSEWHERE,
    ),
    "Duplicate item found with id": (openai(None, DUPLICATE), 400, Trouble.DUPLICATE),
    r"Invalid 'input\[\d+\].id'": (openai(None, FOREIGN_ID), 400, Trouble.FOREIGN_ID),
    "invalid_request_error": (openai("invalid_request_error"), 400, Trouble.REFUSED),
    "context_length_exceeded": (
        openai(None, "This model's maximum context length is 128000 tokens."),
        400,
        Trouble.REFUSED,
    ),
    "invalid_prompt": (openai("invalid_prompt"), 400, Trouble.REFUSED),
    "content_policy_violation": (openai("content_policy_violation"), 400, Trouble.REFUSED),
    "moderation_blocked": (openai("moderation_blocked"), 400, Trouble.REFUSED),
    "content_filter": (openai("content_filter"), 400, Trouble.REFUSED),
    "your input was flagged": (
        openai(None, "gpt-5 requires moderation; your input was flagged for violence."),
        400,
        Trouble.REFUSED,
    ),
    "API_KEY_INVALID": (openai(None, NO_KEY), 400, Trouble.BARRED),
    "invalid_api_key": (openai("invalid_api_key"), 401, Trouble.UNAUTHORIZED),
    "invalid_authentication": (openai("invalid_authentication"), 401, Trouble.UNAUTHORIZED),
    "token_expired": (openai("token_expired"), 401, Trouble.UNAUTHORIZED),
    "token_invalidated": (openai("token_invalidated"), 401, Trouble.UNAUTHORIZED),
    "token_revoked": (openai("token_revoked"), 401, Trouble.UNAUTHORIZED),
    "insufficient_quota": (openai("insufficient_quota"), 429, Trouble.LIMITED),
    "usage_not_included": (typed("usage_not_included"), 429, Trouble.LIMITED),
    "usage_limit_reached": (typed("usage_limit_reached"), 429, Trouble.LIMITED),
    "rate_limit_exceeded": (openai("rate_limit_exceeded"), 429, Trouble.LIMITED),
    "slow_down": (openai("slow_down"), 503, Trouble.FAILING),
    "server_is_overloaded": (openai("server_is_overloaded"), 503, Trouble.FAILING),
    "server_error": (openai("server_error"), 500, Trouble.FAILING),
    "authentication_error": (typed("authentication_error"), 401, Trouble.UNAUTHORIZED),
    "billing_error": (openai(None, NO_CREDIT), 402, Trouble.BARRED),
    "permission_error": (typed("permission_error"), 403, Trouble.BARRED),
    "not_found_error": (typed("not_found_error"), 404, Trouble.REFUSED),
    "request_too_large": (typed("request_too_large"), 413, Trouble.REFUSED),
    "rate_limit_error": (typed("rate_limit_error"), 429, Trouble.LIMITED),
    "api_error": (typed("api_error"), 500, Trouble.FAILING),
    "timeout_error": (typed("timeout_error"), 504, Trouble.FAILING),
    "overloaded_error": (typed("overloaded_error"), 529, Trouble.FAILING),
    "service_unavailable_error": (typed("service_unavailable_error"), 503, Trouble.FAILING),
    "malformed_answer": (openai("malformed_answer"), 502, Trouble.MALFORMED),
    "INVALID_ARGUMENT": (google("INVALID_ARGUMENT"), 400, Trouble.REFUSED),
    "FAILED_PRECONDITION": (google("FAILED_PRECONDITION"), 400, Trouble.REFUSED),
    "UNAUTHENTICATED": (google("UNAUTHENTICATED"), 401, Trouble.UNAUTHORIZED),
    "PERMISSION_DENIED": (google("PERMISSION_DENIED"), 403, Trouble.BARRED),
    "NOT_FOUND": (google("NOT_FOUND"), 404, Trouble.REFUSED),
    "RESOURCE_EXHAUSTED": (google("RESOURCE_EXHAUSTED"), 429, Trouble.LIMITED),
    "INTERNAL": (google("INTERNAL"), 500, Trouble.FAILING),
    "UNAVAILABLE": (google("UNAVAILABLE"), 503, Trouble.FAILING),
    "DEADLINE_EXCEEDED": (google("DEADLINE_EXCEEDED"), 504, Trouble.FAILING),
}


def name_of(rule):
    """What a rule is known by."""
    return rule.code or rule.text.pattern


def test_every_rule_has_an_example():
    """A rule that is added needs its row here, and a row its rule."""
    assert [*EXAMPLES] == [name_of(rule) for rule in ERROR_RULES]


@pytest.mark.parametrize(("error", "status", "trouble"), EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("is_failed_response", [False, True])
def test_an_error_means_what_its_rule_says(error, status, trouble, is_failed_response):
    """An error is known by its code or its words alone, whatever frame brings it."""
    frame = {"response": {"error": error}} if is_failed_response else {"error": error}
    problem = decode_problem(json.dumps(frame).encode())
    assert (status, trouble) == (problem.status, trouble_of(problem.to_rejection()))


@pytest.mark.parametrize("rule", [rule for rule in ERROR_RULES if rule.code], ids=name_of)
def test_a_code_is_enough(rule):
    """What has a code needs no words, though some upstreams of it give words alone."""
    assert EXAMPLES[rule.code][2] is rule_of(rule.code, rule.status).trouble


@pytest.mark.parametrize("rule", [rule for rule in ERROR_RULES if rule.text], ids=name_of)
def test_words_are_enough(rule):
    """What is known by its words has an example without a code."""
    error = EXAMPLES[name_of(rule)][0]
    assert (None, True) == (error["code"], bool(rule.text.search(error["message"])))


SEALED = [
    "The encrypted content gAAA...== could not be verified.",
    "The encrypted content x could not be decrypted or parsed.",
    "Encrypted content item_id did not match the target item id.",
    "openai: encrypted_content could not be verified",
    "upstream said invalid_encrypted_content",
    'BadRequestError: {\n "message": "The encrypted content x could not be verified."\n}',
]


@pytest.mark.parametrize("message", SEALED)
@pytest.mark.parametrize("code", [None, 0, "0", "", 400, "400", "bad_response_status_code"])
@pytest.mark.parametrize("kind", ["invalid_request_error", "server_error", "upstream_error", None])
@pytest.mark.parametrize("status", [400, 502, None])
def test_case_17_and_18_sealed_elsewhere_is_known_by_its_words(status, kind, code, message):
    """Relays drop the code, or write one of their own, and whatever type and status they like."""
    frame = {"error": {"type": kind, "code": code, "message": message, "param": None}}
    frame |= {"status": status} if status else {}
    rejection = decode_problem(json.dumps(frame).encode()).to_rejection()
    assert Trouble.SEALED_ELSEWHERE is trouble_of(rejection)


@pytest.mark.parametrize(
    "message",
    [
        "Your organization could not be verified.",
        "The encrypted content is missing.",
        "Unknown parameter: 'encrypted_content'.",
    ],
)
def test_words_of_other_things_seal_nothing(message):
    """What is left out then would be lost for nothing."""
    problem = decode_problem(json.dumps({"error": openai(None, message)}).encode())
    assert Trouble.REFUSED is rule_of(problem.code, 400, problem.to_rejection().body).trouble


REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def googles(message, *details):
    """An error as Google's endpoints answer it."""
    return {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}


@pytest.mark.parametrize(
    "body",
    [
        {"error": googles(NO_KEY, REASON)},
        [{"error": googles(NO_KEY)}],
        {"error": googles("API key expired. Please renew the API key.")},
        {"error": googles("Der API-Schl\u00fcssel ist ung\u00fcltig.", REASON)},
        {"type": "error", "error": {"type": "invalid_request_error", "message": NO_CREDIT}},
    ],
)
def test_a_key_that_is_refused_with_400_is_the_channels(body):
    """The request is in order: another channel may serve it, and its caller hears nothing."""
    rejection = replace(decode_problem(json.dumps(body).encode()), status=400).to_rejection()
    assert Trouble.BARRED is trouble_of(rejection)
    assert isinstance(without_credentials(rejection, channel("a")), ChannelRefused)


@pytest.mark.parametrize(
    "words", [NO_KEY, NO_CREDIT, f'"message":"{NO_KEY}', '"reason":"API_KEY_INVALID"']
)
def test_what_a_request_says_of_keys_blames_no_channel(words):
    """An upstream may quote a request that it refuses."""
    body = json.dumps({"error": googles(f"Invalid value at 'contents': {words}")})
    assert Trouble.REFUSED is trouble_of(decode_problem(body.encode()).to_rejection())
