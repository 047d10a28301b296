"""What the documentation says about the code is what the code says."""

import ast
import re
from pathlib import Path

from docs import generate
from longwire.core.rules.continuity import Reason
from longwire.core.rules.exchange import TABLE, Phase
from longwire.core.rules.session import IDENTITY_HEADERS, SESSION_HEADERS
from longwire.dialects.responses.history import NEVER_COMPARED
from longwire.server.admin.schema import schema_text

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "longwire"
ROW = re.compile(r"^\| (?:\S+ \| )?`(\w+)` \|", re.MULTILINE)


def page(name):
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def codes(source):
    """The error codes that a module gives: `code = "…"`, and the table of the server's edge."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.Call(func=ast.Name(id="Problem"), args=[_, ast.Constant(value=code), *_]):
                yield code
            case ast.Assign(targets=[ast.Name(id="_BY_UPSTREAM" | "_BY_ROUTER")]):
                found = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
                yield from (code for code in found if isinstance(code, str))
            case ast.Assign([ast.Name(id="code")], ast.Constant(value=str(code))) if code:
                yield code


def test_the_exchange_is_drawn_from_its_table():
    """The page equals what `python docs/generate.py` writes."""
    text = page("explanation/connection-lifecycle.md")
    assert generate.renewed(text) == text, "run: python docs/generate.py"


def test_errors_and_faults_are_printed_from_their_tables():
    """The pages equal what `python docs/generate.py` writes."""
    errors = page("reference/errors.md")
    assert generate.renewed_errors(errors) == errors, "run: python docs/generate.py"
    assert generate.faults() == page("reference/faults.md"), "run: python docs/generate.py"


def test_members_are_printed_from_their_table():
    """The page equals what `python docs/generate.py` writes."""
    text = page("reference/dialects.md")
    assert generate.renewed_dialects(text) == text, "run: python docs/generate.py"


def test_profiles_are_printed_from_their_tables():
    """The page equals what `python docs/generate.py` writes."""
    text = page("reference/profiles.md")
    assert generate.renewed_profiles(text) == text, "run: python docs/generate.py"


def test_the_drawing_follows_the_table(monkeypatch):
    """A change of the table changes the page."""
    before = generate.generated()
    key = next(key for key in TABLE if key[0] is Phase.STREAMING)
    monkeypatch.setitem(TABLE, key, TABLE[Phase.READY, key[1]])
    assert generate.generated() != before


def test_the_schema_of_the_admin_api_is_current():
    """The file equals what `python docs/generate.py` writes."""
    assert schema_text() == page("reference/schema.graphql"), "run: python docs/generate.py"


def test_the_words_of_the_web_interface_are_current():
    """The module equals what `python docs/generate.py` writes."""
    assert generate.words() == generate.WORDS.read_text(encoding="utf-8"), (
        "run: python docs/generate.py"
    )


def test_the_web_interface_shows_what_setup_prints():
    """The module equals what `python docs/generate.py` writes."""
    assert generate.setups() == generate.SETUPS.read_text(encoding="utf-8"), (
        "run: python docs/generate.py"
    )


def test_every_reason_is_explained():
    """The reference of headers has a row for each reason, and for no other."""
    reasons = page("reference/headers.md").partition("## Reasons")[2]
    assert ROW.findall(reasons) == [reason.value for reason in Reason]


def test_every_error_code_is_explained():
    """The reference of errors has a row for each code of the gateway, and for no other."""
    rooms = [SOURCE / room for room in ("core", "dialects", "upstream", "fleet", "relay", "server")]
    modules = [
        module.read_text(encoding="utf-8") for room in rooms for module in room.rglob("*.py")
    ]
    given = {code for module in modules for code in codes(module)} - {""}
    assert "invalid_api_key" in given
    assert set(ROW.findall(page("reference/errors.md"))) == given | {"http_error"}


def test_what_selects_a_session_is_told():
    """The page on continuity names the headers and the members that the code knows."""
    text = page("explanation/continuity.md")
    names = {*SESSION_HEADERS, *IDENTITY_HEADERS, *NEVER_COMPARED}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
