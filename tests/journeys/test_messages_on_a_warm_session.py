"""An agent on Anthropic's Messages API: every later turn goes on over one upstream connection."""

import asyncio
import copy
import json
import re
import ssl

import aiohttp
import anthropic
import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.request import decode_request
from longwire.emulator import Emulator, Fault, Script, digest
from longwire.server.data import turns
from tests.conftest import KEY
from tests.journeys.conftest import become, leased, settings_of, websocket_channel

MODEL = "gpt-5.5"
SESSION = {"x-claude-code-session-id": "5e551011-0000-4000-8000-000000000001"}
TURNS = 9
TOOLS = [
    {
        "name": name,
        "input_schema": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        },
    }
    for name in ("Read", "Bash")
]
MARK = {"cache_control": {"type": "ephemeral"}}


@pytest.fixture
async def client(gateway):
    """The official client, without retries."""
    async with client_of(gateway) as client:
        yield client


def client_of(gateway):
    """The official client of a gateway."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return anthropic.AsyncAnthropic(
        base_url=gateway.url,
        auth_token=KEY,
        max_retries=0,
        default_headers=SESSION,
        http_client=anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare),
    )


class Agent:
    """Resends its whole history, as Claude Code does, with its cache mark on the last block."""

    def __init__(self, client, *, streams: bool, **members) -> None:
        self._client = client
        self._streams = streams
        self.members = {
            "model": MODEL,
            "max_tokens": 4096,
            "system": [{"type": "text", "text": "You are an agent.", **MARK}],
            "tools": TOOLS,
            "thinking": {"type": "adaptive", "display": "summarized"},
            **members,
        }
        self.messages = []
        self.ways = []
        self.sent = {}

    async def turn(self, text: str = "") -> anthropic.types.Message:
        """Answer the calls there are, else ask; returns the answer."""
        self.messages.append({"role": "user", "content": text or self._results() or "question"})
        self.sent = {**self.members, "messages": self._marked()}
        if self._streams:
            async with self._client.messages.stream(**self.sent) as stream:
                answer = await stream.get_final_message()
                headers = stream.response.headers
        else:
            raw = await self._client.messages.with_raw_response.create(**self.sent)
            headers, answer = raw.headers, await raw.parse()
        reason = headers.get("x-longwire-reason", "")
        self.ways.append(f"{headers['x-longwire-continuity']} {reason}".strip())
        self.messages.append(answer.to_param())
        return answer

    def _results(self):
        calls = self.messages[-1]["content"] if self.messages else ()
        return [
            {"type": "tool_result", "tool_use_id": block.id, "content": f"{block.name} said ✓"}
            for block in reversed(calls)
            if block.type == "tool_use"
        ]

    def _marked(self):
        """The messages with the mark on the last block; a string becomes one for that time."""
        messages = [copy.copy(message) for message in self.messages]
        content = messages[-1]["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        messages[-1]["content"] = [*blocks[:-1], {**blocks[-1], **MARK}]
        return messages


def shown(emulator: Emulator) -> str:
    """The digest of what the model was shown last."""
    return emulator.turns[-1].digest


def meant(agent: Agent) -> str:
    """The digest of what the client meant by its last request."""
    body = json.dumps(agent.sent, default=lambda block: block.to_dict()).encode()
    return digest(json.loads(decode_request(body, {}, EVERYTHING).input))


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    "thinking",
    [{"type": "adaptive", "display": "summarized"}, {"type": "disabled"}],
    ids=["thinking", "no thinking"],
)
async def test_every_later_turn_is_continued(emulator, client, thinking, *, streams):
    """Tools, parallel calls, thinking and moving cache marks: one handshake, all others go on."""
    agent = Agent(client, streams=streams, thinking=thinking)
    answers = [await agent.turn() for _ in range(TURNS)]
    assert ["fresh new_session", *["continued"] * (TURNS - 1)] == agent.ways
    assert (1, TURNS - 1) == (
        emulator.counters.sockets_opened,
        emulator.counters.creates_continued,
    )
    assert {"tool_use", "end_turn"} == {answer.stop_reason for answer in answers}
    if thinking["type"] == "adaptive":
        assert shown(emulator) == meant(agent)


async def test_what_is_sent_anew_is_what_was_meant(emulator, client):
    """With other tools a conversation goes in full: the upstream reads its own reasoning again."""
    agent = Agent(client, streams=True)
    for _ in range(4):
        await agent.turn()
    agent.members["tools"] = [*TOOLS, {"name": "Write", "input_schema": {"type": "object"}}]
    await agent.turn()
    assert "fresh properties_changed" == agent.ways[-1]
    assert shown(emulator) == meant(agent)


async def test_a_tool_that_is_found_changes_nothing_of_the_conversation(client, emulator):
    """Deferred tools come as items, so that the turn that brings them is continued."""
    agent = Agent(client, streams=True)
    later = {"name": "Fetch", "defer_loading": True, "input_schema": {"type": "object"}}
    answer = await agent.turn()
    call = next(block for block in answer.content if block.type == "tool_use")
    agent.members["tools"] = [later, *TOOLS]
    found = [{"type": "tool_reference", "tool_name": "Fetch"}]
    others = [b for b in answer.content if b.type == "tool_use" and b.id != call.id]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": found}]
    results += [{"type": "tool_result", "tool_use_id": b.id, "content": "x"} for b in others]
    await agent.turn(results)
    assert ["fresh new_session", "continued"] == agent.ways


async def ask(gateway, path="/v1/messages?beta=true", headers=SESSION, **members):
    """Ask without a client's help: status, headers and body."""
    body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    headers = {**gateway.headers, **headers, "anthropic-version": "2023-06-01"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + path, json=body | members, headers=headers) as response,
    ):
        return response.status, response.headers, await response.read()


