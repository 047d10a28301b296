"""Tools of a request: functions, a search, those that are deferred, and names that are too long."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from tests.dialects.messages.answers import (
    QUESTION,
    call,
    events_of,
    items_of,
    message,
    replayed,
    turn,
    whole,
)

LONG = "mcp__a_server_with_a_long_name__" + "a_tool_with_a_long_name" * 3


def tool(name: str = "Read", **members: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, **members}


def sent_tools(*tools: dict[str, Any], **members: Any) -> Any:
    return json.loads(turn(tools=list(tools), **members).members.get("tools", b"null"))


def function(name: str = "Read", **members: Any) -> dict[str, Any]:
    schema = {"type": "object"}
    return {"type": "function", "name": name, "parameters": schema, "strict": False, **members}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"type": "custom", "strict": None}, {}),
        ({"description": "Reads."}, {"description": "Reads."}),
        ({"strict": True}, {"strict": True}),
        ({"cache_control": {"type": "ephemeral"}, "eager_input_streaming": True}, {}),
        ({"input_schema": None}, {"parameters": {"type": "object", "properties": {}}}),
    ],
)
def test_a_client_tool_is_a_function(members: dict[str, Any], expected: dict[str, Any]) -> None:
    """What only Anthropic's API knows of it is left out."""
    assert [function(**expected)] == sent_tools(tool(**members))


def test_a_web_search_is_the_upstreams_own() -> None:
    """Its domains and its place are kept."""
    search = {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 8,
        "allowed_domains": ["x.org"],
        "user_location": {"type": "approximate", "city": "Bern"},
    }
    expected = {
        "type": "web_search",
        "filters": {"allowed_domains": ["x.org"]},
        "user_location": {"type": "approximate", "city": "Bern"},
    }
    assert [expected] == sent_tools(search)


@pytest.mark.parametrize(
    "kind",
    [
        "web_fetch_20250910",
        "code_execution_20250825",
        "bash_20250124",
        "text_editor_20250728",
        "computer_20250124",
        "memory_20250818",
        "advisor_20260301",
        "tool_search_tool_regex_20251119",
        "mcp_toolset",
    ],
)
def test_a_tool_of_servers_is_refused_by_its_name(kind: str) -> None:
    """The model would be offered what nobody runs."""
    with pytest.raises(InvalidRequest, match=f"'{kind}': the tool 'its_name'") as refused:
        turn(tools=[tool(), {"type": kind, "name": "its_name"}])
    assert "tools.1.type" == refused.value.param


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "Read"}, {"type": "function", "name": "Read"}),
    ],
)
def test_a_choice_of_tools(choice: dict[str, Any], expected: Any) -> None:
    """Without tools there is nothing to choose."""
    members = turn(tools=[tool()], tool_choice=choice).members
    assert expected == json.loads(members["tool_choice"])
    assert "parallel_tool_calls" not in members
    assert "tool_choice" not in turn(tools=[], tool_choice=choice).members


def test_parallel_calls_can_be_forbidden() -> None:
    """It stands beside the choice there, and alone here."""
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert b"false" == turn(tools=[tool()], tool_choice=choice).members["parallel_tool_calls"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"type": "web_search_20250305"}, {"type": "web_search"}),
        ({"type": "web_search_20260209", "defer_loading": False}, {"type": "web_search"}),
        ({}, {"type": "function", "name": "web_search"}),
    ],
)
def test_a_search_is_chosen_as_what_it_is(members: dict[str, Any], expected: Any) -> None:
    """It is no function upstream, unless the client's own tool has its name."""
    search = {"name": "web_search", **members}
    choice = {"type": "tool", "name": "web_search"}
    sent = turn(tools=[tool(), search], tool_choice=choice).members
    assert expected == json.loads(sent["tool_choice"])


@pytest.mark.parametrize("tools", [[], [tool()]])
@pytest.mark.parametrize("choice", [{"type": "tool"}, {"type": "some"}])
def test_a_choice_that_names_nothing_is_refused(choice: dict[str, Any], tools: Any) -> None:
    """The mend is named, with tools and without."""
    with pytest.raises(InvalidRequest, match=r"tool_choice\.(type|name)"):
        turn(tools=tools, tool_choice=choice)


def found(*names: str) -> dict[str, Any]:
    content = [{"type": "tool_reference", "tool_name": name} for name in names]
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": content}
    return {"role": "user", "content": [result]}


def test_a_deferred_tool_comes_where_it_is_found() -> None:
    """It is not among the tools, and changes nothing of what came before."""
    later = tool("Fetch", defer_loading=True)
    sent = turn(QUESTION, found("Fetch", "Unknown"), tools=[later, tool()])
    assert [function()] == json.loads(sent.members["tools"])
    _, output, additional = items_of(sent)
    words = "Tools that are loaded now: Fetch, Unknown."
    assert [{"type": "input_text", "text": words}] == output["output"]
    added = {"type": "additional_tools", "role": "developer", "tools": [function("Fetch")]}
    assert added == additional
    assert "tools" not in turn(tools=[later]).members


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ({"type": "tool_reference", "name": "Fetch"}, "Fetch"),
        ({"type": "tool_definition", "definition": tool("Inline")}, "Inline"),
    ],
)
def test_a_tool_can_be_added_on_the_way(reference: dict[str, Any], name: str) -> None:
    """By its name among the deferred ones, or by its definition."""
    block = {"type": "tool_addition", "tool": reference}
    tools = [tool("Fetch", defer_loading=True)]
    sent = turn(QUESTION, {"role": "system", "content": [block]}, tools=tools)
    added = {"type": "additional_tools", "role": "developer", "tools": [function(name)]}
    assert added == items_of(sent)[1]


def test_a_tool_that_is_taken_away_is_said_to_be_gone() -> None:
    """The upstream knows no such thing; the model is told in words."""
    block = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Read"}}
    (_, item) = items_of(turn(QUESTION, {"role": "system", "content": [block]}, tools=[tool()]))
    assert "The tool Read is no longer available." == item["content"][0]["text"]


def test_a_name_that_is_too_long_is_shortened_and_brought_back() -> None:
    """In tools, choice and history; the client reads its own name."""
    asking = turn(tools=[tool(LONG)], tool_choice={"type": "tool", "name": LONG})
    (short,) = (each["name"] for each in json.loads(asking.members["tools"]))
    assert len(short) <= 64
    assert short == json.loads(asking.members["tool_choice"])["name"]
    (block,) = whole(asking, events_of([call("{}", name=short)]))["content"]
    assert LONG == block["name"]
    assert short == items_of(turn(QUESTION, replayed([block]), QUESTION))[1]["name"]


def test_an_id_that_is_too_long_is_the_same_for_call_and_result() -> None:
    """Other gateways make ids of any length."""
    identity = "call_" + "x" * 90
    used = {"type": "tool_use", "id": identity, "name": "Read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": identity, "content": "y"}
    sent = turn(QUESTION, replayed([used]), {"role": "user", "content": [result]})
    one, two = (each["call_id"] for each in items_of(sent)[1:])
    assert one == two
    assert len(one) <= 64


def test_a_message_stays_one_whatever_its_parts() -> None:
    """One item is one block."""
    parts = [{"type": "output_text", "text": text} for text in ("a", "b")]
    assert [{"type": "text", "text": "ab"}] == whole(
        turn(), events_of([message("", content=parts)])
    )["content"]
