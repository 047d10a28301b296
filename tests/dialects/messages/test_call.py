"""Turns as Anthropic gets them: order, merging, ids, names, tools, settings."""

import json
from dataclasses import replace
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest, Unsayable
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Purpose
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.ports import Fallback
from longwire.dialects.responses.request import decode_request
from tests.dialects.messages.upstreams import (
    LENIENT,
    MODEL,
    OLDER,
    TERMS,
    Json,
    answer,
    body_of,
    call_of,
    called,
    developer,
    output,
    said,
    text,
    turn,
    unmarked,
    user,
)

USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
OMITTED = {"type": "adaptive", "display": "omitted"}
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}


def test_a_conversation_alternates() -> None:
    """Messages of one side in a row become one message; results stand before words."""
    sent = said(
        user("a"),
        user("b"),
        answer("let me look"),
        called("toolu_1"),
        output("toolu_1"),
        user("and?"),
        answer("done"),
        user("thanks"),
    )
    assert [
        ("user", [text("a"), text("b")]),
        ("assistant", [text("let me look"), USE]),
        ("user", [RESULT, text("and?")]),
        ("assistant", [text("done")]),
        ("user", [text("thanks")]),
    ] == sent


def test_results_stand_in_the_order_of_their_calls_each_once() -> None:
    """Whatever order results come in, each call has its own, once; another one is kept behind."""
    sent = said(
        user("a"),
        called("one"),
        called("two"),
        output("two", "second"),
        user("meanwhile"),
        output("one", "first"),
        output("one", "again"),
    )
    results = [(each["tool_use_id"], each["content"]) for each in sent[-1][1][:2]]
    assert [("one", "first"), ("two", "second")] == results
    words = ("meanwhile", "Another output of the tool call one:", "again")
    assert [*map(text, words)] == sent[-1][1][2:]


def test_an_output_more_than_there_are_calls_is_kept() -> None:
    """It stays what it was when its id is called again later, which has an output of its own."""
    items = [user("a"), called("x"), output("x", "1"), output("x", "2")]
    longer = said(*items, called("x"), output("x", "3"))
    assert [text("Another output of the tool call x:"), text("2")] == longer[2][1][1:]
    assert said(*items) == longer[:3]
    assert "3" == longer[-1][1][0]["content"]
    early = said(user("a"), output("x", "1"), output("x", "2"), called("x"))
    assert text("2") in early[0][1]


def test_a_call_without_its_output_gets_one() -> None:
    """Anthropic refuses a call that is not answered; it is said that it was not run."""
    result = said(user("a"), called("one"), user("b"))[-1][1][0]
    assert ("tool_result", "one", True) == (
        result["type"],
        result["tool_use_id"],
        result["is_error"],
    )


def test_an_output_without_its_call_becomes_text() -> None:
    """What no call asked for is kept as the user's word."""
    blocks = said(user("a"), output("lost", "found"))[0][1]
    words = "Output of the tool call lost, which is not in this conversation:"
    assert [text("a"), text(words), text("found")] == blocks


def test_two_calls_with_one_id_stay_two() -> None:
    """Anthropic refuses an id that is used twice: the second gets another, with its own output."""
    sent = said(
        user("a"), called("x"), output("x", "1"), called("x"), output("x", "2"), answer("b")
    )
    ids = [block["id"] for _, blocks in sent for block in blocks if block["type"] == "tool_use"]
    results = [
        (block["tool_use_id"], block["content"])
        for _, blocks in sent
        for block in blocks
        if block["type"] == "tool_result"
    ]
    assert ["x", "x_again_2"] == ids
    assert [("x", "1"), ("x_again_2", "2")] == results


def test_the_first_word_and_the_last_are_the_users() -> None:
    """A conversation that the assistant begins or ends gets a word of the user's."""
    roles = [role for role, _ in said(answer("welcome"), user("hi"), answer("well"))]
    assert ["user", "assistant", "user", "assistant", "user"] == roles


