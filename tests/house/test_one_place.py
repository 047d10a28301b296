"""What is one thing stands in one place: an upstream's error codes, a vendor, a column of the log.

Each is counted in the source by what it says, not by where it stands: code may move. Whoever
gathers something lowers its bound here; a bound is never raised. `pytest -s` prints what was found.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "longwire"

MOST_READERS_OF_CODES = 1
MOST_READERS_OF_STATUSES = 3
MOST_BRANCHES_ON_VENDORS = 0
MOST_FILES_OF_A_COLUMN = 10  # decision 0031: telemetry and the timeline say it, too
"""Bounds that are lowered, never raised."""

APART = {"emulator", "demo", "static"}
"""Folders that are no part of the gateway, or are built."""

CODES = {
    "context_length_exceeded",
    "insufficient_quota",
    "invalid_api_key",
    "invalid_prompt",
    "previous_response_not_found",
    "rate_limit_exceeded",
    "server_is_overloaded",
    "slow_down",
    "token_expired",
    "token_invalidated",
    "token_revoked",
    "usage_limit_reached",
    "usage_not_included",
    "websocket_connection_limit_reached",
}
"""What upstreams say."""
SPEAK_WITH_UPSTREAMS = ("dialects/", "upstream/", "relay/")
ERRORS = range(400, 600)

VENDORS = re.compile(r"_*(is_)?(openai|codex|anthropic|gemini)", re.IGNORECASE)
OF_VENDORS = ("relay/channels/vendors/", "dialects/codex")

COLUMNS = ("reasoning_tokens", "model_served")
GENERATED = {"schema.d.ts", "schema.graphql"}
BESIDE = ("tests", "ui/src", "docs", "bench")
HAND_KEPT = {".py", ".ts", ".tsx", ".json", ".md"}
LABEL = re.compile(r'\bt\("(\w+)"')

Sources = Mapping[str, str]


def sources(folder: Path, *suffixes: str) -> Sources:
    """The texts below a folder by their paths from it, without what is no part of the gateway."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in suffixes and not APART & set(path.relative_to(folder).parts)
    }


