"""What is committed speaks of the project alone, and leaves nothing for later."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Spelt in parts, so that this file does not hold what it looks for.
LEFT_OPEN = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b"
)
ONE_MACHINE = re.compile(
    r"(?<![\w.$}])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me")) + r")/"
)
GENERATED = {"uv.lock"}


def word_problems(text):
    """Lines that put something off, or name a place of one machine."""
    found = enumerate(text.split("\n"), 1)
    return [n for n, line in found if LEFT_OPEN.search(line) or ONE_MACHINE.search(line)]


def tracked():
    """Every text that is committed, or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in sorted(set(listed.split("\0")) - GENERATED - {""}):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in content:
            yield name, content.decode(errors="replace")


@pytest.mark.process
def test_nothing_is_left_open_or_tied_to_a_machine():
    """No note to self and no absolute path of a developer's machine is committed."""
    problems = {name: word_problems(text) for name, text in tracked()}
    assert {name: lines for name, lines in problems.items() if lines} == {}


@pytest.mark.process
def test_the_root_holds_texts_alone():
    """Nothing that a program left where it was started is committed: the root has texts alone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", ":(glob)*"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert [] == [file.name for file in files if file.is_file() and b"\0" in file.read_bytes()]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("# TO" + "DO: later", True),
        ("see /wo" + "rk/notes.md", True),
        ("open('/ro" + "ot/.ssh')", True),
        ("a todo list", False),
        ("https://example.com/work/1", False),
    ],
)
def test_words_can_fail(line, wrong):
    """A note and a path are found; a word of the language and a URL are none."""
    assert bool(word_problems(f"fine\n{line}")) == wrong
