"""What is wrong with a request of the Messages API is said by the field's own path."""

from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from tests.dialects.messages.answers import QUESTION, turn

SCHEMA = {"type": "object"}
IMAGE = {"type": "base64", "media_type": "image/png", "data": "QQ"}


def of_tool(**members: Any) -> dict[str, Any]:
    return {"tools": [{"name": "Read"}, {"name": "Write", "input_schema": SCHEMA, **members}]}


def of_block(role: str = "user", **members: Any) -> dict[str, Any]:
    first = {"type": "text", "text": "x"}
    messages = [QUESTION, {"role": role, "content": [first, members]}, QUESTION]
    return {"messages": messages}


def of_use(**members: Any) -> dict[str, Any]:
    return of_block("assistant", type="tool_use", **{"id": "c", "name": "Read", **members})


def of_result(**members: Any) -> dict[str, Any]:
    return of_block(type="tool_result", **{"tool_use_id": "c", **members})


def of_edit(**members: Any) -> dict[str, Any]:
    return {"context_management": {"edits": [{"type": "compact_20260112", **members}]}}


def of_system(**members: Any) -> dict[str, Any]:
    return {"messages": [QUESTION, {"role": "system", "content": [], **members}, QUESTION]}


def of_change(tool: Any) -> dict[str, Any]:
    return of_system(content=[{"type": "tool_addition", "tool": tool}])


