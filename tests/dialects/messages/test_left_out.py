"""Nothing is lost in silence: what has no place is refused, and what is left out is named."""

from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from tests.dialects.messages.answers import QUESTION, items_of, replayed, turn

SOURCE = {"type": "url", "url": "https://x"}


def history(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [QUESTION, replayed([{"type": "text", "text": "x"}, *blocks]), QUESTION]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": SOURCE},
        {"type": "document", "source": SOURCE},
        {"type": "search_result", "source": "s", "title": "t", "content": []},
        {"type": "tool_result", "tool_use_id": "call_1", "content": "x"},
    ],
)
def test_a_block_that_is_a_users_is_no_assistants(block: dict[str, Any]) -> None:
    """The model would never see it, and nobody would know."""
    with pytest.raises(
        InvalidRequest, match=rf"'messages\.1\.content\.1\.type' is '{block['type']}'"
    ):
        turn(*history(block))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "why", "signature": "EqQBCgIYAhIM"},
        {"type": "redacted_thinking", "data": "EqQBCgIYAhIM"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "a_new_block", "text": "x"},
    ],
)
def test_a_block_of_somebody_elses_servers_is_named(block: dict[str, Any]) -> None:
    """A conversation that began elsewhere goes on without it, and its caller learns so, once."""
    sent = turn(*history(block, block))
    assert turn(*history()).input == sent.input
    assert (f"messages.content.{block['type']}",) == sent.source.dropped


def test_what_is_named_fits_into_a_header() -> None:
    """It takes no line breaks, and not everything that there may be."""
    assert ("messages.content.x??y",) == turn(*history({"type": "x\r\ny"})).source.dropped
    many = [{"type": f"block_{number}"} for number in range(99)]
    assert 33 == len(turn(*history(*many)).source.dropped)
    assert 33 == len(turn(**{f"member_{number}": 1 for number in range(99)}).source.dropped)


@pytest.mark.parametrize(("is_error", "named"), [(True, True), (False, False), (None, False)])
def test_that_a_tool_failed_is_named(is_error: Any, *, named: bool) -> None:
    """The API has no such mark; what went wrong is said in the result."""
    result = {"type": "tool_result", "tool_use_id": "c", "content": "No.", "is_error": is_error}
    sent = turn({"role": "user", "content": [result]})
    assert ("messages.content.is_error",) * named == sent.source.dropped
    assert ["No."] == [each["output"] for each in items_of(sent)]


@pytest.mark.parametrize(("citations", "named"), [({"enabled": True}, True), (None, False)])
def test_citations_that_are_wanted_are_named(citations: Any, *, named: bool) -> None:
    """No answer has any."""
    document = {"type": "document", "source": SOURCE, "citations": citations}
    sent = turn({"role": "user", "content": [document]})
    assert ("messages.content.citations",) * named == sent.source.dropped


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"type": "web_search_20250305", "max_uses": 8}, "max_uses"),
        ({"type": "web_search_20250305", "blocked_domains": ["x.org"]}, "blocked_domains"),
        ({"input_examples": [{}]}, "input_examples"),
    ],
)
def test_what_a_tool_loses_is_named(members: dict[str, Any], name: str) -> None:
    """It is a wish that the upstream cannot be told of."""
    tool = {"name": "a_tool", **members}
    assert (f"tools.{name}",) == turn(tools=[tool, tool]).source.dropped
    assert () == turn(tools=[tool | {name: None}]).source.dropped