async def test_a_thread_is_served_from_the_warm_connection(emulator, gateway):
    """The client sends only what is new, and names the message before."""
    members = {"tools": TOOLS, "system": "You are an agent."}
    _, _, body = await ask(gateway, thread={"type": "create"}, **members)
    answer = json.loads(body)
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "x"}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    thread = {"type": "continue", "previous_message_id": answer["id"]}
    messages = [{"role": "user", "content": results}]
    status, headers, body = await ask(gateway, thread=thread, messages=messages, **members)
    assert (200, "as-given") == (status, headers["x-longwire-continuity"])
    assert (1, 1) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)
    assert answer["id"] != json.loads(body)["id"]


@pytest.mark.parametrize("is_ours", [True, False], ids=["forgotten", "somebody else's"])
async def test_a_thread_that_is_gone_is_not_found(gateway, client, *, is_ours):
    """The client then replays everything: it must never be answered without its history."""
    agent = Agent(client, streams=False)
    forgotten, _ = await agent.turn(), await agent.turn()
    identity = forgotten.id if is_ours else "nonsense"
    thread = {"type": "continue", "previous_message_id": identity}
    status, headers, body = await ask(gateway, thread=thread)
    error = json.loads(body)["error"]
    assert (404, "not_found_error") == (status, error["type"])
    assert "thread_not_found" == error["details"]["error_code"]
    assert headers["request-id"] == json.loads(body)["request_id"]


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_a_stop_sequence_ends_the_answer(gateway, client, *, streams):
    """The gateway cuts, and what comes after is not continued: the upstream holds more."""
    agent = Agent(client, streams=streams, tools=[], stop_sequences=["sha256"])
    answer = await agent.turn()
    assert ("stop_sequence", "sha256") == (answer.stop_reason, answer.stop_sequence)
    assert "context " == answer.content[-1].text
    await become(lambda: leased(gateway) == 0)
    await agent.turn()
    assert ["fresh new_session", "fresh answer_cut"] == agent.ways


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_a_thread_does_not_go_on_from_a_cut_answer(emulator, gateway, *, streams):
    """The model would know what its client never saw; the client replays the thread instead."""
    emulator.script = Script(text="hello STOP the secret", tool_rounds=0)
    members = {"tools": TOOLS, "stream": streams, "stop_sequences": ["STOP"]}
    _, _, body = await ask(gateway, thread={"type": "create"}, **members)
    identity = re.search(rb'"id":"(msg_[^"]+)"', body)[1].decode()
    await become(lambda: leased(gateway) == 0)
    thread = {"type": "continue", "previous_message_id": identity}
    status, _, body = await ask(gateway, thread=thread, **members)
    assert (404, "thread_not_found") == (status, json.loads(body)["error"]["details"]["error_code"])
    history = [{"role": "assistant", "content": "hello "}, {"role": "user", "content": "go on"}]
    messages = [{"role": "user", "content": "hi"}, *history]
    status, headers, _ = await ask(gateway, messages=messages, **members)
    assert (200, "answer_cut") == (status, headers["x-longwire-reason"])


NO_SESSION = {"x-claude-code-session-id": ""}