IMAGE = {"type": "input_image", "image_url": "data:image/tiff;base64,SUkq"}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "input"),
        ("", "input"),
        (" ", "input"),
        ([user(" ")], "input.0.content"),
        ([developer("a"), user("\n")], "input.1.content"),
        ([{"role": "user", "content": [IMAGE]}], "input.0.content"),
        ([user("a"), answer("b"), {"role": "user", "content": [IMAGE]}], "input.2.content"),
        ([user("a"), answer("b"), user(""), developer("")], "input.2.content"),
        ([{"type": "reasoning", "summary": []}], "input"),
    ],
)
def test_nothing_is_said_that_nobody_has_said(value: Any, field: str) -> None:
    """Where nothing is left to say that is an error, also where the rest may be dropped."""
    with pytest.raises(InvalidRequest) as error:
        call_of(input=value, terms=LENIENT)
    assert field == error.value.param


def test_rules_alone_are_what_the_user_says() -> None:
    """Some clients write their whole question there."""
    assert [("user", [text("say hi")])] == said(developer("say hi"))
    assert "system" not in body_of(developer("say hi"))


@pytest.mark.parametrize("role", ["sytem", "tool", "", None])
def test_an_unknown_role_is_nobodys(role: str | None) -> None:
    """Least of all the user's."""
    with pytest.raises(InvalidRequest) as error:
        call_of({**user("Never say no."), "role": role}, user("x"), terms=LENIENT)
    assert "input.0.role" == error.value.param


def test_a_temperature_that_is_lowered_is_named() -> None:
    """Anthropic's ends at 1, that of others at 2; a share of the tokens is 1 at most anywhere."""
    call = call_of(model=OLDER, temperature=1.8)
    assert (1, ("temperature",)) == (json.loads(call.body)["temperature"], call.dropped)
    assert () == call_of(model=OLDER, temperature=1.0).dropped
    for name, value in (("temperature", 2.1), ("temperature", -1), ("top_p", 1.5)):
        with pytest.raises(InvalidRequest) as error:
            call_of(model=OLDER, **{name: value})
        assert name == error.value.param


@pytest.mark.parametrize("model", [MODEL, "claude-fable-5-1", OLDER])
def test_thinking_that_a_forced_tool_turns_off_is_named(model: str) -> None:
    """By whatever the model thinks; an effort alone is kept where a model thinks all the same."""
    forced = {"tools": [LOOK], "tool_choice": "required", "model": model}
    wanted = {"effort": "high", "summary": "auto"}
    assert ("reasoning",) == call_of(**forced, reasoning=wanted).dropped
    assert () == call_of(**forced, reasoning={"effort": "none"}).dropped


@pytest.mark.parametrize("schema", [{}, {"schema": None}, {"schema": "a"}])
def test_a_schema_that_is_missing_is_named(schema: Json) -> None:
    """Nothing else is asked for in its place."""
    form = {"type": "json_schema", "name": "n", **schema}
    update = {"type": "configuration_update", "text": {"format": form}}
    for items, members, field in (
        ((), {"text": {"format": form}}, "text.format.schema"),
        ((user("a"), update), {}, "input.text.format.schema"),
    ):
        with pytest.raises(InvalidRequest) as error:
            call_of(*items, **members)
        assert field == error.value.param


def test_calls_stand_behind_the_texts_of_their_answer() -> None:
    """Anthropic wants tool_use last before the results."""
    blocks = said(user("a"), called("toolu_1"), answer("looking"), output("toolu_1"))[1][1]
    assert [text("looking"), USE] == blocks


def test_ids_and_names_are_made_such_as_anthropic_takes() -> None:
    """An odd id or name becomes another, the same each time; others stay."""
    sent = said(user("a"), called("call.1:x", name="a.b"), output("call.1:x"))
    use, result = sent[1][1][0], sent[2][1][0]
    assert use["id"] == result["tool_use_id"]
    assert (use["id"][:9], use["name"][:4]) == ("call_1_x_", "a_b_")
    assert sent == said(user("a"), called("call.1:x", name="a.b"), output("call.1:x"))


def test_leading_rules_are_the_system_prompt() -> None:
    """Instructions, system and developer messages before all else are blocks of `system`."""
    sent = unmarked(body_of(developer("be kind"), user("a"), instructions="be brief"))
    assert [text("be brief"), text("be kind")] == sent["system"]


