"""Tools as functions of Gemini's, and its calls as those of the client's own tools."""

import re

import pytest

from longwire.core.errors import InvalidRequest
from longwire.dialects.generate_content.function_names import sent_name
from tests.dialects.generate_content.calls import (
    WEATHER,
    Json,
    body_of,
    call_of,
    chunk,
    contents_of,
    output,
    read,
    reading,
    response,
    said,
    user,
)

PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: LINE"},
}
NAMESPACE = {"type": "namespace", "name": "crm", "tools": [{**WEATHER, "name": "find"}]}
SEARCH = {"type": "web_search"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


def declared(*tools: Json) -> Json:
    [tool] = body_of(tools=[*tools])["tools"]
    return tool["functionDeclarations"]


def called(name: str, arguments: Json, *tools: Json) -> Json:
    """The item that a call of Gemini's is to the client, without ids."""
    by = reading(tools=[*tools])
    part = {"functionCall": {"id": "c1", "name": name, "args": arguments}}
    [item] = response(read(chunk(part, finish="STOP"), by=by))["output"]
    return said(item)


def sent_again(item: Json, *tools: Json) -> Json:
    """The call that such an item is when its client sends it back."""
    again = contents_of(user("q"), item, output("c1", "x"), tools=[*tools])
    return again[1]["parts"][0]["functionCall"]


def test_functions_keep_their_schemas() -> None:
    """A schema goes where Gemini takes any JSON schema; a function without one has none."""
    bare = {"type": "function", "name": "now"}
    assert declared(WEATHER, bare) == [
        {
            "name": "weather",
            "description": "Tells the weather.",
            "parametersJsonSchema": WEATHER["parameters"],
        },
        {"name": "now"},
    ]


def test_a_custom_tool_is_a_function_with_one_text() -> None:
    """Its grammar stands in the description, and its call comes back as what it is."""
    [function] = declared(PATCH)
    assert function["name"] == "apply_patch"
    assert "start: LINE" in function["description"]
    assert function["parametersJsonSchema"]["required"] == ["input"]
    item = called("apply_patch", {"input": "*** Begin\n"}, PATCH)
    assert item == {
        "type": "custom_tool_call",
        "call_id": "c1",
        "name": "apply_patch",
        "input": "*** Begin\n",
    }
    assert sent_again(item, PATCH)["args"] == {"input": "*** Begin\n"}


def test_a_custom_tool_called_otherwise_gets_all_that_was_said() -> None:
    """A model that forgets the form has its one text taken, or its arguments passed on whole."""
    assert called("apply_patch", {"patch": "x"}, PATCH)["input"] == "x"
    assert called("apply_patch", {"path": "x", "n": 1}, PATCH)["input"] == '{"path": "x", "n": 1}'


@pytest.mark.parametrize(
    ("kind", "member", "arguments", "action"),
    [
        (
            "local_shell",
            "action",
            {"command": ["ls"]},
            {"command": ["ls"], "type": "exec", "env": {}},
        ),
        (
            "shell",
            "action",
            {"commands": ["ls"]},
            {"commands": ["ls"], "timeout_ms": None, "max_output_length": None},
        ),
        (
            "apply_patch",
            "operation",
            {"type": "delete_file", "path": "a"},
            {"type": "delete_file", "path": "a"},
        ),
    ],
)
def test_tools_that_the_client_runs_come_back_as_their_own_calls(
    kind: str, member: str, arguments: Json, action: Json
) -> None:
    """They are functions on the way out, and calls of their own type on the way back."""
    [function] = declared({"type": kind})
    assert function["name"] == kind
    item = called(kind, arguments, {"type": kind})
    assert item == {"type": f"{kind}_call", "call_id": "c1", member: action}
    assert sent_again(item, {"type": kind}) == {"id": "c1", "name": kind, "args": arguments}


def test_what_such_tools_return_is_what_their_calls_returned() -> None:
    """Each kind of output is a response to its call."""
    shell = [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    text = [{"type": "input_text", "text": "done"}]
    contents = contents_of(
        user("q"),
        {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "x"},
        {"type": "local_shell_call", "call_id": "c3", "action": {"command": ["ls"]}},
        {"type": "local_shell_call_output", "id": "c3", "output": '{"a":1}'},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": text},
        {"type": "shell_call_output", "call_id": "c1", "output": shell},
    )
    outputs = [part["functionResponse"]["response"] for part in contents[2]["parts"]]
    assert outputs == [{"output": shell}, {"output": "done"}, {"output": '{"a":1}'}]


def test_a_search_for_tools_that_the_client_runs() -> None:
    """It is called like a function, and what it has found is declared from then on."""
    search = {
        "type": "tool_search",
        "execution": "client",
        "description": "Finds tools.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    }
    assert [each["name"] for each in declared(search)] == ["tool_search"]
    item = called("tool_search", {"query": "crm"}, search)
    assert item == {
        "type": "tool_search_call",
        "call_id": "c1",
        "execution": "client",
        "arguments": {"query": "crm"},
    }
    found = {"type": "tool_search_output", "call_id": "c1", "tools": [NAMESPACE]}
    body = body_of([user("q"), item, found], tools=[search])
    [tool] = body["tools"]
    assert [each["name"] for each in tool["functionDeclarations"]] == ["tool_search", "crm__find"]
    called_, returned = (each["parts"][0] for each in body["contents"][1:])
    assert called_["functionCall"]["args"] == {"query": "crm"}
    assert returned["functionResponse"]["response"] == {"output": [NAMESPACE]}


def test_functions_in_a_namespace_come_back_in_it() -> None:
    """The name says both, and leads back to both."""
    assert [each["name"] for each in declared(NAMESPACE)] == ["crm__find"]
    item = called("crm__find", {}, NAMESPACE)
    assert (item["name"], item["namespace"]) == ("find", "crm")
    assert sent_again(item, NAMESPACE)["name"] == "crm__find"


@pytest.mark.parametrize("name", ["1st", "mcp/server:tool", "naïve", "x" * 65, "a b", "-", ""])
def test_names_that_gemini_refuses_are_mapped_and_lead_back(name: str) -> None:
    """A declared name fits Gemini's pattern, and its call has the client's own name."""
    sent = sent_name(name)
    assert NAME.fullmatch(sent)
    if name:
        tool = {"type": "function", "name": name}
        assert [each["name"] for each in declared(tool)] == [sent]
        assert called(sent, {}, tool)["name"] == name


def test_names_that_are_alike_stay_apart() -> None:
    """Two names that differ where Gemini takes nothing are two functions."""
    assert sent_name("a/b") != sent_name("a b")
    assert sent_name("x" * 65) != sent_name("x" * 66)


def test_a_search_is_googles_where_it_may_be() -> None:
    """Alone it is a search; beside functions Gemini refuses it, so it is left out by name."""
    assert body_of(tools=[SEARCH])["tools"] == [{"googleSearch": {}}]
    sent = call_of("q", tools=[SEARCH, WEATHER])
    assert b"googleSearch" not in sent.body
    assert sent.dropped == ("tools.web_search",)


def test_tools_that_others_run_are_left_out() -> None:
    """Gemini cannot run another vendor's tools: the model does without, and their names say so."""
    tool = {"type": "file_search", "vector_store_ids": ["v"]}
    sent = call_of("q", tools=[tool, WEATHER])
    assert sent.dropped == ("tools.file_search",)
    assert b"file_search" not in sent.body


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "name": "weather"},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
        (
            {"type": "custom", "name": "apply_patch"},
            {"mode": "ANY", "allowedFunctionNames": ["apply_patch"]},
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [WEATHER]},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [WEATHER]},
            {"mode": "VALIDATED", "allowedFunctionNames": ["weather"]},
        ),
    ],
)
def test_what_the_model_may_choose(choice: Json, config: Json) -> None:
    """Choices are modes, with the names that they allow."""
    found = body_of(tools=[WEATHER, PATCH], tool_choice=choice).get("toolConfig", {})
    assert found.get("functionCallingConfig") == config


def test_a_choice_of_a_tool_that_is_not_there_is_refused() -> None:
    """The error names the tool."""
    choice = {"type": "function", "name": "nope"}
    with pytest.raises(InvalidRequest, match="names 'nope', which is not among the 'tools'"):
        call_of("q", tools=[WEATHER], tool_choice=choice)