@pytest.mark.parametrize("headers", [SESSION, NO_SESSION], ids=["session", "none"])
async def test_a_thread_that_begins_without_tools_goes_on(emulator, serve, headers):
    """It is no single question: its first turn is on a connection, for the next one names it."""
    channel = websocket_channel(emulator.url, transport="auto")
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    thread, ways = {"type": "create"}, []
    for _ in range(3):
        status, sent, body = await ask(gateway, thread=thread, tools=[], headers=headers)
        thread = {"type": "continue", "previous_message_id": json.loads(body)["id"]}
        ways.append((status, sent["x-longwire-transport"], sent["x-longwire-continuity"]))
    later = (200, "websocket", "as-given")
    assert [(200, "websocket", "fresh"), later, later] == ways


@pytest.mark.parametrize("transport", ["http", "auto"])
async def test_a_thread_over_http_is_refused(emulator, serve, transport):
    """Nothing remembers its responses there: its client is sent back to whole messages, once."""
    refusal = Fault(at="handshake", route="websocket", act="refuse", status=404, times=0)
    emulator.faults.add(refusal)
    channel = websocket_channel(emulator.url, transport=transport)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    again = {"type": "continue", "previous_message_id": "msg_1"}
    for thread in ({"type": "create"}, again):
        status, headers, body = await ask(gateway, thread=thread, tools=TOOLS)
        error = json.loads(body)["error"]
        assert (400, "invalid_request_error") == (status, error["type"])
        assert "thread_unsupported_request" == error["details"]["error_code"]
    status, headers, _ = await ask(gateway, tools=TOOLS)
    assert (200, "http") == (status, headers["x-longwire-transport"])
    status, _, _ = await ask(gateway, "/v1/messages/count_tokens", thread={"type": "create"})
    assert 200 == status


async def test_a_thread_of_a_caller_without_a_key_is_refused(emulator, serve):
    """No connection is kept for anybody who is not known."""
    open_to_all = settings_of(emulator.url, api_keys=(), server={"allow_anonymous": True})
    gateway = await serve(open_to_all)
    status, _, body = await ask(gateway, thread={"type": "create"}, tools=TOOLS)
    error = json.loads(body)["error"]
    assert (400, "thread_unsupported_request") == (status, error["details"]["error_code"])


async def test_a_search_tells_what_it_found_and_goes_on(emulator, client):
    """The upstream is asked for its sources; they are the result, and the replay is known again."""
    emulator.script = Script(tool_rounds=0, searches=True)
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    agent = Agent(client, streams=True, tools=[search])
    answers = [await agent.turn("search"), await agent.turn("again")]
    found = [block for block in answers[0].content if block.type == "web_search_tool_result"]
    assert [["https://example.org/naive"]] == [[one.url for one in each.content] for each in found]
    assert ["fresh new_session", "continued"] == agent.ways


@pytest.mark.parametrize("transport", ["websocket", "http"])
@pytest.mark.parametrize("thinking", [{"type": "disabled"}, {"type": "adaptive"}])
async def test_a_search_is_never_in_the_way_of_a_history(emulator, serve, thinking, transport):
    """A whole history is taken, with its reasoning or without, and a search can be chosen."""
    emulator.script = Script(tool_rounds=0, searches=True)
    channel = websocket_channel(emulator.url, transport=transport)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    async with client_of(gateway) as client:
        search = {"type": "web_search_20250305", "name": "web_search"}
        choice = {"type": "tool", "name": "web_search"}
        agent = Agent(client, streams=True, tools=[search], thinking=thinking, tool_choice=choice)
        await agent.turn("search")
        agent.members["tools"] = [search, *TOOLS]
        await agent.turn("again")
    assert "fresh" == agent.ways[-1].split()[0]


async def test_errors_before_an_answer_are_this_apis(emulator, client):
    """The official client raises by status, and reads the type."""
    emulator.faults.add(Fault(at="before_create", act="error", status=400, code="invalid_prompt"))
    with pytest.raises(anthropic.BadRequestError) as refused:
        await Agent(client, streams=True).turn()
    assert "invalid_request_error" == refused.value.body["error"]["type"]
    assert refused.value.request_id


async def test_a_full_context_is_said_in_words_that_make_clients_compact(emulator, client):
    """Claude Code reads them."""
    fault = Fault(at="before_create", act="error", status=400, code="context_length_exceeded")
    emulator.faults.add(fault)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        await Agent(client, streams=False).turn()


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_a_full_context_has_its_status_wherever_it_is_said(emulator, client, streams):
    """Inside an answer that shows nothing, too; behind a beginning Claude Code would try again."""
    error = {"code": "context_length_exceeded", "message": "Too long."}
    emulator.script = Script(finish="failed:context_length_exceeded", error=error, output=False)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        await Agent(client, streams=streams).turn()


