"""Calls in pieces: each value of the arguments by its path, as Gemini streams them when it does."""

from collections.abc import Iterator

from longwire.emulator.events import pieces
from longwire.emulator.items import Item
from longwire.emulator.options import Json, Script


def in_pieces(call: Item, arguments: Json, script: Script) -> Iterator[Item]:
    """`functionCall` members: its name first, an empty one at the end."""
    yield call | {"willContinue": True}
    for path, value in leaves(arguments, "$"):
        for part in of_value(path, value, script):
            yield {"partialArgs": [part], "willContinue": True}
    yield {}


def leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """The values in a JSON value that hold no others, each with its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def of_value(path: str, value: Json, script: Script) -> Iterator[Item]:
    """One value: a text in pieces that ends with an empty one, anything else whole."""
    if isinstance(value, str):
        for piece in pieces(value, script):
            yield {"jsonPath": path, "stringValue": piece, "willContinue": True}
        yield {"jsonPath": path, "stringValue": ""}
    elif isinstance(value, bool):
        yield {"jsonPath": path, "boolValue": value}
    elif value is None:
        yield {"jsonPath": path, "nullValue": "NULL_VALUE"}
    else:
        yield {"jsonPath": path, "numberValue": value}
