"""What callers wrote, as commands print it."""

import json

from longwire.cli.budgets import unpriced_text
from longwire.cli.doctor import _show
from longwire.cli.fleet_checks import Check, Verdict
from longwire.cli.tables import say, shortened, show_json, table
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.rules.calendar import Span
from longwire.core.rules.spending import BudgetState

EVIL = "\x1b[31mEVIL\x07\u202e\r\nINJ\x9b"
SHOWN = "?[31mEVIL????INJ?"


def test_a_table_holds_nothing_that_a_terminal_obeys():
    """Whatever a cell says, it is one line, and moves no cursor."""
    assert ["model", SHOWN] == table(["model"], [[EVIL]])


def test_lines_hold_nothing_that_a_terminal_obeys(capsys):
    """Line feeds stay: they are the command's own."""
    say("one\ntwo\x1b[2J\r")
    assert "one\ntwo?[2J?\n" == capsys.readouterr().out


def test_json_is_that_of_the_value_without_control_characters(capsys):
    """A program reads what was written; a terminal obeys none of it."""
    show_json({"model": EVIL, "name": "模型"})
    shown = capsys.readouterr().out
    assert {"model": EVIL, "name": "模型"} == json.loads(shown)
    assert "模型" in shown
    assert {"\n"} == {letter for letter in shown if not letter.isprintable()}


def test_a_model_forges_no_line_of_a_budget(capsys):
    """Neither in `budgets list` nor in `doctor`."""
    budget = Budget("b", SubjectKind.KEY, "key_1", Period.DAY, Unit.DOLLARS, 1)
    text = unpriced_text(BudgetState(budget, "dev", 0, Span(0, 1), "UTC", (EVIL, "m" * 256)))
    assert f"the budget of key dev cannot count {SHOWN}, {'m' * 59}…:" in text
    _show(Check("budgets", text, Verdict.WARN))
    (line,) = capsys.readouterr().out.splitlines()
    assert "\x1b[31mEVIL" not in line


def test_long_names_are_cut_in_tables():
    """A caller may send one of 256 letters."""
    assert "m" * 59 + "…" == shortened("m" * 256)
    assert "gpt-5" == shortened("gpt-5")