def constants(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The names that a module or a class binds at its top, each with its value."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            value = statement.value
            for target in statement.targets:
                targets = target.elts if isinstance(target, ast.Tuple) else [target]
                values = value.elts if isinstance(value, ast.Tuple) else [value] * len(targets)
                for each, its in zip(targets, values, strict=False):
                    yield ast.unparse(each), its


def name_of(node: ast.AST) -> str:
    """The last name by which an expression reads something, "" for none."""
    match node:
        case ast.Name(name, ast.Load()) | ast.Attribute(_, name, ast.Load()):
            return name
        case _:
            return ""


def readers_of_codes(modules: Sources) -> dict[str, list[int]]:
    """The lines where modules name a code of an upstream's error, or a constant that is one.

    A `code=` in a call or a class tells a caller something, and reads nothing.
    """
    trees = {name: ast.parse(source) for name, source in modules.items()}
    bound = {
        name
        for tree in trees.values()
        for name, value in constants(tree)
        if isinstance(value, ast.Constant) and value.value in CODES
    }
    found = {name: sorted(set(lines_of_codes(tree, bound))) for name, tree in trees.items()}
    return {name: lines for name, lines in found.items() if lines}


def lines_of_codes(tree: ast.Module, bound: set[str]) -> Iterator[int]:
    """The lines of one module that name a code."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    outgoing = {word.value for call in calls for word in call.keywords if word.arg == "code"}
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    outgoing |= {value for each in classes for name, value in constants(each) if name == "code"}
    for node in ast.walk(tree):
        is_literal = isinstance(node, ast.Constant) and node.value in CODES
        if (is_literal or name_of(node) in bound) and node not in outgoing:
            yield node.lineno


def readers_of_statuses(modules: Sources) -> dict[str, list[int]]:
    """The lines where those who speak with upstreams compare a status with one of an error."""
    found = {}
    for name, source in modules.items():
        tree = ast.parse(source)
        bound = {title for title, value in constants(tree) if has_errors(value, set())}
        compared = (node for node in ast.walk(tree) if isinstance(node, ast.Compare))
        lines = {node.lineno for node in compared if is_of_status(node, bound)}
        if lines and name.startswith(SPEAK_WITH_UPSTREAMS):
            found[name] = sorted(lines)
    return found


def is_of_status(compare: ast.Compare, bound: set[str]) -> bool:
    """Whether a comparison is one of a status with one of an error."""
    return has_errors(compare, bound) and any(
        name_of(node) == "status" for node in ast.walk(compare)
    )


def has_errors(expression: ast.expr, bound: set[str]) -> bool:
    """Whether an expression has an error's status in it, or a constant that has."""
    return any(
        (isinstance(node, ast.Constant) and type(node.value) is int and node.value in ERRORS)
        or name_of(node) in bound
        for node in ast.walk(expression)
    )


def branches_on_vendors(modules: Sources) -> dict[str, list[int]]:
    """The lines outside the vendors' own files that decide something by which vendor it is."""
    found = {}
    for name, source in modules.items():
        tests = decisions(ast.parse(source))
        lines = {node.lineno for test in tests for node in ast.walk(test) if names_vendor(node)}
        if lines and not name.startswith(OF_VENDORS):
            found[name] = sorted(lines)
    return found


def decisions(tree: ast.Module) -> Iterator[ast.AST]:
    """Every expression, or pattern, by which a module decides."""
    for node in ast.walk(tree):
        match node:
            case ast.If(test) | ast.IfExp(test) | ast.While(test) | ast.Assert(test):
                yield test
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.match_case(pattern, guard):
                yield from filter(None, (pattern, guard))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                yield node


def names_vendor(node: ast.AST) -> bool:
    """Whether something is a vendor's name, or a flag that is named so; a module is neither."""
    match node:
        case ast.Constant(str(word)):
            return word == word.lower() and VENDORS.fullmatch(word) is not None
        case ast.Name("codex"):
            return False
        case _:
            return VENDORS.fullmatch(name_of(node)) is not None


def files_of_column(column: str, files: Sources) -> set[str]:
    """The files that name a column or its label in the page; all migrations count as one."""
    first, *rest = column.split("_")
    words = re.compile(rf"\b({column}|{first}{''.join(map(str.title, rest))})\b")
    named = {path for path, text in files.items() if words.search(text)}
    labels = {
        (Path(path).parent, label)
        for path in named
        if path.endswith(".tsx")
        for line in filter(words.search, files[path].splitlines())
        for label in LABEL.findall(line)
    }
    named |= {
        path
        for folder, label in labels
        for path, text in files.items()
        if Path(path).parent == folder and path.endswith(".json") and f'"{label}":' in text
    }
    return {re.sub(r".*/migrations/.*", "migrations", path) for path in named}


def gathered() -> tuple[Sources, Sources]:
    """The hand-kept files of the gateway and its pages; and what stands beside them.

    What a dialect reads of the wire is no column: a vendor may call it by the same name.
    """
    files = {
        f"{top}/{path}": text
        for top in ("src", *BESIDE)
        for path, text in sources(ROOT / top, *HAND_KEPT).items()
        if Path(path).name not in GENERATED | {Path(__file__).name}
    }
    own = {
        path: text
        for path, text in files.items()
        if path.startswith(("src/", "ui/src/")) and ".test." not in path
    }
    beside = {path: text for path, text in files.items() if path not in own}
    kept = {path: text for path, text in own.items() if "/dialects/" not in path}
    return kept, beside


def listed(title: str, found: Mapping[str, list[int]]) -> str:
    """Tell a figure with what it counts, in full."""
    places = sum(map(len, found.values()))
    figure = f"{title}: {len(found)} files" + (f", {places} lines" if places else "")
    text = "\n  ".join([figure, *(f"{name} {lines or ''}" for name, lines in found.items())])
    sys.stdout.write(f"\n{text}\n")
    return text


@pytest.fixture(name="modules", scope="module")
def modules_fixture() -> Sources:
    """The gateway's own modules."""
    return sources(SOURCE, ".py")


def test_codes_of_upstreams_are_read_in_few_places(modules):
    """No more modules than before know what an upstream's error codes mean."""
    found = readers_of_codes(modules)
    text = listed("an upstream's error codes are read", found)
    assert len(found) <= MOST_READERS_OF_CODES, text


def test_statuses_of_upstreams_are_read_in_few_places(modules):
    """No more modules than before know what an upstream's HTTP statuses of errors mean."""
    found = readers_of_statuses(modules)
    text = listed("an upstream's statuses are read", found)
    assert len(found) <= MOST_READERS_OF_STATUSES, text


def test_vendors_have_few_branches_outside_their_files(modules):
    """No more lines than before ask which vendor a channel or a client is of."""
    found = branches_on_vendors(modules)
    text = listed("branches on a vendor", found)
    assert sum(map(len, found.values())) <= MOST_BRANCHES_ON_VENDORS, text


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_the_log_stands_in_few_files(column):
    """A column of the turn log that the page shows is named in no more files than before."""
    own, beside = gathered()
    found: dict[str, list[int]] = {path: [] for path in sorted(files_of_column(column, own))}
    more: dict[str, list[int]] = {path: [] for path in sorted(files_of_column(column, beside))}
    text = listed(f"{column} is named", found)
    listed(f"{column} beside, in tests and docs", more)
    assert len(found) <= MOST_FILES_OF_A_COLUMN, text


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('FULL = "slow_down"', [1]),
        ('"""Not slow_down."""\nif error.code == "slow_down": pass', [2]),
        ("from errors import LIMIT\na = {LIMIT: 1}", [2]),
        ("import errors\na = errors.LIMIT", [2]),
        ('raise LimitReached(code="slow_down")', []),
        ('a = "slow down"', []),
    ],
)
def test_readers_of_codes_are_found(source, lines):
    """A code is found as it stands and by the name of a constant, not where a caller is told it."""
    modules = {"errors.py": 'LIMIT = "usage_limit_reached"', "a.py": source}
    assert lines == readers_of_codes(modules).get("a.py", [])


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("if answer.status == 429: pass", [1]),
        ("A, B = 401, 500\nif status >= B: pass", [2]),
        ("A = frozenset({402, *range(500, 600)})\nreturn status not in A", [2]),
        ("if answer.status == 101: pass", []),
        ("if size > 500: pass", []),
    ],
)
def test_readers_of_statuses_are_found(source, lines):
    """A status of an error is found as a number and by name; other statuses and numbers are not."""
    source = source.replace("return ", "a = ")
    assert lines == readers_of_statuses({"relay/a.py": source}).get("relay/a.py", [])
    assert {} == readers_of_statuses({"server/a.py": source})


