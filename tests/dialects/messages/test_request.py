"""A request of the Messages API, member by member and block by block."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest, UnknownResponse
from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.members import Fate
from longwire.dialects.messages.members import MEMBERS
from longwire.dialects.messages.request import decode_count, decode_request
from tests.dialects.messages.answers import QUESTION, SESSION, items_of, turn
from tests.dialects.refusals import sayable

NEUTRAL: tuple[Any, ...] = (None, [], {}, "")
VALUES: dict[str, Any] = {
    "container": "container_1",
    "mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "x"}],
    "prefill": "Once",
}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def text(words: str, **members: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **members}


def member(name: str, **members: Any) -> Any:
    raw = turn(**members).members.get(name)
    return None if raw is None else json.loads(raw)


@pytest.mark.parametrize("name", [n for n, row in MEMBERS.items() if row.fate is Fate.REFUSED])
def test_what_would_change_the_answer_is_refused_by_its_name(name: str) -> None:
    """It is named, with what to do instead; a value that says nothing is nothing."""
    with pytest.raises(InvalidRequest, match=f"'{name}'") as refused:
        turn(**{name: VALUES[name]})
    assert name == refused.value.param
    for value in NEUTRAL:
        turn(**{name: value})


@pytest.mark.parametrize("name", [n for n, row in MEMBERS.items() if row.fate is Fate.DROPPED])
def test_a_mere_hint_is_left_out_and_named(name: str) -> None:
    """The caller learns of it; a value that says nothing is nothing."""
    assert (name,) == turn(**{name: 1}).source.dropped
    assert turn().members == turn(**{name: 1}).members
    for value in NEUTRAL:
        assert () == turn(**{name: value}).source.dropped


@pytest.mark.parametrize("name", [n for n, row in MEMBERS.items() if row.fate is Fate.IGNORED])
def test_what_has_no_meaning_here_is_nothing(name: str) -> None:
    """It is neither sent nor named, and changes no property."""
    changed = turn(**{name: [{"type": "dangerous_tool_use"}]})
    assert () == changed.source.dropped
    assert turn().members == changed.members


def test_a_member_that_nobody_knows_is_left_out_and_named() -> None:
    """New members appear with any release, and none may be refused."""
    assert ("a_new_member",) == turn(a_new_member={"x": 1}).source.dropped
    assert ("no?header??",) == turn(**{"no header\r\n": 1}).source.dropped
    many = turn(**{f"m{number:03}": 1 for number in range(99)}).source.dropped
    assert (33, "m031", "...") == (len(many), many[-2], many[-1])


@pytest.mark.parametrize(
    ("members", "name", "expected"),
    [
        ({}, "store", False),
        ({"max_tokens": 1}, "max_output_tokens", 1),
        ({"max_tokens": 99}, "max_output_tokens", 99),
        ({"service_tier": "auto"}, "service_tier", None),
        ({"service_tier": "standard_only"}, "service_tier", "default"),
        ({"speed": "fast"}, "service_tier", "priority"),
        ({"speed": "standard"}, "service_tier", None),
        ({"temperature": 0.5}, "temperature", 0.5),
        ({"temperature": 1, "thinking": {"type": "adaptive"}}, "temperature", None),
        ({"top_p": 0.9, "output_config": {"effort": "low"}}, "top_p", None),
        ({"thinking": {"type": "adaptive"}}, "reasoning", {"summary": "auto"}),
        ({"thinking": {"type": "adaptive"}}, "include", ["reasoning.encrypted_content"]),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "reasoning", None),
        ({"thinking": {"type": "disabled"}}, "reasoning", {"effort": "none"}),
        ({"thinking": {"type": "disabled"}, "model": "o3"}, "reasoning", {"effort": "low"}),
        ({"thinking": {"type": "disabled"}, "model": "gpt-5"}, "reasoning", {"effort": "minimal"}),
        ({"thinking": {"type": "disabled"}, "model": "gpt-5.2"}, "reasoning", {"effort": "none"}),
        ({"output_config": {"effort": "max"}}, "reasoning", {"effort": "max"}),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context_management",
            [{"type": "compaction"}],
        ),
        (
            {
                "context_management": {
                    "edits": [{"type": "compact_20260112", "trigger": {"value": 9000}}]
                }
            },
            "context_management",
            [{"type": "compaction", "compact_threshold": 9000}],
        ),
    ],
)
def test_a_member_becomes_what_it_means(members: dict[str, Any], name: str, expected: Any) -> None:
    """Each member of the table that is mapped, by its values."""
    assert expected == member(name, **members)


@pytest.mark.parametrize(
    ("budget", "most", "effort"),
    [
        (512, 64_000, "minimal"),
        (1024, 64_000, "low"),
        (8192, 64_000, "medium"),
        (24_576, 64_000, "high"),
        (31_999, 32_000, "xhigh"),
        (1024, 1100, "high"),
        (1024, 4096, "medium"),
        (1024, 12_000, "low"),
    ],
)
def test_a_budget_of_thinking_is_an_effort(budget: int, most: int, effort: str) -> None:
    """By its size, and by its share where the whole answer is small."""
    thinking = {"type": "enabled", "budget_tokens": budget, "display": "omitted"}
    assert {"effort": effort} == member("reasoning", thinking=thinking, max_tokens=most)


@pytest.mark.parametrize("name", ["output_config", "output_format"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_a_schema_of_the_answer_is_strict_where_it_can_be(name: str, *, is_closed: bool) -> None:
    """Strict mode takes only schemas that are closed and require all."""
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    if is_closed:
        schema |= {"required": ["a"], "additionalProperties": False}
    wanted = {"type": "json_schema", "schema": schema}
    expected = {**wanted, "name": "output", "strict": is_closed}
    value = {"format": wanted} if name == "output_config" else wanted
    assert {"format": expected} == member("text", **{name: value})


def test_the_system_prompt_leads_as_one_message() -> None:
    """Its blocks stay apart, and the billing line, which changes with any request, is left out."""
    billing = text("x-anthropic-billing-header: cc_version=2.1; cch=0f3a;")
    sent = turn(system=[billing, text("You are."), text("Be.", cache_control={"type": "x"})])
    parts = [{"type": "input_text", "text": "You are."}, {"type": "input_text", "text": "Be."}]
    assert {"type": "message", "role": "developer", "content": parts} == items_of(sent)[0]
    assert 1 == sent.source.leading
    assert 0 == turn(system=[billing]).source.leading
    assert sent.is_one_shot


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        ("x-anthropic-billing-header: cch=1;\nYou are X", "You are X"),
        ('x-anthropic-billing-header: a="\\n";\r\nYou are\nX\\', "You are\nX\\"),
        ("x-anthropic-billing-header: cch=1;\n\nYou are X", "\nYou are X"),
        ("x-anthropic-billing-header: cch=1;\n", None),
        ("x-anthropic-billing-header: cch=1;", None),
        ("x-anthropic-billing-header:", None),
        ("See x-anthropic-billing-header: 1\nX", "See x-anthropic-billing-header: 1\nX"),
    ],
)
@pytest.mark.parametrize("is_block", [True, False])
def test_of_a_billing_line_only_the_line_is_left_out(
    prompt: str, left: str | None, *, is_block: bool
) -> None:
    """The prompt behind it stays, whether in the same string or in a block."""
    sent = turn(system=[text(prompt)] if is_block else prompt)
    leading = [part["text"] for each in items_of(sent)[:-1] for part in each["content"]]
    assert ([] if left is None else [left]) == leading


def test_a_string_is_one_block() -> None:
    """A client turns one into the other as its cache marks move."""
    for role in ("user", "system"):
        one = turn({"role": role, "content": "x"}, QUESTION)
        assert one.input == turn({"role": role, "content": [text("x")]}, QUESTION).input
    assert turn(system="x").input == turn(system=[text("x")]).input


def test_blocks_of_a_user_become_parts_in_their_order() -> None:
    """Images, documents and search results, by their sources."""
    sent = turn(
        user(
            text("see"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "QQ"},
            },
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {
                "type": "document",
                "title": "a.pdf",
                "context": "why",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ"},
            },
            {"type": "document", "source": {"type": "text", "data": "words"}},
            {"type": "document", "source": {"type": "url", "url": "https://x/z.pdf"}},
            {"type": "document", "source": {"type": "content", "content": [text("inner")]}},
            {"type": "search_result", "source": "https://s", "title": "S", "content": [text("r")]},
        )
    )
    (message,) = items_of(sent)
    words = [part.get("text") for part in message["content"] if part["type"] == "input_text"]
    assert ["see", "a.pdf", "why", "words", "inner", "S", "https://s", "r"] == words
    others = [part for part in message["content"] if part["type"] != "input_text"]
    assert [
        {"type": "input_image", "image_url": "data:image/png;base64,QQ", "detail": "auto"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": "data:application/pdf;base64,QQ",
        },
        {"type": "input_file", "file_url": "https://x/z.pdf"},
    ] == others


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, "source.type"),
        ({"type": "document", "source": {"type": "file", "file_id": "file_1"}}, "source.type"),
        ({"type": "image", "source": "x"}, "source"),
        ({"type": "container_upload", "file_id": "file_1"}, "type"),
        ({"type": "text", "text": 5}, "text"),
        ({"type": "document", "title": 5, "source": {"type": "text", "data": "x"}}, "title"),
        ({"type": "document", "source": {"type": "text", "data": 5}}, "source.data"),
        ({"type": "image", "source": {"type": "url", "url": 5}}, "source.url"),
        ({"type": "tool_result", "content": "x"}, "tool_use_id"),
        ({"no": "type"}, "type"),
    ],
)
def test_a_block_without_equivalent_is_refused_by_its_place(
    block: dict[str, Any], named: str
) -> None:
    """Nothing is lost in silence."""
    with pytest.raises(InvalidRequest, match=named) as refused:
        turn(user(block))
    assert f"messages.0.content.0.{named}" == refused.value.param


def result(content: Any, **members: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "call_1", "content": content, **members}


@pytest.mark.parametrize(
    ("block", "output"),
    [
        (result("out"), "out"),
        (result(None), ""),
        (result([]), ""),
        (result("", is_error=True), ""),
        (result([text("a"), text(" ")]), [{"type": "input_text", "text": "a"}]),
        (
            result([{"type": "image", "source": {"type": "url", "url": "u"}}]),
            [{"type": "input_image", "image_url": "u", "detail": "auto"}],
        ),
    ],
)
def test_the_result_of_a_tool_is_one_output(block: dict[str, Any], output: Any) -> None:
    """A string stays one, and parts stay parts."""
    expected = {"type": "function_call_output", "call_id": "call_1", "output": output}
    assert [expected] == items_of(turn(user(block)))


def test_results_and_texts_stay_in_order() -> None:
    """Each result is an item, and what stands between them a message."""
    sent = turn(user(result("a"), text("x"), text("y"), result("b"), text(" ")))
    assert ["function_call_output", "message", "function_call_output"] == [
        each["type"] for each in items_of(sent)
    ]


def test_an_effort_that_changes_on_the_way_is_an_item() -> None:
    """Only where it differs from the one in force; of two in a row the last one counts."""

    def system(effort: str, content: Any = ()) -> dict[str, Any]:
        return {"role": "system", "content": content, "output_config": {"effort": effort}}

    def updates(*messages: dict[str, Any]) -> list[str]:
        sent = turn(QUESTION, *messages, output_config={"effort": "low"})
        kinds = ("configuration_update",)
        return [each["reasoning"]["effort"] for each in items_of(sent) if each["type"] in kinds]

    assert [] == updates(system("low"))
    assert ["high"] == updates(system("high"))
    assert ["high"] == updates(system("high"), QUESTION, system("high", "words"))
    assert ["max"] == updates(system("high"), system("max"))
    assert [] == updates(system("high"), system("low"))
    assert ["high", "low"] == updates(system("high"), QUESTION, system("low"))


def test_what_cannot_be_continued_is_refused() -> None:
    """An answer that is begun for the model would be answered, and not gone on with."""
    with pytest.raises(InvalidRequest, match="prefill"):
        turn(QUESTION, {"role": "assistant", "content": "The answer is"})


def test_what_ends_with_a_system_message_is_no_prefill() -> None:
    """The model is told to go on, and answers."""
    said = {"role": "assistant", "content": "x"}
    sent = turn(QUESTION, said, {"role": "system", "content": "go on"})
    assert ["user", "assistant", "developer"] == [each["role"] for each in items_of(sent)]


def test_what_an_answer_ends_is_counted() -> None:
    """Claude Code asks for the size of a conversation as it stands."""
    said = [QUESTION, {"role": "assistant", "content": "It is."}]
    body = json.dumps({"model": "m", "messages": said}).encode()
    assert 2 == len(decode_count(body, {}, EVERYTHING).history)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"thinking": 5}, "thinking"),
        ({"service_tier": "batch"}, "service_tier"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"thread": {"type": "continue"}}, "thread"),
        ({"metadata": 5}, "metadata"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(members: dict[str, Any], param: str) -> None:
    """Every field that the gateway acts on says what it must be."""
    with pytest.raises(InvalidRequest) as refused:
        turn(**members)
    assert param == refused.value.param


def test_a_thread_of_somebody_else_is_not_found() -> None:
    """Only messages of the gateway's own can be gone on from."""
    with pytest.raises(UnknownResponse):
        turn(thread={"type": "continue", "previous_message_id": "nonsense"})


