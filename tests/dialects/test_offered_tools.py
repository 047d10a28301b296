"""Tools that a request offers, towards every upstream of another API than Responses."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest, Unsayable
from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.ports import Terms, UpstreamCall
from longwire.dialects.responses.request import decode_request
from longwire.dialects.upstreams import UPSTREAMS

Json = dict[str, Any]
READ: Json = {"type": "function", "name": "read", "parameters": {"type": "object"}}
SEARCH: Json = {"type": "tool_search", "execution": "client", "description": "Finds tools."}
HOSTED: list[Json] = [
    {"type": "image_generation"},
    {"type": "file_search", "vector_store_ids": ["v"]},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "computer_use_preview"},
    {"type": "mcp", "server_label": "x", "server_url": "https://x"},
    {"type": "tool_search"},
]
FILES: Json = {"type": "file_search"}
BOTH: Json = {"type": "allowed_tools", "tools": [FILES, {"type": "function", "name": "read"}]}
APIS = ["chat_completions", "messages", "generate_content"]


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    """The API that the upstream speaks."""
    return str(request.param)


def call_of(api: str, *items: Json, may_drop: bool = False, **members: Any) -> UpstreamCall:
    """What an upstream is sent."""
    said = [*items, {"role": "user", "content": "q"}]
    body = {"model": "gemini-3-pro-preview", "input": said, **members}
    turn = decode_request(json.dumps(body).encode(), {}, EVERYTHING)
    return UPSTREAMS[api].translate(turn, {}, Terms(may_drop=may_drop))


def names_in(call: UpstreamCall) -> list[str]:
    """The names of all functions that are offered, however an API nests them."""
    found: list[str] = []
    for tool in json.loads(call.body).get("tools", ()):
        functions = tool.get("functionDeclarations", [tool.get("function", tool)])
        found += [function["name"] for function in functions]
    return found


@pytest.mark.parametrize("tool", HOSTED, ids=lambda tool: str(tool["type"]))
@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_tool_that_only_another_upstream_runs_is_left_out(
    api: str, tool: Json, choice: str | None
) -> None:
    """It is named, and the others stay: the model may do without it."""
    call = call_of(api, tools=[tool, READ], tool_choice=choice)
    assert (["read"], (f"tools.{tool['type']}",)) == (names_in(call), call.dropped)
    alone = call_of(api, tools=[tool], tool_choice=choice)
    assert ([], (f"tools.{tool['type']}",)) == (names_in(alone), alone.dropped)


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([FILES, READ], FILES),
        ([FILES], "required"),
        ([FILES, READ], {"type": "allowed_tools", "mode": "required", "tools": [FILES]}),
        ([SEARCH], {"type": "image_generation"}),
    ],
    ids=["named", "required", "allowed", "not offered"],
)
def test_a_choice_that_insists_on_such_a_tool_is_refused(
    api: str, tools: list[Json], choice: Any
) -> None:
    """Another channel may serve it; one that may drop leaves the choice out, too."""
    with pytest.raises(Unsayable, match='set the channel\'s unsupported = "drop"') as refused:
        call_of(api, tools=tools, tool_choice=choice)
    assert "tool_choice" == refused.value.param
    assert "tool_choice" in call_of(api, tools=tools, tool_choice=choice, may_drop=True).dropped


def test_a_choice_that_leaves_a_tool_is_kept(api: str) -> None:
    """Some tool is called, of those that are left."""
    for choice in ("required", {**BOTH, "mode": "required"}, {**BOTH, "mode": "auto"}):
        call = call_of(api, tools=[FILES, READ], tool_choice=choice)
        assert (["read"], ("tools.file_search",)) == (names_in(call), call.dropped)


def test_a_choice_of_a_function_that_is_not_there_is_wrong(api: str) -> None:
    """No upstream could take it."""
    with pytest.raises(InvalidRequest, match="'nope', which is not among the 'tools'") as refused:
        call_of(api, tools=[READ], tool_choice={"type": "function", "name": "nope"})
    assert not isinstance(refused.value, Unsayable)


def test_what_a_search_of_the_clients_has_found_is_offered(api: str) -> None:
    """The search is a function; what it found is offered from then on, and said as its result."""
    found = {"type": "namespace", "name": "crm", "tools": [{**READ, "name": "find"}]}
    own = {"call_id": "s", "execution": "client"}
    call = call_of(
        api,
        {"role": "user", "content": "q"},
        {"type": "tool_search_call", **own, "arguments": {"query": "customers"}},
        {"type": "tool_search_output", **own, "tools": [found]},
        tools=[SEARCH],
    )
    assert (["tool_search", "crm__find"], ()) == (names_in(call), call.dropped)
    calls, results = json.loads(call.body)[{"generate_content": "contents"}.get(api, "messages")][
        1:3
    ]
    assert "customers" in json.dumps(calls)
    assert "namespace" in json.dumps(results)


@pytest.mark.parametrize(
    "kind", ["web_search_call", "mcp_call", "file_search_call", "tool_search_output"]
)
def test_traces_of_what_others_ran_are_left_out(api: str, kind: str) -> None:
    """What came of them stands in the texts."""
    assert (f"input.{kind}",) == call_of(api, {"type": kind, "id": "x"}).dropped


@pytest.mark.parametrize(
    "members",
    [{"previous_response_id": "resp_1"}, {"background": True}, {"generate": False}],
    ids=lambda members: str(*members),
)
def test_what_only_the_responses_api_has_is_refused(api: str, members: Json) -> None:
    """Even where a channel may drop what is unsupported; the error names the mend."""
    with pytest.raises(Unsayable, match=r"; (send the whole|leave it out)") as refused:
        call_of(api, may_drop=True, **members)
    assert [*members] == [refused.value.param]


@pytest.mark.parametrize("value", [True, None])
def test_an_answer_that_is_generated_is_what_every_upstream_gives(api: str, value: object) -> None:
    """Nothing is left out with `generate`."""
    assert () == call_of(api, generate=value).dropped


@pytest.mark.parametrize(
    "members",
    [
        {"prompt": {"id": "pmpt_1"}},
        {"tools": [FILES], "tool_choice": FILES},
        {"tools": [FILES], "tool_choice": "required"},
    ],
    ids=["prompt", "tool", "required"],
)
def test_what_changes_an_answer_goes_on_to_the_next_channel(api: str, members: Json) -> None:
    """It is `Unsayable`, which moves a turn on, whatever the upstream."""
    with pytest.raises(Unsayable):
        call_of(api, **members)


def test_an_item_that_is_only_named_is_refused(api: str) -> None:
    """The history would be lost."""
    with pytest.raises(Unsayable, match=r"'input\.0' refers .*; send the item itself"):
        call_of(api, {"type": "item_reference", "id": "msg_1"}, may_drop=True)