async def test_an_answer_that_breaks_off_is_an_error_in_its_stream(emulator, client):
    """The half is never taken for the whole."""
    emulator.faults.add(Fault(at="mid_delta", act="reset"))
    with pytest.raises(anthropic.APIStatusError, match="api_error"):
        await Agent(client, streams=True).turn()


async def test_a_wrong_key_is_said_to_be_final(gateway):
    """Claude Code would try for minutes."""
    gateway.headers = {"x-api-key": "wrong"}
    status, headers, body = await ask(gateway)
    assert (401, "false") == (status, headers["x-should-retry"])
    assert "authentication_error" == json.loads(body)["error"]["type"]


async def test_a_side_call_costs_no_connection(emulator, serve):
    """A title is one question without tools: it goes over HTTP, in the session of its agent."""
    channel = websocket_channel(emulator.url, transport="auto")
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    _, headers, _ = await ask(gateway, tools=[], system="Find a title.")
    assert "http" == headers["x-longwire-transport"]
    _, headers, _ = await ask(gateway, tools=TOOLS)
    assert "websocket" == headers["x-longwire-transport"]
    assert 1 == emulator.counters.sockets_opened


@pytest.mark.parametrize("can_count", [True, False], ids=["counted", "estimated"])
async def test_counts_in_parallel_take_no_connection(emulator, gateway, *, can_count):
    """Twenty-six at once, one without tools: by the upstream, or by an estimate that says so."""
    if not can_count:
        emulator.faults.add(Fault(at="count", act="error", status=404, times=0))
    path = "/v1/messages/count_tokens?beta=true"
    async with asyncio.TaskGroup() as group:
        counts = [ask(gateway, path, tools=TOOLS if number else []) for number in range(26)]
        tasks = [group.create_task(each) for each in counts]
    answers = [task.result() for task in tasks]
    assert {200} == {status for status, _, _ in answers}
    said = {headers.get("x-longwire-tokens") for _, headers, _ in answers}
    assert {None if can_count else "estimated"} == said
    assert all(json.loads(body)["input_tokens"] > 0 for _, _, body in answers)
    assert 0 == emulator.counters.sockets_opened


async def test_a_count_that_is_refused_is_not_estimated(emulator, gateway):
    """What is wrong with a request is said, in this API's words."""
    emulator.faults.add(Fault(at="count", act="refuse", status=400, code="invalid_prompt"))
    status, _, body = await ask(gateway, "/v1/messages/count_tokens")
    assert (400, "invalid_request_error") == (status, json.loads(body)["error"]["type"])


@pytest.mark.parametrize("headers", [{}, {"user-agent": "Bun/1.4.6", "authorization": "x"}])
@pytest.mark.parametrize(
    ("method", "path"), [("HEAD", "/api/hello"), ("GET", "/api/hello"), ("HEAD", "/")]
)
async def test_case_71_probe_at_the_start_has_an_answer(gateway, method, path, headers):
    """Claude Code asks without a key; nothing of it reaches an upstream."""
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, gateway.url + path) as response,
    ):
        assert 200 == response.status
        body = await response.read()
    assert body == (b"{}" if method == "GET" else b"")


@pytest.mark.parametrize("has_connected", [True, False], ids=["count", "handshake"])
async def test_a_count_that_hangs_is_estimated_soon(
    emulator, gateway, monkeypatch, *, has_connected
):
    """Its client waits for it before its turn; that the upstream is slow harms no turn."""
    monkeypatch.setattr(turns, "PATIENCE", 0.2)
    emulator.faults.add(Fault(at="count" if has_connected else "handshake", act="hang", times=9))
    for _ in range(9):
        async with asyncio.timeout(2.0):
            status, headers, body = await ask(gateway, "/v1/messages/count_tokens")
        assert (200, "estimated") == (status, headers["x-longwire-tokens"])
        assert json.loads(body)["input_tokens"] > 0
    status, _, _ = await ask(gateway, tools=TOOLS)
    assert 200 == status


async def test_models_are_read_by_the_official_client(client):
    """The list, and one of it."""
    page = await client.models.list(limit=1000)
    assert MODEL in [model.id for model in page.data]
    assert MODEL == (await client.models.retrieve(MODEL)).display_name
