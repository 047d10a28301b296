"""The references of commands, metrics and log have a row for all there is, and for nothing else."""

import ast
import re
from pathlib import Path

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families

from docs import commands
from longwire import cli
from longwire.core.nouns.turn_row import TurnRow
from longwire.core.rules.lease import State
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.routing import IN_SESSION
from longwire.core.rules.turn import Principal, TurnRequest, Usage
from longwire.dialects.responses.usage import Bill
from longwire.relay.records import accounting
from longwire.upstream.ports import Delivery
from longwire.upstream.websocket import transport as websocket_transport
from tests.core.turns import turn, user
from tests.relay.records.test_metrics import touched

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(\w+)`")


def page(name):
    """The text of a page of the reference."""
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_the_commands_are_printed_as_they_are():
    """The page equals what `python docs/commands.py` writes."""
    text = page("commands.md")
    assert commands.renewed(text) == text, "run: python docs/commands.py"


def test_every_command_is_there(longwire_words):
    """The page has a section for each command, also for those below others."""
    titles = re.findall(r"^## `(longwire[^`]*)`$", page("commands.md"), re.MULTILINE)
    assert titles == longwire_words


@pytest.fixture
def longwire_words():
    """The words of every command, as typer knows them."""

    def below(command, words):
        yield words
        for name, inner in sorted(getattr(command, "commands", {}).items()):
            yield from below(inner, f"{words} {name}")

    return list(below(typer.main.get_command(cli.build()), "longwire"))


def test_every_column_of_the_turn_log_is_told():
    """The page of the log explains each field of a turn, in their order, and no other."""
    _, _, text = page("turn-log.md").partition("## Fields\n")
    cells = re.findall(r"^\| ([^|]+) \|", text.partition("\n## ")[0], re.MULTILINE)
    assert list(TurnRow._fields) == NAMED.findall(" ".join(cells)), "docs/reference/turn-log.md"


def rows(section):
    """The cells of a table below a title."""
    _, _, text = page("metrics.md").partition(f"## {section}\n")
    table = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_metric_is_explained():
    """The reference of metrics has a row for each, with its type and labels, and no other."""
    told = {}
    for family in text_string_to_metric_families(touched().render().decode()):
        ending = "_total" if family.type == "counter" else ""
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        told[f"{family.name}{ending}"] = (family.type, labels)
    assert told == {
        name.strip("`"): (kind, set(NAMED.findall(labels)))
        for name, kind, labels, _ in rows("Metrics")
    }


def test_every_label_is_explained():
    """Labels that have few values name all of them."""
    values = {name.strip("`"): set(NAMED.findall(told)) for name, told in rows("Labels")}
    assert values["state"] == {state.value for state in State}
    assert values["cause"] == {trouble.name.lower() for trouble in Trouble} - {"refused"}
    assert values["kind"] == {"input", "cached", "output", "reasoning"}
    assert values["result"] == {
        "opened",
        *websocket_transport._DIAL_RESULTS.values(),
        "unreachable",
    }
    assert values["outcome"] >= set(accounting._OUTCOMES.values())
    assert values["outcome"] == outcomes()
    assert values["transport"] == {"websocket", "http"}
    labels = {label for _, _, labels, _ in rows("Metrics") for label in NAMED.findall(labels)}
    assert set(values) == labels


def outcomes():
    """Every word that the module of accounting uses for an end."""
    tree = ast.parse(Path(accounting.__file__).read_text(encoding="utf-8"))
    (function,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "_outcome_of"
    ]
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return {value.value for value in returned} | set(accounting._OUTCOMES.values())


def test_the_log_line_is_explained():
    """Every field of a turn's line has its row, and no other."""
    record = accounting.TurnRecord(TurnRequest(turn(user("hi")), Principal("dev")))
    record.dropped, record.way, record.account_id = ("seed",), IN_SESSION, "acc_1"
    record.fail(Trouble.LOST, ValueError(), 0.0, is_replayed=True)
    record.begin(Delivery("http", "fresh", "http_transport", 1), None, 0.0)
    record.bill = Bill(is_estimated=True)
    fields = accounting._line(record, 1.0, accounting._tokens(Usage()))
    written = {*fields, "node", "event", "level", "timestamp"}
    assert written == {name for cells in rows("The log line") for name in NAMED.findall(cells[0])}


def test_every_key_of_the_fleet_is_described():
    """Whoever finds a key of Longwire's in Valkey finds it in the reference."""
    text = page("fleet-keys.md")
    literal = re.compile(r'"(lw:(?:\{\{)?[^"{]*)')
    beginnings = {
        found.replace("{{", "{")
        for path in (ROOT / "src" / "longwire" / "fleet").glob("*.py")
        for found in literal.findall(path.read_text(encoding="utf-8"))
    }
    assert len(beginnings) > 5
    assert [] == sorted(each for each in beginnings if f"| `{each}" not in text)