SEAL = "lw1.eyJwIjoicmVzcG9uc2VzIiwiaSI6InJzXzEifQ"
BLOCK = "messages.1.content.1"
TEXT = {"type": "text", "text": 5}
RAW = [
    ({"tools": "x"}, "tools"),
    (of_tool(strict="x"), "tools.1.strict"),
    (of_tool(type=1), "tools.1.type"),
    (of_tool(defer_loading="x"), "tools.1.defer_loading"),
    (of_tool(name=1), "tools.1.name"),
    (of_tool(name=None), "tools.1.name"),
    (of_tool(name=""), "tools.1.name"),
    (of_tool(description=1), "tools.1.description"),
    (of_tool(input_schema=[]), "tools.1.input_schema"),
    (of_tool(type="web_search_20250305", allowed_domains=[1]), "tools.1.allowed_domains.0"),
    (of_tool(type="web_search_20250305", user_location="x"), "tools.1.user_location"),
    ({"tool_choice": "any"}, "tool_choice"),
    ({"tool_choice": {}}, "tool_choice.type"),
    ({"tool_choice": {"type": "zz"}}, "tool_choice.type"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    (
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": "x"}},
        "tool_choice.disable_parallel_tool_use",
    ),
    ({"thinking": {}}, "thinking.type"),
    ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "adaptive", "display": 1}}, "thinking.display"),
    ({"output_config": "high"}, "output_config"),
    ({"output_config": {"effort": 1}}, "output_config.effort"),
    ({"output_config": {"effort": "zz"}}, "output_config.effort"),
    ({"output_config": {"format": 1}}, "output_config.format"),
    ({"output_config": {"format": {"schema": SCHEMA, "type": 1}}}, "output_config.format.type"),
    ({"output_config": {"format": {"schema": 1}}}, "output_config.format.schema"),
    ({"output_format": {"schema": SCHEMA, "name": 1}}, "output_format.name"),
    ({"output_format": {"schema": 1}}, "output_format.schema"),
    (of_edit(trigger="x"), "context_management.edits.0.trigger"),
    (of_edit(trigger={"value": "x"}), "context_management.edits.0.trigger.value"),
    ({"thread": {}}, "thread.type"),
    ({"thread": {"type": "continue", "previous_message_id": 1}}, "thread.previous_message_id"),
    ({"metadata": {"user_id": 1}}, "metadata.user_id"),
    ({"stop_sequences": ["x", 1]}, "stop_sequences.1"),
    ({"stop_sequences": ["x"] * 65}, "stop_sequences"),
    ({"stop_sequences": ["x" * 1000, "x" * 1001]}, "stop_sequences.1"),
    ({"max_tokens": None}, "max_tokens"),
    ({"temperature": "x"}, "temperature"),
    ({"temperature": "x", "thinking": {"type": "adaptive"}}, "temperature"),
    ({"top_p": "x"}, "top_p"),
    ({"top_p": True}, "top_p"),
    ({"speed": "turbo"}, "speed"),
    ({"system": {}}, "system"),
    ({"system": 5}, "system"),
    ({"system": False}, "system"),
    ({"system": [TEXT]}, "system.0.text"),
    ({"system": [{"type": "text"}]}, "system.0.text"),
    ({"messages": [QUESTION, {"content": "x"}]}, "messages.1.role"),
    ({"messages": [QUESTION, {"role": 1, "content": "x"}]}, "messages.1.role"),
    ({"messages": [QUESTION, {"role": "user", "content": 5}]}, "messages.1.content"),
    (of_system(output_config={"effort": 1}), "messages.1.output_config.effort"),
    (of_system(output_config={"effort": "zz"}), "messages.1.output_config.effort"),
    (of_system(content=[TEXT]), "messages.1.content.0.text"),
    (of_change("x"), "messages.1.content.0.tool"),
    (of_change({"name": 1}), "messages.1.content.0.tool.name"),
    (of_change({"definition": {}}), "messages.1.content.0.tool.definition.name"),
    (of_block(text="x"), f"{BLOCK}.type"),
    (of_block(type=1), f"{BLOCK}.type"),
    (of_block(type="text"), f"{BLOCK}.text"),
    (of_block(type="text", text=None), f"{BLOCK}.text"),
    (of_block(type="text", text=5), f"{BLOCK}.text"),
    (of_block("assistant", type="text"), f"{BLOCK}.text"),
    (of_block("assistant", type="text", text=5), f"{BLOCK}.text"),
    (
        of_block(
            "assistant",
            type="thinking",
            thinking=5,
            signature="lw1.eyJwIjoicmVzcG9uc2VzIiwiaSI6InJzXzEifQ",
        ),
        f"{BLOCK}.thinking",
    ),
    (of_block("assistant", type="thinking", signature=5), f"{BLOCK}.signature"),
    (of_block(type="image"), f"{BLOCK}.source"),
    (of_block(type="image", source={**IMAGE, "media_type": None}), f"{BLOCK}.source.media_type"),
    (of_block(type="image", source={"type": "base64", "data": "Q"}), f"{BLOCK}.source.media_type"),
    (of_block(type="image", source={**IMAGE, "data": 1}), f"{BLOCK}.source.data"),
    (of_block(type="image", source={"type": "url"}), f"{BLOCK}.source.url"),
    (of_block(type="document", source=IMAGE, title=1), f"{BLOCK}.title"),
    (of_block(type="document", source=IMAGE, context=1), f"{BLOCK}.context"),
    (of_block(type="document", source={"type": "text"}), f"{BLOCK}.source.data"),
    (of_block(type="document", source={"type": "url", "url": 1}), f"{BLOCK}.source.url"),
    (
        of_block(type="document", source={"type": "content", "content": [TEXT]}),
        f"{BLOCK}.source.content.0.text",
    ),
    (of_block(type="search_result", title=1, source="s", content=[]), f"{BLOCK}.title"),
    (of_block(type="search_result", title="t", source={}, content=[]), f"{BLOCK}.source"),
    (
        of_block(type="search_result", title="t", source="s", content=[TEXT]),
        f"{BLOCK}.content.0.text",
    ),
    (of_result(is_error="yes"), f"{BLOCK}.is_error"),
    (of_result(tool_use_id=None), f"{BLOCK}.tool_use_id"),
    (of_result(tool_use_id=""), f"{BLOCK}.tool_use_id"),
    (of_result(content=5), f"{BLOCK}.content"),
    (of_result(content=[TEXT]), f"{BLOCK}.content.0.text"),
    (of_result(content=[{"type": "tool_reference"}]), f"{BLOCK}.content.0.tool_name"),
    (of_use(id=None), f"{BLOCK}.id"),
    (of_use(id=1), f"{BLOCK}.id"),
    (of_use(name=""), f"{BLOCK}.name"),
    (of_use(input="x"), f"{BLOCK}.input"),
    (of_use(input=[]), f"{BLOCK}.input"),
]


@pytest.mark.parametrize(("members", "field"), RAW, ids=[str(row)[:300] for row in RAW])
def test_a_wrong_field_is_named_by_its_path(members: dict[str, Any], field: str) -> None:
    """Neither its parent, nor a field of the API behind: words and `param` lead to the same."""
    with pytest.raises(InvalidRequest) as refused:
        turn(**members)
    assert field == refused.value.param
    assert str(refused.value).startswith(f"'{field}' ")


@pytest.mark.parametrize("value", [None, [], ""])
def test_a_system_prompt_that_says_nothing_is_none(value: Any) -> None:
    """Clients send it empty in each of these ways."""
    assert turn().input == turn(system=value).input
