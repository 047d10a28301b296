"""Any output of an upstream, as the laws of this dialect draw it."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.dialects.messages.answers import Json, call, message, reasoning, search

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
phases = st.sampled_from([{}, {"phase": "commentary"}, {"phase": "final_answer"}])
scalars = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
arguments = st.dictionaries(texts, values, max_size=4).map(json.dumps) | st.just("")
seals = st.sampled_from(["gAAAA", "gBBBB-_=", ""])


@st.composite
def outputs(draw: st.DrawFn) -> list[Json]:
    """Some items: reasoning with and without summary, messages, refusals, calls, searches."""
    items: list[Json] = []
    for index in range(draw(st.integers(0, 6))):
        match draw(st.sampled_from(["reasoning", "message", "refusal", "call", "search", "other"])):
            case "reasoning":
                items.append(reasoning(draw(st.lists(texts, max_size=3)), index, draw(seals)))
            case "message":
                items.append(_message(draw, index))
            case "refusal":
                parts = [{"type": "refusal", "refusal": draw(texts)}]
                items.append(message("", index, content=parts))
            case "call":
                items.append(
                    call(draw(arguments), index, draw(st.sampled_from(["Read", "a" * 70])))
                )
            case "search":
                sources = [{"type": "url", "url": draw(texts)}]
                items.append(search(index, query=draw(texts), sources=sources))
            case _:
                items.append({"type": "file_search_call", "id": f"fs_{index}", "queries": []})
    return items


def _message(draw: st.DrawFn, index: int) -> Json:
    parts: list[dict[str, Any]] = [
        {"type": "output_text", "text": text, "annotations": []}
        for text in draw(st.lists(texts, min_size=1, max_size=2))
    ]
    return message("", index, content=parts, **draw(phases))
