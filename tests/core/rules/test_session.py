"""Which session a turn says it belongs to, and as whom it goes upstream."""

import pytest

from longwire.core.rules.session import SESSION_HEADERS, fingerprint, forwarded, session_id


@pytest.mark.parametrize("place", range(len(SESSION_HEADERS)))
def test_the_most_specific_header_wins(place: int) -> None:
    """Before later ones and before the body."""
    headers = {name: name for name in SESSION_HEADERS[place:]}
    assert SESSION_HEADERS[place] == session_id(headers, ("cache key",))


@pytest.mark.parametrize(
    ("headers", "hints", "expected"),
    [
        ({}, ("k", "c"), "k"),
        ({}, ("", "c"), "c"),
        ({}, ("", ""), ""),
        ({"session-id": "  s  "}, ("k",), "s"),
        ({"session-id": "   "}, ("k",), "k"),
        ({"session-id": "s" * 257}, ("k",), "k"),
        ({"session-id": "s" * 256}, ("k",), "s" * 256),
        ({"session-id": "é" * 129}, ("k" * 300, "c"), "c"),
        ({"x-own": "o"}, ("k",), "o"),
        ({"session-id": "s", "x-own": "o"}, (), "s"),
    ],
)
def test_the_first_usable_id_counts(
    headers: dict[str, str], hints: tuple[str, ...], expected: str
) -> None:
    """Trimmed, not empty, at most 256 bytes."""
    assert expected == session_id(headers, hints, ("x-own",))


def test_a_sub_agent_has_a_session_of_its_own() -> None:
    """Its id joins that of its session, where there is one and both fit."""
    agent = {"x-claude-code-agent-id": "a1"}
    assert "s/a1" == session_id({"x-claude-code-session-id": "s", **agent}, ())
    assert "" == session_id(agent, ())
    assert "s" * 254 == session_id({"session-id": "s" * 254, **agent}, ())


def test_only_identity_headers_go_upstream() -> None:
    """Tracing, retries, cookies and the caller's key stay here."""
    headers = {
        "openai-organization": "org",
        "openai-beta": "",
        "authorization": "Bearer secret",
        "cookie": "c",
        "traceparent": "t",
        "x-stainless-retry-count": "1",
        "originator": "codex_exec",
    }
    assert {"openai-organization": "org", "originator": "codex_exec"} == forwarded(headers)


def test_a_fingerprint_keeps_names_and_values_apart() -> None:
    """Order makes no difference, a shifted boundary does."""
    assert fingerprint([("a", "b"), ("c", "d")]) == fingerprint([("c", "d"), ("a", "b")])
    assert fingerprint([("ab", "c")]) != fingerprint([("a", "bc")])
    assert "" == fingerprint([])
