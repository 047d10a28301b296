"""The reference page names everything that exists, and nothing that does not."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from longwire.emulator import Fault, Options, Script
from longwire.emulator.chat.vendors import VENDORS
from longwire.emulator.faults import Act, Point
from longwire.emulator.oddities import ODDITIES
from longwire.emulator.options import Vendor

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "emulator.md"


def names(heading):
    """The first column of the table below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {name for line in section.splitlines() for name in re.findall(r"^\| `(\w+)`", line)}


EXISTING = {
    "Chat Completions": {*get_args(Vendor)},
    "Settings": {field.name for field in msgspec.structs.fields(Options)},
    "Script": {field.name for field in msgspec.structs.fields(Script)},
    "Fault fields": {field.name for field in msgspec.structs.fields(Fault)},
    "Fault points": set(get_args(Point)),
    "Fault acts": set(get_args(Act)),
    "Error shapes": set("abcdefghijk"),
}


@pytest.mark.parametrize(("heading", "existing"), EXISTING.items())
def test_table_names_all_that_exists(heading, existing):
    """Each table of the page is complete."""
    assert existing == names(heading)


def test_oddities_are_described_in_their_own_words():
    """Each stands on the page with the sentence that the command shows, and in its order."""
    rows = [f"| `{name}` | {each.sentence} |" for name, each in ODDITIES.items()]
    text = PAGE.read_text(encoding="utf-8").partition("## Oddities\n")[2].partition("\n## ")[0]
    assert rows == [line for line in text.splitlines() if line.startswith("| `")]


def test_each_vendor_has_its_row_of_traits():
    """What `chat_vendor` takes is what there is."""
    assert set(get_args(Vendor)) == set(VENDORS)
