"""What other programs say, as lines of our log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from longwire.logger import structlog

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Speech:
    """How a program says things: `form` finds a line's `level` and `text`; `levels` are ours.

    What `idle` finds is said of what it is not here for.
    """

    program: str
    form: re.Pattern[str]
    levels: Mapping[str, str]
    idle: re.Pattern[str]

    def __call__(self, line: str) -> None:
        """Log a line; one of another form as it stands, with the level of what nobody foresaw."""
        if self.idle.search(line):
            return
        found = self.form.fullmatch(line)
        level = self.levels.get(found["level"], "warning") if found else "warning"
        getattr(_log, level)(self.program, said=found["text"] if found else line)


HAPROXY: Final = Speech(
    "haproxy",
    re.compile(r"\[(?P<level>[A-Z]+)\]\s+\(\d+\) : (?P<text>.*)"),
    {"NOTICE": "debug", "WARNING": "warning", "ALERT": "error"},
    re.compile(r"^\[NOTICE\] +\(\d+\) : (haproxy version|path to executable)"),
)
VALKEY: Final = Speech(
    "valkey",
    re.compile(r"\d+:[A-Z] .*? (?P<level>[.*#-]) (?P<text>.*)"),
    {".": "debug", "-": "debug", "*": "debug", "#": "warning"},
    re.compile(r"# WARNING (Memory overcommit|You have Transparent Huge Pages)"),
)
