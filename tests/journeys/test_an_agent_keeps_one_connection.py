"""The plain case of all: an agent, however its client spells its history, on one connection."""

import json
import random

import aiohttp
import pytest

from longwire.emulator import Options, Script, digest
from tests.journeys.agent import TOOLS, helped, streamed, user, ways, whole

TURNS = 12
ONE_CONNECTION = ["fresh new_session"] + ["continued"] * (TURNS - 1)
SESSIONS = {
    "header": {"headers": {"session-id": "s-1"}},
    "cache key": {"prompt_cache_key": "s-1"},
    "none": {},
}
ASKS = {"whole": whole, "streamed": streamed, "helped": helped}


def without(item, *names):
    """The item without some members."""
    return {name: value for name, value in item.to_dict().items() if name not in names}


def dumped(output):
    """`.model_dump()`, with its nulls and its Python names."""
    return [item.model_dump() for item in output]


def as_dicts(output):
    """`.to_dict()`."""
    return [item.to_dict() for item in output]


def like_ai_sdk(output):
    """Assistant content as a bare string; ids and statuses dropped."""
    for item in output:
        if item.type == "message":
            text = item.content[0].text
            yield {"role": "assistant", "content": text, "phase": item.phase}
        elif item.type == "reasoning":
            yield without(item, "status", "content")
        else:
            yield without(item, "id", "status")


def like_ai_sdk_with_store(output):
    """References to what the upstream stores."""
    for item in output:
        if item.type in ("message", "reasoning"):
            yield {"type": "item_reference", "id": item.id}
        else:
            yield without(item, "id", "status")


def like_opencode(output):
    """No ids at all, but reasoning keeps its encrypted content."""
    for item in output:
        if item.type == "message":
            part = {"type": "output_text", "text": item.content[0].text}
            yield {"role": "assistant", "content": [part], "phase": item.phase}
        else:
            yield without(item, "id", "status")


def like_langchain(output):
    """Arguments written again by `json.dumps`; no statuses, no logprobs."""
    for item in output:
        given = without(item, "status")
        if item.type == "function_call":
            given["arguments"] = json.dumps(json.loads(item.arguments))
            assert given["arguments"] != item.arguments
        if item.type == "message":
            given["content"] = [without(part, "logprobs") for part in item.content]
        yield given


def like_pydantic(output):
    """No phase, no logprobs, another order of the members."""
    for item in output:
        given = without(item, "status", "phase")
        if item.type == "message":
            given["content"] = [without(part, "logprobs") for part in item.content]
        yield dict(reversed(given.items()))


def like_codex(output):
    """A null where reasoning has no content; the rest as it came."""
    for item in output:
        null = {"content": None} if item.type == "reasoning" else {}
        yield without(item, "status") | null


REPLAYS = (
    dumped,
    as_dicts,
    like_ai_sdk,
    like_opencode,
    like_langchain,
    like_pydantic,
    like_codex,
)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
async def test_twelve_turns_with_tools_travel_on_one_connection(emulator, hire, session, ask):
    """Tools, parallel calls and reasoning: one handshake, eleven of eleven turns continued."""
    turns = await hire(ask=ask, **session).turns(TURNS)
    assert ONE_CONNECTION == ways(turns)
    assert {("websocket", "main")} == {(told.transport, told.channel) for told in turns}
    assert (1, TURNS, TURNS - 1) == (
        emulator.counters.sockets_opened,
        emulator.counters.creates,
        emulator.counters.creates_continued,
    )
    kinds = {item["type"] for item in turns[-1].history if "type" in item}
    assert {"reasoning", "message", "function_call", "function_call_output"} == kinds


@pytest.mark.parametrize("replay", REPLAYS)
async def test_every_spelling_of_the_output_continues(emulator, hire, replay):
    """Clients drop, add and rewrite members of what the model said; the history is still equal."""
    agent = hire(replay=lambda output: list(replay(output)), ask=streamed)
    assert ONE_CONNECTION[:7] == ways(await agent.turns(7))
    assert 1 == emulator.counters.sockets_opened


async def test_custom_tools_continue(emulator, hire):
    """Calls with free text as input, and their outputs, are a history like any other."""
    emulator.script = Script(tool_rounds=3, parallel_calls=3, custom_tools=True)
    turns = await hire().turns(6)
    assert ONE_CONNECTION[:6] == ways(turns)
    assert "custom_tool_call_output" in {item.get("type") for item in turns[-1].history}
    assert 1 == emulator.counters.sockets_opened


async def test_references_to_stored_items_continue(emulator, hire):
    """A client that stores sends back nothing but references, also to items of earlier turns."""
    agent = hire(replay=lambda output: list(like_ai_sdk_with_store(output)), store=True)
    turns = await agent.turns(7)
    assert ONE_CONNECTION[:7] == ways(turns)
    assert 10 < [item.get("type") for item in turns[-1].history].count("item_reference")
    assert 1 == emulator.counters.sockets_opened


