"""Every module states its law in a few lines, and everything public says what it is."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "longwire"
MODULES = sorted(SOURCE.rglob("*.py"))
DOCSTRING_LINES = 5


def docstring_problems(source):
    """What is missing or too long, by name."""
    tree = ast.parse(source)
    law = ast.get_docstring(tree)
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [n for n in tree.body if isinstance(n, named) and not n.name.startswith("_")]
    mute = [each for each in public if not ast.get_docstring(each) and not is_in_schema(each)]
    problems = [f"{node.name}: no docstring" for node in mute]
    if not law:
        return ["module: no docstring", *problems]
    if law.count("\n") >= DOCSTRING_LINES:
        return [f"module: a docstring of more than {DOCSTRING_LINES} lines", *problems]
    return problems


def is_in_schema(node):
    """Whether it is a type of the admin API, which says what it is to whoever reads the schema."""
    return any(ast.unparse(each).startswith("strawberry.") for each in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_says_what_it_is(path):
    """A docstring of at most five lines on each module, one on each public name."""
    assert docstring_problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1", ["module: no docstring"]),
        ('"""1\n2\n3\n4\n5\n6"""', ["module: a docstring of more than 5 lines"]),
        ('"""1\n2\n3\n4\n5"""\ndef f(): pass', ["f: no docstring"]),
        ('"""1"""\nclass A: pass\ndef _b(): pass', ["A: no docstring"]),
        ('"""1"""\n@strawberry.type\nclass A: pass\nclass B: pass', ["B: no docstring"]),
    ],
)
def test_docstrings_can_fail(source, expected):
    """What is missing and what is too long is found."""
    assert docstring_problems(source) == expected
