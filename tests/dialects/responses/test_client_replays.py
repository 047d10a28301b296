"""What real clients send back is recognised, and no edit of it ever is.

Reasoning may be left out, all that one reply has of it; `test_omitted_reasoning` has the rule.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from longwire.core.rules.continuity import Chain, Continue, decide, extend, held_items
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.items import canonical_item
from longwire.dialects.responses.request import decode_request

Body = dict[str, Any]
RECORDS = json.loads((Path(__file__).parents[2] / "fixtures" / "client-replays.json").read_text())


def turn_of(body: Body) -> Turn:
    return decode_request(json.dumps({"model": "m", **body}).encode())


def chain_after(body: Body, output: list[Body], previous: Chain | None = None) -> Chain:
    replies = tuple(canonical_item(json.dumps(item).encode()) for item in output)
    return extend(turn_of(body), "resp_1", replies, previous)


def pairs() -> Iterator[tuple[str, Body, list[Body], Body]]:
    for record in RECORDS:
        for n, response in enumerate(record["responses"]):
            if n + 1 < len(record["bodies"]):
                name = f"{record['client']}, turn {n + 2}"
                yield name, record["bodies"][n], response, record["bodies"][n + 1]


def leaves_items_out(body: Body, output: list[Body], following: Body) -> bool:
    """Some applications send a window of their history only: shorter than what was said."""
    return len(following["input"]) <= len(body["input"]) + len(output)


REPLAYS = [pair for pair in pairs() if not leaves_items_out(*pair[1:])]
WINDOWS = [pair for pair in pairs() if leaves_items_out(*pair[1:])]


def test_the_records_hold_both_replays_and_windows() -> None:
    """The records are what the tests below take them for."""
    assert (len(REPLAYS), len(WINDOWS)) == (13, 2)


@pytest.mark.parametrize(
    ("body", "output", "following"), [p[1:] for p in REPLAYS], ids=[p[0] for p in REPLAYS]
)
def test_a_replayed_history_is_recognised(body: Body, output: list[Body], following: Body) -> None:
    """Every recorded client that replays its history has its new items found."""
    held = held_items(chain_after(body, output), turn_of(following))
    assert len(body["input"]) + len(output) == held


@pytest.mark.parametrize(
    ("body", "output", "following"), [p[1:] for p in REPLAYS], ids=[p[0] for p in REPLAYS]
)
def test_a_replayed_history_in_another_spelling_is_recognised(
    body: Body, output: list[Body], following: Body
) -> None:
    """Where the bytes of the old input changed too, the canonical comparison decides."""
    spaced = json.dumps(
        {"model": "m", **following, "input": [_reversed_keys(i) for i in following["input"]]},
        indent=1,
    )
    held = held_items(chain_after(body, output), decode_request(spaced.encode()))
    assert len(body["input"]) + len(output) == held


@pytest.mark.parametrize(
    ("body", "output", "following"), [p[1:] for p in WINDOWS], ids=[p[0] for p in WINDOWS]
)
def test_a_window_of_the_history_is_no_replay(
    body: Body, output: list[Body], following: Body
) -> None:
    """A client that leaves items out means another history."""
    assert held_items(chain_after(body, output), turn_of(following)) is None


def _reversed_keys(item: Body) -> Body:
    return dict(reversed(item.items()))


NOT_COMPARED = {"annotations", "logprobs", "created_by", "parsed", "parsed_arguments"}
ID_COUNTS = {"reasoning", "item_reference", "web_search_call", "future_item"}


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in NOT_COMPARED:
                yield from _leaves(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _leaves(member, (*path, index))
    elif value is not None:
        yield path


def _edited(value: Any) -> Any:
    if isinstance(value, str):
        return value + "~"
    return (not value) if isinstance(value, bool) else value + 1


def _apply(input_items: list[Body], path: tuple[Any, ...]) -> list[Body]:
    edited = deepcopy(input_items)
    place: Any = edited
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = _edited(place[path[-1]])
    return edited


def _is_semantic(input_items: list[Body], path: tuple[Any, ...], sent: int) -> bool:
    """An id that nothing refers to may differ in what a client sent long ago; all else counts."""
    item = input_items[path[0]]
    if path[1:] == ("id",):
        kind = item.get("type")
        anchored = kind in ID_COUNTS and not item.get("encrypted_content")
        return anchored or (path[0] >= sent and kind not in ("compaction", "function_call_output"))
    return True


@settings(max_examples=600)
@given(st.data())
def test_no_single_edit_of_a_value_is_ever_continued(data: st.DataObject) -> None:
    """Any edited text, argument, id that counts, role, type or status makes another history."""
    _, body, output, following = data.draw(st.sampled_from(REPLAYS))
    length = len(body["input"]) + len(output)
    prefix = following["input"][:length]
    paths = [p for p in _leaves(prefix) if _is_semantic(prefix, p, len(body["input"]))]
    path = data.draw(st.sampled_from(paths))
    edited = {**following, "input": _apply(prefix, path) + following["input"][length:]}
    assert held_items(chain_after(body, output), turn_of(edited)) is None


@settings(max_examples=300)
@given(st.data())
def test_no_change_of_structure_is_ever_continued(data: st.DataObject) -> None:
    """A dropped, doubled, swapped, inserted or retyped item makes another history."""
    _, body, output, following = data.draw(st.sampled_from(REPLAYS))
    length = len(body["input"]) + len(output)
    prefix, new = following["input"][:length], following["input"][length:]
    at = data.draw(st.integers(0, length - 1))
    kind = data.draw(st.sampled_from(["drop", "double", "swap", "insert", "retype"]))
    edited = _restructure(prefix, at, kind)
    # What stands twice at the very end is no edit of the prefix but a new item.
    assume(edited[:length] != prefix)
    thoughts = [n for n, item in enumerate(output, len(body["input"])) if is_reasoning(item)]
    assume((kind, [at]) != ("drop", thoughts))
    changed = {**following, "input": edited + new + [{"role": "user", "content": "and?"}] * 2}
    assert held_items(chain_after(body, output), turn_of(changed)) is None


def is_reasoning(item: Body) -> bool:
    return bool(item["type"] == "reasoning")


def _restructure(prefix: list[Body], at: int, kind: str) -> list[Body]:
    extra = {"role": "user", "content": "inserted"}
    following = (at + 1) % len(prefix)
    match kind:
        case "drop":
            return prefix[:at] + prefix[at + 1 :]
        case "double":
            return prefix[: at + 1] + prefix[at:]
        case "swap":
            swapped = list(prefix)
            swapped[at], swapped[following] = prefix[following], prefix[at]
            return swapped
        case "insert":
            return [*prefix[:at], extra, *prefix[at:]]
        case _:
            return [*prefix[:at], {**prefix[at], "type": "message_"}, *prefix[at + 1 :]]


HISTORY = [
    {"role": "user", "content": "What is in a.txt?"},
    {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
]
OUTPUT = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "look"}],
        "encrypted_content": "E1",
    },
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "phase": "commentary",
        "status": "completed",
        "content": [{"type": "output_text", "text": "One moment.", "annotations": []}],
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "read",
        "arguments": '{"path":"a.txt","line":1.50}',
        "status": "completed",
    },
]
NEW = [{"type": "function_call_output", "call_id": "call_1", "output": "42"}]


def _with(index: int, **changes: Any) -> list[Body]:
    edited = deepcopy(HISTORY + OUTPUT)
    for name, value in changes.items():
        if value is ...:
            del edited[index][name]
        else:
            edited[index][name] = value
    return edited


TWENTY_EDITS = {
    "user text": _with(0, content="What is in b.txt?"),
    "user text trimmed": _with(0, content="What is in a.txt? "),
    "user role": _with(0, role="developer"),
    "image": _with(1, content=[{"type": "input_image", "image_url": "v"}]),
    "image detail": _with(1, content=[{"type": "input_image", "image_url": "u", "detail": "low"}]),
    "image to text": _with(1, content="u"),
    "reasoning content": _with(2, encrypted_content="E2"),
    "reasoning id": _with(2, id="rs_2"),
    "reasoning anchors dropped": _with(2, encrypted_content=..., id=...),
    "reasoning summary": _with(2, summary=[{"type": "summary_text", "text": "see"}]),
    "message left out": HISTORY + OUTPUT[:1] + OUTPUT[2:],
    "assistant text": _with(3, content="One moment!"),
    "assistant phase": _with(3, phase="final_answer"),
    "assistant cut short": _with(3, status="incomplete"),
    "assistant refusal": _with(3, content=[{"type": "refusal", "refusal": "One moment."}]),
    "call name": _with(4, name="write"),
    "call id": _with(4, call_id="call_2"),
    "call namespace": _with(4, namespace="fs"),
    "argument value": _with(4, arguments='{"path":"b.txt","line":1.50}'),
    "argument number": _with(4, arguments='{"path":"a.txt","line":1.500000000000000001}'),
    "argument type": _with(4, arguments='{"path":"a.txt","line":"1.50"}'),
    "argument key twice": _with(4, arguments='{"path":"a.txt","line":1.50,"line":1.50}'),
    "order": HISTORY[::-1] + OUTPUT,
    "call before message": [*HISTORY, OUTPUT[0], OUTPUT[2], OUTPUT[1]],
}


@pytest.mark.parametrize("edited", TWENTY_EDITS.values(), ids=TWENTY_EDITS)
def test_a_deliberate_edit_is_refused(edited: list[Body]) -> None:
    """Each of these looks alike and means something else."""
    chain = chain_after({"input": HISTORY}, OUTPUT)
    assert decide(chain, turn_of({"input": edited + NEW})) is None


def test_the_unedited_history_continues() -> None:
    """The edits above are refused for what they change."""
    decision = decide(
        chain_after({"input": HISTORY}, OUTPUT), turn_of({"input": HISTORY + OUTPUT + NEW})
    )
    assert isinstance(decision, Continue)
    assert (len(HISTORY) + len(OUTPUT)) == decision.start


RESPELLED = {
    "ids dropped": _with(3, id=...),
    "reasoning without id": _with(2, id=...),
    "reasoning without encrypted content": _with(2, encrypted_content=...),
    "reasoning without summary": _with(2, summary=[]),
    "plain text": _with(3, content="One moment.", type=..., status=..., phase=..., id=...),
    "split text": _with(
        3,
        content=[
            {"type": "output_text", "text": "One "},
            {"type": "output_text", "text": "moment."},
        ],
    ),
    "arguments respelled": _with(4, arguments='{ "line": 1.50, "path": "a\\u002etxt" }'),
    "argument number respelled": _with(4, arguments='{"path":"a.txt","line":15e-1}'),
    "nulls and leftovers": _with(
        4, parsed_arguments={"path": "a.txt"}, namespace=None, status=None, created_by="x"
    ),
    "references": [
        *HISTORY,
        {"type": "item_reference", "id": "rs_1"},
        {"type": "item_reference", "id": "msg_1"},
        OUTPUT[2],
    ],
    "user text as part": _with(0, content=[{"type": "input_text", "text": "What is in a.txt?"}]),
    "image detail auto": _with(
        1, content=[{"type": "input_image", "image_url": "u", "detail": "auto"}]
    ),
}


@pytest.mark.parametrize("respelled", RESPELLED.values(), ids=RESPELLED)
def test_another_spelling_of_the_same_continues(respelled: list[Body]) -> None:
    """Fields that clients drop, add or rewrite do not change what a history means."""
    chain = chain_after({"input": HISTORY}, OUTPUT)
    assert isinstance(decide(chain, turn_of({"input": respelled + NEW})), Continue)


def test_a_reference_to_an_unknown_item_matches_nothing() -> None:
    """An id that this chain does not hold at that place proves nothing."""
    chain = chain_after({"input": HISTORY}, OUTPUT)
    foreign = [*HISTORY, {"type": "item_reference", "id": "rs_9"}, *OUTPUT[1:], *NEW]
    assert decide(chain, turn_of({"input": foreign})) is None


def test_items_count_in_the_form_in_which_the_client_sent_them() -> None:
    """Once replayed in its own spelling, a client is recognised by that spelling for good."""
    first = chain_after({"input": HISTORY}, OUTPUT)
    second_input = RESPELLED["plain text"] + NEW
    decision = decide(first, turn_of({"input": second_input}))
    assert isinstance(decision, Continue)
    answer = [{"type": "message", "role": "assistant", "id": "msg_2", "content": "It is 42."}]
    second = chain_after({"input": second_input}, answer, decision.chain)
    third_input = second_input + answer + [{"role": "user", "content": "Thanks"}]
    spaced = json.dumps({"model": "m", "input": third_input}, indent=2).encode()
    assert isinstance(decide(second, turn_of({"input": third_input})), Continue)
    assert isinstance(decide(second, decode_request(spaced)), Continue)
