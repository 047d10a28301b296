"""What Anthropic can say goes there and comes back the same; a longer history begins as a shorter.

The way back is the gateway's own reading of requests to the Messages API.
"""

import json
from collections.abc import Sequence
from itertools import accumulate, pairwise

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.request import decode_request
from longwire.dialects.seals import Seal, sealed
from tests.dialects.messages.upstreams import (
    Json,
    answer,
    body_of,
    call_of,
    called,
    developer,
    output,
    unmarked,
    user,
)

LOOKBACK = 20
"""How many blocks before a mark Anthropic looks for what it has cached."""

WORDS = st.text(min_size=1, max_size=20).filter(str.strip)
ARGUMENTS = st.dictionaries(st.text(max_size=5), st.integers() | WORDS, max_size=3).map(json.dumps)
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,aWNv", "detail": "auto"}


@st.composite
def questions(draw: st.DrawFn) -> list[Json]:
    """What a user says: one message."""
    message = user(draw(WORDS))
    if draw(st.booleans()):
        message["content"].append(IMAGE)
    return [message]


@st.composite
def steps(draw: st.DrawFn, number: int) -> list[Json]:
    """One answer of the model, and what the client sends back of it."""
    texts = [answer(draw(WORDS)) for _ in range(draw(st.integers(0, 2)))]
    count = draw(st.integers(0, 3))
    calls = [called(f"toolu_{number}_{each}", draw(ARGUMENTS)) for each in range(count)]
    outputs = [output(call["call_id"], draw(WORDS)) for call in calls]
    if not (texts or calls):
        texts = [answer(draw(WORDS))]
    following = draw(questions()) if not outputs or draw(st.booleans()) else []
    return [*texts, *calls, *outputs, *following]


@st.composite
def conversations(draw: st.DrawFn) -> list[list[Json]]:
    """A conversation in pieces, each of which is what one request adds."""
    opening = [developer(draw(WORDS))] if draw(st.booleans()) else []
    rest = [draw(steps(number)) for number in range(draw(st.integers(0, 4)))]
    return [[*opening, *draw(questions())], *rest]


def canonical(items: Sequence[Json]) -> list[Json]:
    """Items with their arguments as values."""
    return [
        {**item, "arguments": json.loads(item["arguments"])} if "arguments" in item else item
        for item in items
    ]


@given(pieces=conversations())
def test_items_come_back_the_same(pieces: list[list[Json]]) -> None:
    """Items said to Anthropic, and read as its client's, are what they were."""
    items = [item for piece in pieces for item in piece]
    turn = decode_request(call_of(*items).body, {}, EVERYTHING)
    assert canonical(items) == canonical(json.loads(turn.input or b"[]"))


def blocks_of(body: Json) -> list[tuple[str, Json]]:
    """The prompt in the order of Anthropic's cache: tools, system, then the messages."""
    tools = [("tool", tool) for tool in body.get("tools", ())]
    system = [("system", block) for block in body.get("system", ())]
    messages = [(each["role"], block) for each in body["messages"] for block in each["content"]]
    return [*tools, *system, *messages]


def requests_of(pieces: Sequence[Sequence[Json]]) -> list[Json]:
    """The bodies of a conversation's requests, as it grows."""
    items: list[Json] = []
    bodies = []
    for piece in pieces:
        items += piece
        bodies.append(body_of(*items, tools=[{"type": "function", "name": "look"}]))
    return bodies


@given(pieces=conversations())
def test_a_longer_history_begins_with_the_shorter(pieces: list[list[Json]]) -> None:
    """Block by block, whatever is added, all that was sent before is sent again the same."""
    for shorter, longer in pairwise(requests_of(pieces)):
        before, after = blocks_of(unmarked(shorter)), blocks_of(unmarked(longer))
        assert before == after[: len(before)]


@given(pieces=conversations(), fills=st.lists(st.integers(1, 60), min_size=5, max_size=5))
def test_marks_keep_giving_hits(pieces: list[list[Json]], fills: list[int]) -> None:
    """Each request finds all of the one before in the cache, however much it adds.

    What Anthropic does: a mark writes its place, and finds what was written there or at one of the
    20 blocks before it.
    """
    grown = [[*piece, *many(count)] for piece, count in zip(pieces, fills, strict=False)]
    written: set[str] = set()
    last = 0  # the last tool, which has a mark from the first request on
    for body in requests_of(grown):
        blocks = blocks_of(body)
        marks = [place for place, (_, block) in enumerate(blocks) if "cache_control" in block]
        prefixes = list(accumulate(map(repr, blocks_of(unmarked(body))), digest))
        found = [
            place
            for mark in marks
            for place in range(max(0, mark - LOOKBACK), mark + 1)
            if prefixes[place] in written
        ]
        assert last == max(found, default=0)
        assert len(marks) <= 4
        assert not any(is_unmarkable(blocks[mark][1]) for mark in marks)
        written |= {prefixes[mark] for mark in marks}
        last = marks[-1]


def digest(before: str, block: str) -> str:
    """A digest of a prompt up to a block."""
    return blake3((before + block).encode()).hexdigest()


def many(count: int) -> list[Json]:
    """A user's message of so many parts."""
    parts = [{"type": "input_text", "text": str(number)} for number in range(count)]
    return [{"type": "message", "role": "user", "content": parts}]


def is_unmarkable(block: Json) -> bool:
    """Whether a mark on a block is refused."""
    kind = block.get("type", "")
    return "thinking" in kind or (kind == "text" and not block["text"].strip())


SEALED = st.tuples(WORDS, st.sampled_from(["anthropic", "gemini", "deepseek", "responses"]))


@given(seals=st.lists(SEALED, min_size=1, max_size=4))
def test_sealed_thoughts_go_to_their_issuer_alone(seals: list[tuple[str, str]]) -> None:
    """Thoughts that Anthropic has sealed come back exactly; nobody else's are sent, in any form."""
    items: list[Json] = [user("q")]
    for number, (secret, issuer) in enumerate(seals):
        content = sealed(Seal(issuer, secret)) if issuer != "responses" else f"gAAA{number}"
        parts = [{"type": "summary_text", "text": f"thought {number}"}]
        items.append({"type": "reasoning", "summary": parts, "encrypted_content": content})
        items += [answer(f"answer {number}"), user(f"question {number}")]
    sent = [block for each in body_of(*items)["messages"] for block in each["content"]]
    expected = [
        {"type": "thinking", "thinking": f"thought {number}", "signature": secret}
        for number, (secret, issuer) in enumerate(seals)
        if issuer == "anthropic"
    ]
    assert expected == [block for block in sent if block["type"] == "thinking"]
    assert not any("thought" in block.get("text", "") for block in sent)
