"""Values put into JSON text: all else keeps its bytes, comments, spacing and trailing commas too.

Law: what comes out says all that the text said before, with the new values in it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r'(?P<gap>\s+|//[^\n]*|/\*.*?\*/)|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"/]+', re.DOTALL
)
_INDENT = re.compile(r"\n([ \t]+)\S")
_CLOSES = ("]", "}")


class _Token(NamedTuple):
    """A word of JSON and where it stands."""

    text: str
    start: int
    end: int


def rendered(values: Mapping[str, object]) -> str:
    """Return a new file."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def check(text: str) -> object:
    """Read JSON that may have comments and trailing commas. Raises `ValueError`."""
    return _loads(_tokens(text))


def merged(text: str, values: Mapping[str, object]) -> str:
    """Return a text with values put in, tables into tables. Raises `ValueError` where it cannot.

    An empty table keeps what is in the one that stands there.
    """
    if not text.strip():
        return rendered(values)
    result = text
    for path, value in _leaves(values):
        result = _put(result, path, value)
    if check(result) != _overlaid(check(text), values):
        msg = "the place of the new values cannot be found; put them in by hand"
        raise ValueError(msg)
    return result


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from (((name, *below), leaf) for below, leaf in _leaves(value))
        else:
            yield (name,), value


def _overlaid(below: Any, above: Any) -> Any:  # noqa: ANN401 - JSON is any tree
    if not isinstance(above, Mapping):
        return above
    own = below if isinstance(below, Mapping) else {}
    return {**own, **{name: _overlaid(own.get(name), value) for name, value in above.items()}}


def _tokens(text: str) -> list[_Token]:
    """Return the words of a text, without what stands between them."""
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            line = text.count("\n", 0, at) + 1
            msg = f"no valid JSON: line {line}"
            raise ValueError(msg)
        if not found["gap"]:
            tokens.append(_Token(found[0], found.start(), found.end()))
        at = found.end()
    return tokens


def _loads(tokens: Sequence[_Token]) -> object:
    """Read words; the comma before a closing bracket is left out, unless it is all there is."""
    words: list[str] = []
    for token in tokens:
        if token.text in _CLOSES and words[-1:] == [","] and words[-2:-1] not in ([], ["["], ["{"]):
            words.pop()
        words.append(token.text)
    return json.loads(" ".join(words))


def _put(text: str, path: Sequence[str], value: object) -> str:
    tokens, at = _tokens(text), 0
    for depth, name in enumerate(path):
        if tokens[at].text != "{":
            msg = f"{'.'.join(path[:depth]) or 'the whole'} is no object; remove it first"
            raise ValueError(msg)
        found = _members(tokens, at).get(name)
        if found is None:
            for below in reversed(path[depth + 1 :]):
                value = {below: value}
            return _inserted(text, tokens, at, f"{json.dumps(name)}: ", value)
        at = found
    if value == {} and tokens[at].text == "{":
        return text
    end = tokens[_end(tokens, at)].end
    return text[: tokens[at].start] + json.dumps(value, ensure_ascii=False) + text[end:]


def _end(tokens: Sequence[_Token], at: int) -> int:
    """Return the last token of the value that begins at one."""
    depth = 0
    while True:
        depth += (tokens[at].text in {"[", "{"}) - (tokens[at].text in _CLOSES)
        if depth == 0:
            return at
        at += 1


def _members(tokens: Sequence[_Token], at: int) -> dict[str, int]:
    """Return where the values of an object begin, by name."""
    members, at = {}, at + 1
    while tokens[at].text != "}":
        members[json.loads(tokens[at].text)] = at + 2
        at = _end(tokens, at + 2) + 1
        at += tokens[at].text == ","
    return members


def _inserted(text: str, tokens: Sequence[_Token], at: int, name: str, value: object) -> str:
    """Return a text with one more member at the end of an object: on a line, if it has lines."""
    closing = _end(tokens, at)
    last, close = tokens[closing - 1], tokens[closing]
    before = text[: last.end] + ("" if last.text in {",", "{"} else ",")
    gap, after = text[last.end : close.start], text[close.start :]
    above, line_end, outer = gap.rpartition("\n")
    if not line_end or outer.strip():
        space = "" if last.text == "{" else " "
        member = f"{name}{json.dumps(value, ensure_ascii=False)}"
        return f"{before}{gap.rstrip()}{space}{member}{gap[len(gap.rstrip()) :]}{after}"
    newline = "\r\n" if "\r\n" in text else "\n"
    unit = found[1] if (found := _INDENT.search(text)) else "  "
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    member = f"{newline}{outer}{unit}".join(lines)
    return f"{before}{above}{line_end}{outer}{unit}{name}{member}{newline}{outer}{after}"
