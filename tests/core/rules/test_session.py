"""Which session a turn says it belongs to, and as whom it goes upstream."""

import pytest

from longwire.core.rules.session import (
    LONGEST_ID,
    SESSION_HEADERS,
    fingerprint,
    forwarded,
    session_id,
    trace_id,
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


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


@pytest.mark.parametrize(
    ("traceparent", "expected"),
    [
        (TRACEPARENT, TRACE),
        (f"00-{TRACE}-{PARENT}-00", TRACE),
        (f"00-{TRACE}-{PARENT}-ff", TRACE),
        (f" \t{TRACEPARENT} ", TRACE),
        (f"cc-{TRACE}-{PARENT}-01", TRACE),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", TRACE),
        (f"fe-{TRACE}-{PARENT}-01-", TRACE),
        ("", ""),
        (f"cc-{TRACE}-{PARENT}-01.what-the-future-will-not-be-like", ""),
        (f"{TRACEPARENT}-what-the-future-will-be-like", ""),
        (f"{TRACEPARENT}-", ""),
        (f"ff-{TRACE}-{PARENT}-01", ""),
        (f"00-{'0' * 32}-{PARENT}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{PARENT}-01", ""),
        (f"00-{TRACE}-{PARENT.upper()}-01", ""),
        (f"00-{TRACE[1:]}-{PARENT}-01", ""),
        (f"00-{TRACE}0-{PARENT}-01", ""),
        (f"00-{TRACE}-{PARENT[1:]}-01", ""),
        (f"00-{TRACE}-{PARENT}-1", ""),
        (f"00-{TRACE}-{PARENT}-0g", ""),
        (f"0-{TRACE}-{PARENT}-01", ""),
        (f".0-{TRACE}-{PARENT}-01", ""),
        (f"00-{TRACE[:31]}.-{PARENT}-01", ""),
        (f"00-{TRACE}_{PARENT}_01", ""),
        (f"00-{TRACE}-{PARENT}", ""),
        (f"{TRACEPARENT},{TRACEPARENT}", ""),
        (f"{TRACEPARENT}\n", ""),
        ("00-٤bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", ""),
    ],
)
def test_a_traceparent_is_read_as_the_w3c_has_it(traceparent: str, expected: str) -> None:
    """Version 00 to the letter, later ones by what 00 says of them, ff never; zeros are no id."""
    assert expected == trace_id({"traceparent": traceparent}, "")


CODEX = {"session-id": "root", "thread-id": "child"}
CLAUDE = {"x-claude-code-session-id": "claude", "x-claude-code-agent-id": "a1"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ah-trace-id": "t", "ah-thread-id": "h", "x-own": "o", **CODEX}, "t"),
        ({"ah-thread-id": " h ", "x-own": "o", "traceparent": TRACEPARENT, **CLAUDE}, "h"),
        ({"x-own": "o", "traceparent": TRACEPARENT, **CODEX}, "o"),
        ({"traceparent": TRACEPARENT, **CODEX}, "root"),
        ({"traceparent": TRACEPARENT, **CLAUDE}, "claude"),
        ({"traceparent": TRACEPARENT, "session-id": "s"}, TRACE),
        ({"traceparent": TRACEPARENT, "x-session-id": "s"}, TRACE),
        ({"traceparent": TRACEPARENT}, TRACE),
        ({"traceparent": "00-0-0-0", "session-id": "s"}, "s"),
        ({"thread-id": "child"}, "child"),
        ({"ah-trace-id": "t" * 257, "session-id": "s"}, "s"),
        ({"ah-trace-id": "  ", "session-id": "s"}, "s"),
        ({"session-id": "r" * 257, "thread-id": "child"}, "child"),
        ({}, ""),
    ],
)
def test_the_run_of_a_turn(headers: dict[str, str], expected: str) -> None:
    """What names it on purpose goes first, then an agent's own session, then the W3C's trace."""
    session = session_id(headers, (), ("x-own",))
    assert expected == trace_id(headers, session, ("x-own",))


@pytest.mark.parametrize("agent", ["a1", " a1 ", "a" * 300, ""])
def test_sub_agents_run_with_their_parent(agent: str) -> None:
    """Also where the session is known from the body alone."""
    parent = trace_id({}, session_id({}, ("s",)))
    headers = {"x-claude-code-agent-id": agent}
    assert parent == trace_id(headers, session_id(headers, ("s",))) == "s"


@pytest.mark.parametrize("name", ["ah-trace-id", "ah-thread-id", "session-id", "traceparent"])
def test_the_name_of_a_run_is_bounded(name: str) -> None:
    """Nothing that a caller sends makes it longer than a session's id may be."""
    assert "" == trace_id({name: "é" * LONGEST_ID}, "")
