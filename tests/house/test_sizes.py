"""Nothing grows past what one reading holds, and every name says what it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "longwire"
MODULES = sorted(SOURCE.rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 40
PARAMETERS = 6
NESTING = 3
CORE_LINES = 7_350  # decision 0033
GATEWAY_LINES = 78_500  # decision 0033
EMULATOR_LINES = 10_000  # decision 0031, with the demo

# Bases a class may have. Errors, and classes below them, are found by themselves.
BASES = {
    "BaseModel",  # pydantic reads the keys of a section from its class
    "Section",  # the one rule of all sections: unknown keys are errors
    "Enum",
    "IntEnum",
    "StrEnum",
    "Generic",
    "NamedTuple",
    "Protocol",
    "TypedDict",
    "Struct",  # msgspec decodes into classes
    "GraphQL",  # strawberry asks a subclass of its view for the context of a request
    "NameConverter",  # likewise for how attributes are named in the schema
    "Schema",  # likewise for what is told of an error
    "SchemaExtension",  # likewise for what a query may be at most
    "WebSocketsSansIOProtocol",  # uvicorn asks for it to change what it answers
    "HttpToolsProtocol",  # likewise
    "OTLPSpanExporter",  # OpenTelemetry's threads hand what is sent to one of its own exporters
    "MetricExporter",  # likewise
}
BANNED = {
    *("manager", "helper", "helpers", "util", "utils", "common", "misc", "processor"),
    *("mixin", "impl", "data", "info", "smart"),
}
BANNED_PREFIXES = ("do", "process", "handle")
# Names that somebody else's interface asks for: asyncio.Protocol, strawberry.Schema, uvicorn.
GIVEN_NAMES = {"data_received", "process_errors", "handle_ping", "handle_websocket_upgrade"}

# Files that may catch everything without raising it again, each with its reason.
CATCHES_ALL: dict[str, str] = {
    "server/problems.py": "the server's edge: a bug is answered with 500 and logged",
    "server/data/turns.py": "likewise for a turn, whose stream may be under way",
    "server/data/lane_turns.py": "likewise for a turn over WebSocket",
    "server/data/sockets.py": "likewise for a message over WebSocket",
    "server/data/upgrade.py": "likewise for an upgrade",
    "server/signals.py": "the edge of a process: what a part fails with is logged, then it ends",
    "upstream/notices/send.py": "what fails in it costs one delivery, not the process",
    "relay/homes.py": "a read in a task of its own: what fails in it costs a home, not the process",
}

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def size_problems(source: str) -> Iterator[str]:
    """What is too long, too wide or too deep in one module."""
    if source.count("\n") > MODULE_LINES:
        yield f"{source.count(chr(10))} lines, at most {MODULE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            yield from function_problems(node)


def function_problems(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """What is too long, too wide or too deep in one function."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    given = function.args
    parameters = [arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    count = len([name for name in parameters if name not in {"self", "cls"}])
    figures = (
        (lines, FUNCTION_LINES, "lines"),
        (count, PARAMETERS, "parameters"),
        (depth(function.body), NESTING, "levels"),
    )
    for figure, limit, unit in figures:
        if figure > limit:
            yield f"{function.name}: {figure} {unit}, at most {limit}"


def depth(body: list[ast.stmt]) -> int:
    """How many blocks stand inside each other; `elif` is no level of its own."""
    return max((block_depth(statement) for statement in body), default=0)


def block_depth(statement: ast.stmt) -> int:
    """How many blocks a statement opens, itself included."""
    if not isinstance(statement, BLOCKS):
        return 0
    inside = [block for _, block in ast.iter_fields(statement) if isinstance(block, list)]
    deeper = [depth([s for s in block if isinstance(s, ast.stmt)]) for block in inside]
    branches = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
    deeper += [depth(branch.body) for branch in branches]
    orelse = getattr(statement, "orelse", [])
    if isinstance(statement, ast.If) and len(orelse) == 1 and isinstance(orelse[0], ast.If):
        return max(1 + depth(statement.body), block_depth(orelse[0]))
    return 1 + max(deeper, default=0)


def classes(source: str) -> Iterator[tuple[str, list[str]]]:
    """Each class with the last names of its bases."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
            yield node.name, [ast.unparse(base).rpartition(".")[2] for base in bases]


def inheritance_problems(sources: list[str]) -> list[str]:
    """Classes with a base that is neither an error nor on the list."""
    every = [found for source in sources for found in classes(source)]
    errors = {"Exception", "BaseException", "ValueError", "OSError"}
    for _ in every:
        errors |= {name for name, bases in every if errors & set(bases)}
    return [
        f"{name}({base})" for name, bases in every for base in bases if base not in BASES | errors
    ]


def words(name: str) -> list[str]:
    """The words of a name in either spelling: `open_turn`, `OpenTurn`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def name_problems(module: str, source: str) -> Iterator[str]:
    """Names that say nothing, of the module and of what it defines."""
    named = (*FUNCTIONS, ast.ClassDef)
    names = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, named)]
    for name in [module, *names]:
        parts = words(name) or [""]
        prefixed = len(parts) > 1 and parts[0] in BANNED_PREFIXES
        if name not in GIVEN_NAMES and (BANNED & set(parts) or prefixed or parts[-1] == "service"):
            yield f"{name}: a banned word"


