"""The cache of prompts: marks write and find, and marks that move lose what was written."""

import pytest

EPHEMERAL = {"type": "ephemeral"}
SYSTEM = "Instructions that are long enough to count. " * 20


def text(words, **members):
    return {"type": "text", "text": words, **members}


def marked(words, **mark):
    return text(words, cache_control=EPHEMERAL | mark)


def turns(count, *, marks=(), words="Some words to count. " * 10):
    """A conversation of so many messages, of which those with these numbers bear a mark."""
    messages = []
    for number in range(count):
        block = marked if number in marks else text
        role = "assistant" if number % 2 else "user"
        messages.append({"role": role, "content": [block(f"{number} {words}")]})
    return messages


async def usage_of(it, *messages, **members):
    """Fresh, written and read tokens."""
    usage = (await it.answer(*messages, **members))["usage"]
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return tuple(usage[name] for name in names)


async def test_nothing_is_cached_without_marks(claude):
    """The same prompt twice is read from nowhere."""
    async with claude() as it:
        first = await usage_of(it, *turns(3), system=SYSTEM)
        assert (first[0], 0, 0) == first == await usage_of(it, *turns(3), system=SYSTEM)


async def test_mark_writes_and_the_next_turn_reads(claude, tool):
    """All up to the mark is written once, then read; only what is new is written behind it."""
    async with claude() as it:
        first = await usage_of(it, *turns(3, marks=[2]), system=SYSTEM, tools=[tool])
        assert (True, 0) == (first[1] > 250, first[2])
        second = await usage_of(it, *turns(5, marks=[4]), system=SYSTEM, tools=[tool])
        assert first[1] == second[2]
        assert 0 < second[1] < 150
        assert second[2] == it.emulator.turns[-1].cached_tokens
        assert sum(second) == it.emulator.turns[-1].input_tokens
        whole = await usage_of(it, *turns(5), system=SYSTEM, tools=[tool])
        assert sum(second) == sum(whole)


async def test_mark_finds_what_string_or_block_wrote(claude, user):
    """A content that was one marked block and is a string now is the same prompt."""
    async with claude() as it:
        blocks = {"role": "user", "content": [marked("hello")]}
        _, written, _ = await usage_of(it, blocks, system=SYSTEM)
        rest = ({"role": "assistant", "content": "a"}, {"role": "user", "content": [marked("b")]})
        assert written == (await usage_of(it, user, *rest, system=SYSTEM))[2]


@pytest.mark.parametrize(("behind", "reads"), [(20, True), (21, False)])
async def test_mark_looks_back_twenty_blocks(claude, behind, reads):
    """What was written further before it is out of sight, but for a mark that stayed."""
    async with claude() as it:
        first = turns(3, marks=[2])
        await usage_of(it, *first)
        blocks = [text(f"{number} more") for number in range(behind - 2)]
        said = {"role": "assistant", "content": "a"}
        later = {"role": "user", "content": [*blocks, marked("end")]}
        assert reads == bool((await usage_of(it, *turns(3), said, later))[2])
        assert (await usage_of(it, *first, said, later | {"content": [*blocks, marked("x")]}))[2]


@pytest.mark.parametrize(
    "change",
    [
        {"system": SYSTEM + "."},
        {"tools": []},
        {"model": "claude-sonnet-5-5"},
        {"key": "sk-two"},
        {"thinking": {"type": "adaptive"}},
    ],
    ids=str,
)
async def test_change_before_a_mark_loses_it(claude, tool, change):
    """Of system, tools, model, key or thinking."""
    async with claude() as it:
        members = {"system": SYSTEM, "tools": [tool]}
        await usage_of(it, *turns(3, marks=[2]), **members)
        assert 0 == (await usage_of(it, *turns(5, marks=[4]), **members | change))[2]
        assert 0 < (await usage_of(it, *turns(5, marks=[4]), **members))[2]


async def test_run_of_results_counts_as_one(claude, user, tool):
    """Thirty parallel calls and their results do not hide what stands before them."""
    async with claude() as it:
        start = {"role": "user", "content": [marked(SYSTEM)]}
        await usage_of(it, start, tools=[tool])
        calls = [
            {"type": "tool_use", "id": f"c{number}", "name": "read", "input": {}}
            for number in range(30)
        ]
        results = [{"type": "tool_result", "tool_use_id": call["id"]} for call in calls]
        results[-1]["cache_control"] = EPHEMERAL
        rest = ({"role": "assistant", "content": calls}, {"role": "user", "content": results})
        assert 0 < (await usage_of(it, start | {"content": SYSTEM}, *rest, tools=[tool]))[2]


async def test_automatic_mark_and_an_hour(claude):
    """`cache_control` at the top marks the last block; what is kept for an hour is told apart."""
    async with claude() as it:
        mark = EPHEMERAL | {"ttl": "1h"}
        first = (await it.answer(*turns(3), cache_control=mark))["usage"]
        creation = first["cache_creation"]
        assert first["cache_creation_input_tokens"] == creation["ephemeral_1h_input_tokens"] > 0
        assert 0 == creation["ephemeral_5m_input_tokens"]
        assert 0 < (await usage_of(it, *turns(5), cache_control=mark))[2]
