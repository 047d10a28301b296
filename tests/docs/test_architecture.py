"""The page on architecture leads into the code as it is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "longwire"
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+)`")
ROOM = re.compile(r"^\| `([\w/]+)` \|", re.MULTILINE)
STEP = re.compile(r"^\| \d+ \| `([\w/.]+\.py)` \| (.*) \|$", re.MULTILINE)
NAMED = re.compile(r"`([A-Za-z_.]+)`")


def missing_paths(text):
    """Paths of a page that lead nowhere."""
    paths = dict.fromkeys(PATH.findall(text))
    return [path for path in paths if not any((base / path).exists() for base in (SOURCE, ROOT))]


def rooms():
    """The folders of the source that hold modules."""
    modules = SOURCE.rglob("*.py")
    return {path.parent.relative_to(SOURCE).as_posix() for path in modules} - {"."}


def missing_names(text):
    """Names that a step of a journey uses and its module does not hold, each with its module."""
    for module, cell in STEP.findall(text):
        source = (SOURCE / module).read_text(encoding="utf-8")
        for name in NAMED.findall(cell):
            if any(re.search(rf"\b{part}\b", source) is None for part in name.split(".")):
                yield module, name


def test_every_path_exists():
    """Whoever follows the page finds each file and folder that it names."""
    assert missing_paths(PAGE.read_text(encoding="utf-8")) == []


def test_every_room_has_its_line():
    """The table of rooms has each folder of the source, and no other."""
    named = set(ROOM.findall(PAGE.read_text(encoding="utf-8")))
    assert rooms() - {"store/migrations/versions"} == named


def test_every_name_of_a_journey_is_in_its_module():
    """A class or function that a step names stands in the file of that step."""
    text = PAGE.read_text(encoding="utf-8")
    assert len(STEP.findall(text)) > 20
    assert list(missing_names(text)) == []


def test_checks_can_fail():
    """A path and a name that are gone are found."""
    text = "| 1 | `core/sse.py` | `Decoder.feed` and `Gone` |\n`core/gone.py` `docs/index.md`"
    assert missing_paths(text) == ["core/gone.py"]
    assert list(missing_names(text)) == [("core/sse.py", "Gone")]
