"""A name says what it holds, as `message`, `row` and `headers` do: no word that fits everything."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "longwire"

EMPTY_NAMES = {"told", "given", "asked", "made"}

# How many are left by folder; a bound only ever sinks. A folder that is not here has none.
BOUNDS = {
    "store": 1,
}


def empty_names(source: str) -> Iterator[tuple[int, str]]:
    """Line and spelling of each name that says nothing, those inside f-strings included."""
    for node in ast.walk(ast.parse(source)):
        for field, value in ast.iter_fields(node):
            is_name = isinstance(value, str) and not isinstance(node, ast.Constant)
            if is_name and field != "type_comment" and value.strip("_") in EMPTY_NAMES:
                yield getattr(node, "lineno", 0), value


def places_by_folder(source: Path) -> dict[str, list[str]]:
    """Where such names stand: `module:line name`, by the folder below the source."""
    found: dict[str, list[str]] = {}
    for path in sorted(source.rglob("*.py")):
        folder = path.parent.relative_to(source).as_posix()
        for line, name in empty_names(path.read_text(encoding="utf-8")):
            found.setdefault(folder, []).append(f"{path.name}:{line} {name}")
    return found


def past_bounds(found: dict[str, list[str]], bounds: dict[str, int]) -> dict[str, list[str]]:
    """The folders that hold more of them than their bound, with where they stand."""
    return {
        folder: [f"{len(places)}, at most {bounds.get(folder, 0)}", *places]
        for folder, places in found.items()
        if len(places) > bounds.get(folder, 0)
    }


def test_names_say_what_they_hold():
    """No folder has more names that fit everything than it had; most have none."""
    assert {} == past_bounds(places_by_folder(SOURCE), BOUNDS)


def test_each_bound_is_of_a_folder():
    """A folder that was moved takes its bound along."""
    assert [] == [folder for folder in BOUNDS if not (SOURCE / folder).is_dir()]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("told = 1", ["told"]),
        ("a._made = a.asked_", ["_made", "asked_"]),
        ("def given(asked, *, __told=1): pass", ["__told", "asked", "given"]),
        ("f(made=1)", ["made"]),
        ("f'{told.x}'", ["told"]),
        ("from a import b as made", ["made"]),
        ("with a as told: pass", ["told"]),
        ("made_at = a['told']  # given", []),
        ("'told'", []),
    ],
)
def test_names_can_fail(source, expected):
    """Each kind of name is found, underscored or not; a text, a comment, a longer name is not."""
    assert expected == sorted(name for _, name in empty_names(source))


def test_bounds_can_fail(tmp_path):
    """One name past the bound of its folder is shown with its place; at the bound it is not."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "rows.py").write_text("a = 1\ntold = a\n", encoding="utf-8")
    found = places_by_folder(tmp_path)
    assert {} == past_bounds(found, {"store": 1})
    assert {"store": ["1, at most 0", "rows.py:2 told"]} == past_bounds(found, {})