def test_later_rules_stay_in_place() -> None:
    """Where the model has it they are a message of the role system, behind the user's."""
    call = call_of(user("a"), developer("now in French"), answer("oui"), user("b"))
    roles = [message["role"] for message in json.loads(call.body)["messages"]]
    assert ["user", "system", "assistant", "user"] == roles
    assert "mid-conversation-system" in call.headers["anthropic-beta"]


@pytest.mark.parametrize(
    ("model", "items"),
    [
        (OLDER, (user("a"), developer("now in French"))),
        (MODEL, (user("a"), answer("b"), developer("now in French"), user("c"))),
        (MODEL, (user("a"), answer("b"), developer("now in French"))),
    ],
    ids=["an older model", "before the user's word", "without one"],
)
def test_rules_that_cannot_stay_are_reminders(model: str, items: tuple[Json, ...]) -> None:
    """Where no message of the role system may stand the user's word has a reminder."""
    call = call_of(*items, model=model)
    blocks = json.loads(call.body)["messages"][-1]["content"]
    words = "<system-reminder>\nnow in French\n</system-reminder>"
    assert words == unmarked(blocks)[-1 if len(items) != 4 else 0]["text"]
    assert "anthropic-beta" not in call.headers


def test_blank_texts_are_left_out() -> None:
    """Anthropic refuses them."""
    assert [("user", [text("a")])] == said(user(" "), user("a"), answer("\n"))


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "input_image", "image_url": "data:image/png;base64,iVBO"},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"},
            },
        ),
        (
            {"type": "input_image", "image_url": "https://a.b/c.png"},
            {"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}},
        ),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,JVBE",
            },
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "input_file", "file_data": "data:text/plain;base64,aGVsbG8="},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "hello"},
            },
        ),
        (
            {"type": "input_file", "file_url": "https://a.b/c.pdf"},
            {"type": "document", "source": {"type": "url", "url": "https://a.b/c.pdf"}},
        ),
    ],
    ids=["image", "image by URL", "PDF", "text file", "file by URL"],
)
def test_parts_become_blocks_in_messages_and_results(part: Json, block: Json) -> None:
    """Images and documents go where they stood, in a tool's output, too."""
    message = {"type": "message", "role": "user", "content": [part]}
    assert [("user", [block])] == said(message)
    shown = {"type": "function_call_output", "call_id": "toolu_1", "output": [part]}
    assert [block] == said(user("a"), called("toolu_1"), shown)[-1][1][0]["content"]


PDF = {"type": "base64", "media_type": "application/pdf", "data": "JV/E"}


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (
            r'"type":"input_image","image_url":"data:image\/png;base64,iV\/O"',
            {"type": "base64", "media_type": "image/png", "data": "iV/O"},
        ),
        (
            '"type":"input_image","image_url":"data:image/jpg;base64,/9j/"',
            {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"},
        ),
        (r'"type":"input_file","file_data":"data:application\/pdf;base64,JV\/E"', PDF),
        (r'"type":"input_file","file_data":"JV\/E","filename":"a.pdf"', PDF),
        (r'"type":"input_file","file_url":"data:application\u002fpdf;base64,JV\/E"', PDF),
        (
            r'"type":"input_file","file_data":"YWJj\nZGVm","filename":"a\u002etxt"',
            {"type": "text", "media_type": "text/plain", "data": "abcdef"},
        ),
    ],
)
def test_data_is_known_however_json_writes_it(part: str, source: Json) -> None:
    """Most languages of the web write a slash with an escape."""
    body = f'{{"model":"{MODEL}","input":[{{"role":"user","content":[{{{part}}}]}}]}}'
    call = MessagesUpstream().translate(decode_request(body.encode(), {}, EVERYTHING), {}, TERMS)
    assert source == json.loads(call.body)["messages"][0]["content"][0]["source"]


