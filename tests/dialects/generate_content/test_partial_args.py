"""Arguments of calls that come in pieces."""

import json

import pytest

from tests.dialects.generate_content.calls import Json, chunk, read, reading, response


def arguments_of(*pieces: Json) -> str:
    """What a call is made with whose arguments come one piece in a chunk."""
    begun: Json = {"functionCall": {"name": "f", "willContinue": True}}
    parts = [{"functionCall": {"partialArgs": [each], "willContinue": True}} for each in pieces]
    [item] = response(read(*(chunk(each) for each in (begun, *parts)), chunk(finish="STOP")))[
        "output"
    ]
    return str(item["arguments"])


def test_texts_come_piece_by_piece() -> None:
    """The pieces of one text stand behind each other, each at its own path."""
    assert arguments_of(
        {"jsonPath": "$.a", "stringValue": "x", "willContinue": True},
        {"jsonPath": "$.a", "stringValue": "y", "willContinue": True},
        {"jsonPath": "$.a", "stringValue": ""},
        {"jsonPath": "$.b", "stringValue": "z"},
    ) == '{"a":"xy","b":"z"}'  # fmt: skip


def test_numbers_keep_their_digits() -> None:
    """What is a number is written as it came."""
    call = b'{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.n","numberValue":1.50}]}}'
    body = b'{"responseId":"r","candidates":[{"finishReason":"STOP","content":{"parts":[%b]}}]}'
    [item] = response(reading().whole(body % call))["output"]
    assert item["arguments"] == '{"n":1.50}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.a", {"a": 1}),
        ("$.a.b", {"a": {"b": 1}}),
        ("$.a[0].b", {"a": [{"b": 1}]}),
        ("$['a b'].c", {"a b": {"c": 1}}),
        ('$["x"][0][0]', {"x": [[1]]}),
        ("$.a[7]", {"a": [1]}),
        ("$", {}),
        ("$" + ".a" * 65, {}),
    ],
)
def test_paths_lead_where_they_say(path: str, expected: Json) -> None:
    """Names in both spellings and places in arrays; no path makes more than it has steps."""
    assert json.loads(arguments_of({"jsonPath": path, "numberValue": 1})) == expected


def test_other_values_are_what_they_are() -> None:
    """True, false and null need no digits."""
    pieces = [
        {"jsonPath": "$.a", "boolValue": True},
        {"jsonPath": "$.b", "boolValue": False},
        {"jsonPath": "$.c", "nullValue": "NULL_VALUE"},
    ]
    assert json.loads(arguments_of(*pieces)) == {"a": True, "b": False, "c": None}


def test_a_call_that_is_never_closed_is_whole_all_the_same() -> None:
    """The next call, a text or the end closes it."""
    begun: Json = {"functionCall": {"name": "f", "willContinue": True}}
    parts = ({"functionCall": {"name": "g"}}, {"text": "a"})
    for following in parts:
        first, *_ = response(read(chunk(begun), chunk(following, finish="STOP")))["output"]
        assert (first["name"], first["arguments"]) == ("f", "{}")