@pytest.mark.parametrize(
    ("source", "is_branch"),
    [
        ("a = 1 if channel.is_codex else 2", True),
        ('is_own = spec.type == "codex"', True),
        ("a = [each for each in b if not each._is_codex]", True),
        ('match kind:\n case "gemini": pass', True),
        ("if a:\n pass\nelif is_codex(headers):\n pass", True),
        ("import codex\nif codex.MARK in headers: pass", False),
        ('CHANNELS = {"codex": Codex}', False),
    ],
)
def test_branches_on_vendors_are_found(source, is_branch):
    """Every spelling of a decision by vendor is found; a table and a module's name are none."""
    assert is_branch == bool(branches_on_vendors({"relay/a.py": source}))
    assert {} == branches_on_vendors({"relay/channels/vendors/a.py": source})


def test_files_of_a_column_are_found():
    """A column is found in both spellings and by its label; migrations count as one."""
    files = {
        "src/migrations/m1.py": "error_code",
        "src/migrations/m2.py": "error_code",
        "src/tables.py": 'Column("error_code")',
        "src/other.py": "error_codes",
        "ui/turns/Facts.tsx": '[t("failed"), turn.errorCode],',
        "ui/turns/en.json": '"failed": "error"',
        "ui/keys/en.json": '"failed": "error"',
    }
    expected = {"migrations", "src/tables.py", "ui/turns/Facts.tsx", "ui/turns/en.json"}
    assert expected == files_of_column("error_code", files)