@pytest.mark.parametrize("url", ["data:image/png,abc", "data:image/png;base64,", "data:"])
def test_a_url_without_data_in_base64_is_refused_by_name(url: str) -> None:
    """It is no link either."""
    image = {"type": "input_image", "image_url": url}
    with pytest.raises(InvalidRequest) as error:
        call_of({"role": "user", "content": [image]})
    assert "input.0.content.0.image_url" == error.value.param


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"tools": [LOOK], "tool_choice": {"type": "mcp", "server_label": "x"}}, "tool_choice"),
        (
            {
                "input": [
                    {**user("a"), "content": [{"type": "input_audio", "data": "x"}]},
                    user("b"),
                ]
            },
            "input.input_audio",
        ),
        (
            {"input": [user("a"), {"type": "compaction", "encrypted_content": "gAAA"}]},
            "input.compaction",
        ),
        ({"input": [user("a"), {"type": "computer_call", "call_id": "m"}]}, "input.computer_call"),
    ],
)
def test_what_changes_the_answer_is_refused_or_dropped(members: Json, name: str) -> None:
    """A channel refuses what has no equivalent, by name, or drops it and says so."""
    with pytest.raises(Unsayable, match='unsupported = "drop"'):
        call_of(**members)
    assert (name,) == call_of(terms=LENIENT, **members).dropped


@pytest.mark.parametrize("name", ["previous_response_id", "conversation"])
def test_what_another_upstream_holds_is_refused_by_name(name: str) -> None:
    """A history that is only named cannot be sent."""
    with pytest.raises(Unsayable, match=name):
        call_of(terms=LENIENT, **{name: "resp_1"})


def test_tools_become_anthropics_and_stay_in_order() -> None:
    """Functions, custom tools with their grammar, namespaces, shells, and a web search."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    sent = unmarked(
        body_of(
            user("a"),
            {"type": "additional_tools", "role": "developer", "tools": [{**LOOK, "name": "late"}]},
            tools=[
                {**LOOK, "strict": True, "description": "Looks."},
                {"type": "custom", "name": "patch", "description": "Patches.", "format": grammar},
                {"type": "namespace", "name": "git", "tools": [{**LOOK, "name": "log"}]},
                {"type": "local_shell"},
                {"type": "web_search", "filters": {"allowed_domains": ["a.b"]}},
            ],
        )
    )["tools"]
    names = [tool["name"] for tool in sent]
    assert ["look", "patch", "git__log", "local_shell", "web_search", "late"] == names
    assert (True, "Looks.") == (sent[0]["strict"], sent[0]["description"])
    assert "grammar (lark):\nstart: x" in sent[1]["description"]
    assert "string" == sent[1]["input_schema"]["properties"]["input"]["type"]
    assert {
        "type": "web_search_20250305",
        "name": "web_search",
        "allowed_domains": ["a.b"],
    } == sent[4]


def test_calls_of_every_kind_become_tool_use() -> None:
    """A custom call has its text as `input`, a shell call what its action says."""
    action = {"type": "exec", "command": ["ls"]}
    sent = said(
        user("a"),
        {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
        {"type": "local_shell_call", "id": "s", "call_id": "s", "action": action},
        {"type": "local_shell_call_output", "id": "s", "output": "file"},
        {**called("f", '{"a":1.50}'), "namespace": "git"},
    )
    uses = [block for _, blocks in sent for block in blocks if block["type"] == "tool_use"]
    assert [{"input": "*** Begin"}, {"command": ["ls"]}, {"a": 1.5}] == [
        use["input"] for use in uses
    ]
    assert ["patch", "local_shell", "git__look"] == [use["name"] for use in uses]


def test_a_history_with_calls_names_its_tools() -> None:
    """Anthropic refuses calls where no tool is offered: theirs are, and may not be called."""
    sent = unmarked(body_of(user("a"), called("toolu_1"), output("toolu_1")))
    assert ["look"] == [tool["name"] for tool in sent["tools"]]
    assert {"type": "none"} == sent["tool_choice"]


@pytest.mark.parametrize(
    ("members", "choice"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": {"type": "function", "name": "look"}}, {"type": "tool", "name": "look"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"parallel_tool_calls": False, "tool_choice": "required"},
            {"type": "any", "disable_parallel_tool_use": True},
        ),
        ({}, None),
    ],
)
def test_the_choice_of_tools(members: Json, choice: Json | None) -> None:
    """`tool_choice`, and whether several may be called at once."""
    assert choice == body_of(tools=[LOOK], **members).get("tool_choice")


@pytest.mark.parametrize(
    ("model", "members", "wanted"),
    [
        (
            MODEL,
            {"reasoning": {"effort": "minimal", "summary": "auto"}},
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "low"},
                "max_tokens": 128000,
            },
        ),
        (
            MODEL,
            {"reasoning": {"effort": "xhigh"}, "temperature": 0.3},
            {
                "thinking": OMITTED,
                "output_config": {"effort": "xhigh"},
            },
        ),
        (
            "claude-opus-4-6",
            {"reasoning": {"effort": "xhigh"}},
            {"thinking": OMITTED, "output_config": {"effort": "max"}},
        ),
        (MODEL, {"reasoning": {"effort": "none"}}, {"thinking": {"type": "disabled"}}),
        (
            MODEL,
            {"reasoning": {"effort": "high"}, "tools": [LOOK], "tool_choice": "required"},
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
        ),
        (
            "claude-fable-5-1",
            {"reasoning": {"effort": "none"}},
            {"output_config": {"effort": "low"}},
        ),
        (
            OLDER,
            {"reasoning": {"effort": "high"}},
            {"thinking": {"type": "enabled", "budget_tokens": 24576}, "max_tokens": 64000},
        ),
        (
            OLDER,
            {"reasoning": {"effort": "high"}, "max_output_tokens": 5000, "temperature": 0.3},
            {"thinking": {"type": "enabled", "budget_tokens": 4999}, "max_tokens": 5000},
        ),
        (OLDER, {"reasoning": {"effort": "low"}, "max_output_tokens": 1000}, {"max_tokens": 1000}),
        (OLDER, {"temperature": 1.7, "top_p": 0.9}, {"temperature": 1}),
        (MODEL, {"max_output_tokens": 999_999}, {"max_tokens": 128000}),
        ("claude-3-haiku-20240307", {}, {"max_tokens": 4096}),
        ("some-model", {}, {"max_tokens": 32000}),
    ],
)
def test_how_hard_to_think_and_how_long_to_answer(model: str, members: Json, wanted: Json) -> None:
    """By an effort or by tokens, as the model takes it, and never beside what forbids it."""
    sent = body_of(model=model, **members)
    names = ("thinking", "output_config", "temperature", "top_p", "max_tokens")
    found = {name: sent[name] for name in names if name in sent}
    assert {"max_tokens": found["max_tokens"]} | wanted == found


def test_a_changed_effort_counts() -> None:
    """The last `configuration_update` says how hard to think."""
    update = {"type": "configuration_update", "reasoning": {"effort": "max"}}
    sent = body_of(user("a"), answer("b"), update, user("c"), reasoning={"effort": "low"})
    assert {"effort": "max"} == sent["output_config"]


def test_an_answer_by_a_schema() -> None:
    """`text.format` is `output_config.format`, without a name."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    form = {"type": "json_schema", "name": "x", "schema": schema, "strict": True}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    assert wanted == body_of(text={"format": form})["output_config"]


