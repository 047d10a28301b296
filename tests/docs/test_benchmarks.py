"""The page of the benchmarks has the figures that other pages refer to."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"
MARKED = re.compile(
    r"^<!-- bench (.+): begin -->\n(.*?)^<!-- bench: end -->$", re.MULTILINE | re.DOTALL
)
ROW = re.compile(r"^\|(?![-| ]+\|$)", re.MULTILINE)


def without_figures(text):
    """Names of the tables that have no row below their head."""
    return [name for name, table in MARKED.findall(text) if len(ROW.findall(table)) < 2]


def test_every_table_has_figures():
    """Marks between which nothing was put would show a reader a heading and no figure."""
    text = PAGE.read_text(encoding="utf-8")
    assert ["fleet"] == [name for name, _ in MARKED.findall(text)]
    assert [] == without_figures(text)


def test_an_empty_table_is_found():
    """A pair of marks with nothing, or with a head alone, is named; one with a row is not."""
    begin, end = "<!-- bench a: begin -->\n", "<!-- bench: end -->\n"
    head, row = "| what |\n|---|\n", "| turns |\n"
    assert ["a"] == without_figures(begin + end)
    assert ["a"] == without_figures(begin + head + end)
    assert [] == without_figures(begin + head + row + end)
