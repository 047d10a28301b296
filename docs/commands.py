#!/usr/bin/env python3
"""Print every command's help into the reference of commands.

`python docs/commands.py` rewrites the part between the markers of the page.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from longwire.cli import build

PAGE = Path(__file__).parent / "reference" / "commands.md"
BEGIN = "<!-- generated from longwire.cli by docs/commands.py: begin -->\n"
END = "<!-- generated: end -->\n"
_WIDTH = 80


def generated() -> str:
    """Every command with its help, as Markdown."""
    return "\n".join(_helps(typer.main.get_command(build()), "longwire", None))


def renewed(page: str) -> str:
    """The page with its generated part replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{generated()}\n{END}{after}"


def _helps(
    command: TyperCommand | TyperGroup, name: str, parent: typer.Context | None
) -> Iterator[str]:
    context = typer.Context(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    lines = command.get_help(context).splitlines()
    yield from (f"## `{context.command_path}`", "", "```text")
    yield from (line.rstrip() for line in lines)
    yield from ("```", "")
    for inner_name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _helps(inner, inner_name, context)


def main() -> int:
    """Rewrite the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