def test_who_asks_is_said_by_a_digest() -> None:
    """Anthropic gets no name."""
    named = body_of(safety_identifier="jo@example.org")["metadata"]["user_id"]
    assert (64, False) == (len(named), "jo" in named)


def test_hints_are_left_out_by_name() -> None:
    """What changes little is named to the caller; what changes nothing is not."""
    members: dict[str, Any] = {
        "text": {"verbosity": "low"},
        "truncation": "auto",
        "top_p": 0.9,
        "store": False,
        "prompt_cache_key": "x",
        "service_tier": "flex",
    }
    assert {"text.verbosity", "truncation", "top_p", "service_tier"} == {
        *call_of(**members).dropped
    }


def test_a_count_has_what_is_counted_alone() -> None:
    """`/count_tokens` refuses all that says how to answer; marks would say nothing."""
    counted = replace(turn(user("a"), tools=[LOOK]), purpose=Purpose.COUNT)
    call = MessagesUpstream().translate(counted, {}, TERMS)
    assert ("/count_tokens", {"model", "messages", "tools"}) == (
        call.suffix,
        set(json.loads(call.body)),
    )
    assert b"cache_control" not in call.body
    events = call.reading(Fallback("x", 0)).whole(b'{"input_tokens":12}')
    assert 12 == json.loads(events[-1].raw)["response"]["input_tokens"]
