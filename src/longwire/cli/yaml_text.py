"""Values put into YAML of the plain form: names at the left edge, lists of tables below them.

All else keeps its bytes, comments too. Law: what is written in a form that is not surely
understood, as `{a: 1}`, an anchor or a value over several lines, is refused and not changed.
"""

import json
import re
from collections.abc import Mapping, Sequence

Entry = Mapping[str, str]
_EDGE = re.compile(r"[\w.-]+:(?:\s|$)|- |-$|#|---\s*$")
_VALUE = re.compile(
    r"""(?:\s+(?:[^\s#&*!|>"'{[][^#]*?|"[^"\\]*"|'[^']*'))?\s*(?P<comment>(?<=\s)#.*)?$"""
)
_NO_ENTRIES = re.compile(r"\s*(?:\[\s*])?\s*(?:#.*)?$")
_WORD = r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)[A-Za-z]\w*"
_PLAIN = re.compile(
    rf"{_WORD}|[A-Za-z][\w.]*(?:(?:://|[/:-])[\w.]+)+|\$\{{\{{ [\w.]+ }}}}|\d+\.\d+\.\d+"
)


def rendered(values: Mapping[str, str | Sequence[Entry]]) -> str:
    """Return a new file."""
    lines: list[str] = []
    for name, value in values.items():
        if isinstance(value, str):
            lines.append(_line(name, value))
        else:
            lines += [f"{name}:\n", *(line for entry in value for line in _item(entry, "  "))]
    return "".join(lines)


def check(text: str) -> None:
    """Raise `ValueError` for a text that is not of the plain form."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip(" ").startswith("\t"):
            msg = f"line {number} begins with a tab"
            raise ValueError(msg)
        if line.strip() and not line.startswith(" ") and not _EDGE.match(line):
            msg = f"line {number} is no name with a value: {line.strip()[:40]}"
            raise ValueError(msg)


def merged(text: str, values: Mapping[str, str | Sequence[Entry]]) -> str:
    """Return a text with values put in; an entry is put into the one of its `name`, if it is there.

    Raises `ValueError` where it cannot.
    """
    if not text.strip():
        return rendered(values)
    lines = text.splitlines(keepends=True)
    lines[-1] += "" if lines[-1].endswith("\n") else "\n"
    for name, value in values.items():
        if isinstance(value, str):
            lines = _with_value(lines, name, value)
        else:
            for entry in value:
                lines = _with_entry(lines, name, entry)
    return "".join(lines)


def _line(name: str, value: str) -> str:
    shown = value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return f"{name}: {shown}\n"


def _item(entry: Entry, indent: str) -> list[str]:
    first, *rest = (_line(name, value) for name, value in entry.items())
    return [f"{indent}- {first}", *(f"{indent}  {line}" for line in rest)]


def _with_value(lines: list[str], name: str, value: str, edge: str = "") -> list[str]:
    """Put a value into the table that begins at an edge and is all there is."""
    start = f"{edge}{name}:"
    places = [number for number, line in enumerate(lines) if line.startswith(start)]
    if not places:
        end = _end(lines, 0) if edge else len(lines)
        return [*lines[:end], f"{edge}{_line(name, value)}", *lines[end:]]
    at = places[0]
    below = lines[at + 1] if at + 1 < len(lines) else ""
    is_deeper = below.strip() and below.startswith((f"{edge} ", f"{edge}- "))
    found = _VALUE.match(lines[at].rstrip()[len(start) :])
    if len(places) > 1 or is_deeper or not found:
        raise _other_form(name)
    comment = f"  {found['comment']}" if found["comment"] else ""
    changed = f"{edge}{_line(name, value).rstrip()}{comment}\n"
    return [*lines[:at], changed, *lines[at + 1 :]]


def _with_entry(lines: list[str], name: str, entry: Entry) -> list[str]:
    """Put an entry into the list of a name, in the place of an older one or at the end."""
    places = [number for number, line in enumerate(lines) if line.startswith(f"{name}:")]
    if not places:
        return [*lines, f"{name}:\n", *_item(entry, "  ")]
    at = places[0]
    end = _end(lines, at)
    body = [number for number in range(at + 1, end) if not lines[number].lstrip().startswith("#")]
    first = re.match(r" *(?=- )", lines[body[0]]) if body else None
    is_list = _NO_ENTRIES.match(lines[at].rstrip()[len(name) + 1 :])
    if len(places) > 1 or not is_list or (body and (first is None or "[" in lines[at])):
        raise _other_form(name)
    if first is None:
        return [*lines[:at], f"{name}:\n", *lines[at + 1 : end], *_item(entry, "  "), *lines[end:]]
    starts = [number for number in body if lines[number].startswith(f"{first[0]}- ")]
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        edge = f"{first[0]}  "
        table = [edge + lines[start][len(edge) :], *lines[start + 1 : stop]]
        if any(re.match(rf"{edge}name:\s+[\"']?{entry['name']}[\"']?\s", line) for line in table):
            for key, value in entry.items():
                table = _with_value(table, key, value, edge)
            table[0] = f"{first[0]}- {table[0][len(edge) :]}"
            return [*lines[:start], *table, *lines[stop:]]
    return [*lines[:end], *_item(entry, first[0]), *lines[end:]]


def _end(lines: Sequence[str], at: int) -> int:
    """Return where what begins in a line ends: before the next name at the left edge.

    Blank lines and comments at its end are left out.
    """
    end = at + 1
    for number in range(at + 1, len(lines)):
        if lines[number].strip() and not lines[number].startswith((" ", "- ", "-\n", "#")):
            break
        if lines[number].strip() and not lines[number].startswith("#"):
            end = number + 1
    return end


def _other_form(name: str) -> ValueError:
    return ValueError(f"{name} is written in another form; change it by hand, or remove it first")