def test_a_thread_goes_on_with_its_tools() -> None:
    """The gateway keeps none: who leaves them out is told that the thread is gone, and replays."""
    thread = {"type": "continue", "previous_message_id": f"msg_{'0' * 48}"}
    with pytest.raises(InvalidRequest) as refused:
        turn(thread=thread)
    assert ("thread_not_found", "tools") == (refused.value.code, refused.value.param)
    assert f"resp_{'0' * 48}" == turn(thread=thread, tools=[]).source.previous_response_id


def test_the_user_is_known_by_a_digest_whatever_the_session() -> None:
    """Upstreams learn that it is the same one, and neither who nor in which session."""

    def sent(session: str) -> Any:
        return member(
            "safety_identifier", metadata={"user_id": f"user_9_account__session_{session}"}
        )

    assert sent("one") == sent("two")
    assert "user_9" not in sent("one")
    assert sent("one") != member("safety_identifier", metadata={"user_id": "user_8"})


def test_a_key_for_caches_is_the_session() -> None:
    """The same for all turns of a session, and none without one."""
    assert "s" == member("prompt_cache_key", headers={SESSION: "s"})
    assert member("prompt_cache_key") is None


@pytest.mark.parametrize("half", ["\ud83d", "\ue000", "\\ue000"])
def test_half_an_emoji_travels_with_its_escape(half: str) -> None:
    """A text that was cut between two halves is read, wherever it is, and stays what it was."""
    words = f"cut {half}"
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {half: words}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": words}
    said = {
        "model": "claude-x",
        "max_tokens": 100,
        "system": words,
        "tools": [{"name": "f", "description": words, "input_schema": {half: words}}],
        "messages": [user(text(words)), {"role": "assistant", "content": [use]}, user(result)],
    }
    sent = decode_request(json.dumps(said).encode(), {}, EVERYTHING)
    system, question, call, output = items_of(sent)
    assert [words] * 2 == [each["content"][0]["text"] for each in (system, question)]
    assert {half: words} == json.loads(call["arguments"])
    assert words == output["output"]
    (tool,) = json.loads(sent.members["tools"])
    assert (words, {half: words}) == (tool["description"], tool["parameters"])


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(
    ("name", "raw", "param"),
    [
        ("messages", '[{"role":"user","content":"a","content":"b"}]', "messages.0.content"),
        ("messages", '[{"role":"user","content":"a","c\\u006fntent":"b"}]', "messages.0.content"),
        (
            "messages",
            '[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]',
            "messages.0.content.0.text",
        ),
        (
            "messages",
            '[{"role":"user","content":[{"type":"search_result","source":"a","source":"b"}]}]',
            "messages.0.content.0.source",
        ),
        ("system", '[{"type":"text","text":"a","text":"b"}]', "system.0.text"),
        ("tools", '[{"name":"f","name":"g","input_schema":{}}]', "tools.0.name"),
        ("tool_choice", '{"type":"auto","type":"any"}', "tool_choice.type"),
        ("output_config", '{"effort":"low","effort":"high"}', "output_config.effort"),
    ],
)
def test_a_member_that_is_repeated_is_refused(
    name: str, raw: str, param: str, separators: tuple[str, str]
) -> None:
    """In messages, blocks and settings, too: nobody can say which of the two is meant."""
    comma, colon = separators
    raw = raw.replace('":', f'"{colon}').replace(',"', f'{comma}"')
    messages = '"messages":[{"role":"user","content":"a"}]' if name != "messages" else '"x":1'
    sent = '{"model":"m","max_tokens":9,' + f'{messages},"{name}":{raw}}}'
    with pytest.raises(InvalidRequest, match="more than once") as caught:
        sayable(decode_request(sent.encode(), {}, EVERYTHING))
    assert param == caught.value.param