@pytest.mark.parametrize("session", [{}, SESSIONS["header"]], ids=["none", "header"])
async def test_a_text_is_the_first_message_of_its_history(emulator, hire, session):
    """`input="…"` opens a conversation that goes on as a list."""
    agent = hire(**session)
    agent.opens_with_text = True
    turns = await agent.turns(4)
    assert isinstance(turns[0].history, str)
    assert ONE_CONNECTION[:4] == ways(turns)
    assert 1 == emulator.counters.sockets_opened


async def test_what_is_never_compared_may_change_with_every_turn(emulator, hire):
    """Metadata in random order, sampling and limits do not end a chain."""
    agent = hire(headers={"session-id": "s-1", "thread-id": "t-1"}, replay=like_codex_items)
    chance = random.Random(7)
    turns = []
    for number in range(6):
        entries = [(f"key_{n}", f"{number}") for n in range(9)]
        chance.shuffle(entries)
        turns.append(
            await agent.say(
                *own_ids(agent, number),
                extra_body={"client_metadata": dict(entries)},
                temperature=number / 10,
                max_output_tokens=1000 + number,
                safety_identifier=f"u{number}",
            )
        )
    assert ONE_CONNECTION[:6] == ways(turns)
    assert 1 == emulator.counters.sockets_opened


def like_codex_items(output):
    """The items as Codex replays them."""
    return list(like_codex(output))


def own_ids(agent, number):
    """Outputs and questions that carry ids of the client's own."""
    for item in list(agent.following()):
        prefix = "fco" if item.get("type") == "function_call_output" else "msg"
        yield {"id": f"{prefix}_{number}_{item.get('call_id', 'u')[-8:]}", **item}


def without_ids(item):
    """An item of an earlier run as a client writes it that kept no ids."""
    item = item if isinstance(item, dict) else item.to_dict()
    return {name: value for name, value in item.items() if name != "id"}


def with_nulls(item):
    """An item as a client writes it that was started anew and fills in nulls."""
    item = item if isinstance(item, dict) else item.to_dict()
    null = {"content": None} if item.get("type") == "reasoning" else {}
    return dict(reversed((item | null).items()))


@pytest.mark.parametrize("respell", [without_ids, with_nulls])
@pytest.mark.parametrize("session", [{}, SESSIONS["header"]], ids=["none", "header"])
async def test_old_items_may_be_spelled_anew(emulator, hire, session, respell):
    """A client that was started anew writes its old items differently; that is no other history."""
    agent = hire(**session)
    turns = await agent.turns(4)
    agent.history = [respell(item) for item in agent.history]
    turns += await agent.turns(3)
    assert ONE_CONNECTION[:7] == ways(turns)
    assert 1 == emulator.counters.sockets_opened


def pretty(body, _):
    """Indented."""
    return json.dumps(body, indent=2, ensure_ascii=False)


def changing(body, number):
    """Another layout and other escapes with every turn."""
    return json.dumps(body, indent=number % 3 or None, ensure_ascii=bool(number % 2))


@pytest.mark.parametrize("spell", [pretty, changing])
async def test_the_layout_of_a_body_means_nothing(emulator, gateway, spell):
    """White space, escapes and the order of members never end a chain."""
    body = {"model": "gpt-5.5", "store": False, "tools": TOOLS, "input": []}
    body["include"] = ["reasoning.encrypted_content"]
    told = []
    async with aiohttp.ClientSession(headers=gateway.headers) as session:
        for number in range(6):
            calls = [i for i in body["input"][-2:] if i.get("type") == "function_call"]
            body["input"] += [
                {"output": "naïve ✓", "call_id": call["call_id"], "type": "function_call_output"}
                for call in calls
            ] or [user(f"question naïve ✓ {number}")]
            sent = spell(dict(random.Random(number).sample(list(body.items()), len(body))), number)
            async with session.post(f"{gateway.url}/v1/responses", data=sent) as answer:
                told.append(answer.headers["x-longwire-continuity"])
                response = await answer.json()
            assert digest(body["input"]) == emulator.turns[-1].digest
            body["input"] += response["output"]
    assert ["fresh"] + ["continued"] * 5 == told
    assert 1 == emulator.counters.sockets_opened


@pytest.mark.parametrize(
    "options",
    [
        Options(terminal_output="null"),
        Options(terminal_output="missing"),
        Options(terminal_output="empty"),
        Options(fragment_bytes=7),
        Options(paired_ids=True),
    ],
    ids=["null", "missing", "empty", "fragments", "paired ids"],
)
async def test_upstreams_differ_and_clients_need_not_know(emulator, hire, options):
    """The terminal's output may be missing and frames may be split: clients get it whole."""
    for number, ask in enumerate((whole, helped)):
        turns = await hire(ask=ask, prompt_cache_key=f"s-{number}").turns(4)
        assert ONE_CONNECTION[:4] == ways(turns)
        assert [True] * 4 == [bool(told.response.output) for told in turns]
