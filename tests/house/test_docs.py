"""The documentation leads nowhere wrong: links, generated pages, decision records, titles."""

import re
from pathlib import Path

import pytest

from longwire.settings.reference import reference_page

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCS]
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(<?([^)>\s]+)>?[^)]*\)")
SUPERSEDED = re.compile(r"\A# .+\n\nSuperseded\b.*", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def broken_links(page, text):
    """Relative links of a page whose file does not exist."""
    targets = [link.partition("#")[0] for link in LINK.findall(FENCE.sub("", text))]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    return [target for target in relative if not (page.parent / target).exists()]


def gaps(names):
    """Decision records that do not carry the next number."""
    return [name for n, name in enumerate(sorted(names), 1) if not name.startswith(f"{n:04}-")]


def not_later(name, text):
    """What a record names as superseding it and is no record after it; "none" for no name."""
    line = SUPERSEDED.search(text)
    if line is None:
        return []
    return [link for link in LINK.findall(line[0]) or ["none"] if not name < link < "1"]


def has_title(text):
    """True where a page starts with a title."""
    return re.match(r"# \S", text) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page):
    """Every relative link leads to a file."""
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_starts_with_its_title(page):
    """Every page says first what it is about."""
    assert has_title(page.read_text(encoding="utf-8"))


def test_decisions_are_numbered_without_gaps():
    """No decision record is lost, and no number is given twice."""
    assert gaps(path.name for path in (ROOT / "docs" / "decisions").glob("*.md")) == []


def test_a_superseded_decision_names_a_later_one():
    """Who reads a record that stands no more finds the one that does, right below the title."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in records}
    assert [name for name, text in texts.items() if SUPERSEDED.search(text)]
    assert {name: each for name, text in texts.items() if (each := not_later(name, text))} == {}


def test_reference_of_the_configuration_is_current():
    """The page equals what `longwire config reference` prints."""
    page = ROOT / "docs" / "reference" / "configuration.md"
    assert page.read_text(encoding="utf-8") == reference_page()


def test_every_page_is_on_the_map():
    """A reader finds each page from the index, decisions included."""
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text("utf-8"))}
    pages = set(DOCS) - {index}
    assert {str(page.relative_to(ROOT)) for page in pages - linked} == set()


def test_checks_can_fail(tmp_path):
    """A dead link, a gap, a missing title and a wrong successor are found."""
    page = tmp_path / "page.md"
    page.write_text("x", encoding="utf-8")
    text = "[a](page.md) [b](gone.md#x) [c](https://example.com) [d](#here)\n```\n[e](f.md)\n```\n"
    assert broken_links(page, text) == ["gone.md"]
    assert gaps(["0001-a.md", "0003-b.md"]) == ["0003-b.md"]
    assert not has_title("## Second\n")
    assert not_later("0002-b.md", "# B\n\nSuperseded by [1](0001-a.md).\n") == ["0001-a.md"]
    assert not_later("0002-b.md", "# B\n\nSuperseded.\n") == ["none"]