def catches_all(source: str) -> bool:
    """True where `except Exception`, `BaseException` or a bare `except` does not raise again."""
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    swallow = [handler for handler in handlers if ast.unparse(handler.body[-1]) != "raise"]
    named = [ast.unparse(handler.type) if handler.type else "Exception" for handler in swallow]
    return any(re.search(r"\b(Base)?Exception\b", kind) for kind in named)


def lines_below(*folder: str) -> int:
    """All lines of Python below a folder of the source."""
    modules = SOURCE.joinpath(*folder).rglob("*.py")
    return sum(path.read_text(encoding="utf-8").count("\n") for path in modules)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_keeps_the_limits(path):
    """Every module, function and name keeps the limits of the house."""
    source = path.read_text(encoding="utf-8")
    problems = [*size_problems(source), *name_problems(path.stem, source)]
    if catches_all(source) and str(path.relative_to(SOURCE)) not in CATCHES_ALL:
        problems.append("catches every exception; name those that are expected")
    assert problems == []


def test_classes_are_not_inherited():
    """A class has no base but for errors and what a library reads from a class."""
    assert inheritance_problems([path.read_text(encoding="utf-8") for path in MODULES]) == []


def test_the_whole_stays_small():
    """The rules fit one sitting, and the whole program a day."""
    assert lines_below("core") <= CORE_LINES
    beside = lines_below("emulator") + lines_below("demo")
    assert lines_below() - beside <= GATEWAY_LINES
    assert beside <= EMULATOR_LINES


LONG_FUNCTION = "def f():\n" + "    a = 1\n" * FUNCTION_LINES
DEEP = "def f():\n" + "".join(" " * (n + 1) + "if a:\n" for n in range(4)) + " " * 5 + "b()\n"
DEEP_CASE = "def f():\n match a:\n  case 1:\n   for b in c:\n    with d:\n     if e:\n      pass\n"
CHAIN = "def f():\n if a: pass\n" + " elif b: pass\n" * 5 + " else: pass\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1\n" * (MODULE_LINES + 1), ["401 lines, at most 400"]),
        (LONG_FUNCTION, ["f: 41 lines, at most 40"]),
        ("def f(a, b, c, d, e, f, *, g): pass", ["f: 7 parameters, at most 6"]),
        ("class A:\n def f(self, a, b, c, d, e, f): pass", []),
        (DEEP, ["f: 4 levels, at most 3"]),
        (DEEP_CASE, ["f: 4 levels, at most 3"]),
        (CHAIN, []),
    ],
)
def test_sizes_can_fail(source, expected):
    """Each limit notices what is one past it."""
    assert list(size_problems(source)) == expected


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("turn", "class TurnManager: pass", True),
        ("turn", "def handle_turn(): pass", True),
        ("turn", "class TurnService: pass", True),
        ("http_utils", "", True),
        ("turn", "def data_received(): pass", False),
        ("database", "def informed(): pass", False),
    ],
)
def test_names_can_fail(module, source, wrong):
    """A banned word is found in any name, and only as a whole word."""
    assert bool(list(name_problems(module, source))) == wrong


def test_inheritance_can_fail():
    """A base off the list is found; errors may have errors as bases, in any order."""
    fine = "class B(A): pass\nclass A(ValueError): pass\nclass C(Protocol[int]): pass"
    assert inheritance_problems([fine]) == []
    assert inheritance_problems(["class Pool: pass\nclass Big(Pool): pass"]) == ["Big(Pool)"]


@pytest.mark.parametrize("caught", ["", " Exception", " (OSError, BaseException)"])
def test_catching_all_can_fail(caught):
    """Every spelling of catching everything is found."""
    assert catches_all(f"try:\n a()\nexcept{caught}:\n pass")
    assert not catches_all(f"try:\n a()\nexcept{caught}:\n b()\n raise")
    assert not catches_all("try:\n a()\nexcept OSError:\n pass")
