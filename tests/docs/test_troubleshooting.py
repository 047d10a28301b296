"""The page for those in trouble has the words that they read, and commands that there are."""

import ast
import re
from collections.abc import Iterator

import pytest
import typer

from longwire import cli
from tests.docs.following import HOW_TO, commands, follow, reader
from tests.docs.test_readme import ROOT

PAGE = HOW_TO / "troubleshooting.md"
TEXT = PAGE.read_text(encoding="utf-8")
QUOTED = re.compile(r"^> (?:.*\n> )*.*$", re.MULTILINE)
COMMAND = re.compile(r"(?:`|^|\$ )longwire ([a-z]+(?: [a-z][a-z-]*)*)", re.MULTILINE)


def messages(text):
    """What the page quotes, a message each."""
    quotes = (found[0].removeprefix("> ") for found in QUOTED.finditer(text))
    return [quote.replace("\n> ", " ").strip("`") for quote in quotes]


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module, with … for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values)


@pytest.fixture(scope="module")
def printed():
    """All that the program may print, one after the other."""
    modules = (ROOT / "src" / "longwire").rglob("*.py")
    return "\0".join(each for path in modules for each in texts(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("message", messages(TEXT))
def test_a_message_is_as_it_is_printed(message, printed):
    """Who searches for what they read finds it: each message stands in the code, word by word."""
    assert message in printed


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=lambda page: page.stem)
def test_a_command_of_a_page_is_there(page):
    """Every `longwire …` of the how-tos leads to a command."""
    root = typer.main.get_command(cli.build())
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        command = root
        for word in line.split():
            below = getattr(command, "commands", None)
            if below is None:
                break  # an argument
            assert word in below, f"longwire {line}"
            command = below[word]


@pytest.mark.process
def test_the_first_commands_answer(tmp_path):
    """What comes first works in an empty home, too, once there is a channel."""
    add = "echo sk-any | longwire channels add main --api-key-stdin\n"
    assert "ok " in follow(add + commands(TEXT), tmp_path, reader(tmp_path))
