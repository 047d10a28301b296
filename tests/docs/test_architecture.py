"""The page on architecture leads into the code as it is."""

import functools
import io
import re
import tokenize
from pathlib import Path

import pytest

from longwire.core.rules.recovery import Trouble
from longwire.dialects.ports import ErrorRule
from tests.house.test_way_of_a_turn import MOST_CLASSES, MOST_MODULES

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "longwire"
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
ROOM = re.compile(r"^\| `([\w/]+)` \|", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?<![\w/.-])[\w.-]+(?:/[\w.-]+)+")
NAME = re.compile(r"[A-Za-z_]\w*")
STEP = re.compile(r"\| \d+ \| `|\d+\. ")
EXAMPLE = re.compile(r"^ *```python\n(.*?)```", re.MULTILINE | re.DOTALL)
TEXTS = {".py", ".ts", ".tsx", ".json", ".md", ".toml"}
INVENTED = {"tool_calls", "m0006_tool_calls"}
"""Names of the examples, which are not there so far."""


def found(path):
    """The file or folder that a path of the page names, below the source or the checkout."""
    return next((base / path for base in (SOURCE, ROOT) if (base / path).exists()), None)


def missing_paths(text):
    """Paths of a page that lead nowhere, those in commands included."""
    paths = [path for code in CODE.findall(text) for path in PATH.findall(code)]
    return [path for path in dict.fromkeys(paths) if found(path) is None]


def rooms():
    """The folders of the source that hold modules."""
    modules = SOURCE.rglob("*.py")
    return {path.parent.relative_to(SOURCE).as_posix() for path in modules} - {"."}


def steps(text):
    """The page line by line, each with what is indented below it: a step is one of them."""
    return re.split(r"^(?=\S)", text, flags=re.MULTILINE)


def names(step):
    """What is spelt as code: no paths, no files, no commands."""
    for code in CODE.findall(step):
        if "/" not in code and not code.startswith(("python ", "npm ", "longwire ")):
            yield from (name for name in NAME.findall(code) if name not in INVENTED)


def spelt(file):
    """The words of a file; of Python those of its names and short strings, but no prose."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        kept = (each.string for each in tokens if each.type in (tokenize.NAME, tokenize.STRING))
        text = " ".join(each for each in kept if '"""' not in each)
    return NAME.findall(text)


@functools.cache
def words(place):
    """What is spelt in a file, or in every file of a folder."""
    files = [place] if place.is_file() else [each for each in place.rglob("*.*") if each.is_file()]
    return {word for each in files if each.suffix in TEXTS for word in spelt(each)}


def missing_names(text):
    """Names that are not where a page says, each with the first words of its step.

    A row of a journey and a numbered step have theirs in a file that they name; what stands
    elsewhere is anywhere in the source.
    """
    for step in steps(text):
        paths = [found(path) for code in CODE.findall(step) for path in PATH.findall(code)]
        named = [path for path in paths if path is not None] if STEP.match(step) else []
        places = named or [SOURCE, ROOT / "ui" / "src"]
        for name in names(step):
            if all(name not in words(place) for place in places):
                yield name, " ".join(step.split()[:4])


def test_every_path_exists():
    """Whoever follows the page finds each file and folder that it names."""
    assert missing_paths(PAGE.read_text(encoding="utf-8")) == []


def test_every_room_has_its_line():
    """The table of rooms has each folder of the source, and no other."""
    named = set(ROOM.findall(PAGE.read_text(encoding="utf-8")))
    assert rooms() - {"store/migrations/versions"} == named


def test_every_name_is_where_the_page_says():
    """A class, function, field or table that a step names stands in a file of that step."""
    text = PAGE.read_text(encoding="utf-8")
    assert sum(STEP.match(step) is not None for step in steps(text)) > 35
    assert list(missing_names(text)) == []


def test_the_length_of_the_way_is_told():
    """The figures of the page are the bounds that a turn is held to."""
    figures = f"passes {MOST_MODULES} modules and {MOST_CLASSES} classes"
    assert figures in PAGE.read_text(encoding="utf-8")


def test_a_worked_example_runs():
    """What a reader copies from the page is taken by the code as it is now."""
    (example,) = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    rule = eval(example.strip(), {"ErrorRule": ErrorRule, "Trouble": Trouble})  # noqa: S307 - our own page
    assert isinstance(rule, ErrorRule)


@pytest.mark.parametrize(
    ("text", "paths", "missing"),
    [
        ("`core/gone.py` `docs/index.md` `POST /v1/x`", ["core/gone.py"], []),
        ("`python docs/gone.py`", ["docs/gone.py"], []),
        ("| 1 | `core/sse.py` | `Decoder.feed`, `Gone` |", [], [("Gone", "| 1 | `core/sse.py`")]),
        (
            "1. `core/sse.py`:\n   `Principal`.",
            [],
            [("Principal", "1. `core/sse.py`: `Principal`.")],
        ),
        ("1. `core/sse.py`\n\nIn prose `Principal`.", [], []),
        ("In prose `is_nowhere=True`.", [], [("is_nowhere", "In prose `is_nowhere=True`.")]),
    ],
)
def test_checks_can_fail(text, paths, missing):
    """A path and a name that are gone are found; a name of elsewhere is found in a step."""
    assert (paths, missing) == (missing_paths(text), list(missing_names(text)))
