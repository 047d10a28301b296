#!/usr/bin/env python3
"""Draw what the documentation says about the exchange from the code's own transition table.

`python docs/generate.py` rewrites the part between the markers of the page.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from longwire.core.events import Kind
from longwire.core.exchange import TABLE, Ending, Phase, Step

PAGE = Path(__file__).parent / "explanation" / "connection-lifecycle.md"
BEGIN = "<!-- generated from longwire.core.exchange by docs/generate.py: begin -->\n"
END = "<!-- generated: end -->\n"


def generated() -> str:
    """The diagram, the table of transitions and the table of endings, as Markdown."""
    return "\n".join([*_diagram(), "", *_transitions(), "", *_endings(), ""])


def renewed(page: str) -> str:
    """The page with its generated part replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{generated()}\n{END}{after}"


def _diagram() -> Iterator[str]:
    """One arrow per pair of phases and fate of the connection, labelled with what it brings."""
    arrows: dict[tuple[str, str, str], dict[str, None]] = {}
    for (phase, kind), step in TABLE.items():
        fate = _fate(step.ending) if step.ending else ""
        label = step.ending.name if step.ending else kind.value
        if step.to is not phase or step.passes:
            if step.passes and not step.ending:
                label = "events pass" if step.to is phase else "the first event passes"
            arrows.setdefault((phase.value, step.to.value, fate), {})[label] = None
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.READY.value}")
    for (start, end, fate), labels in arrows.items():
        told = ", ".join(label.removeprefix("response.") for label in labels)
        yield f"    {start} --> {end}: {told}{f' ({fate})' if fate else ''}"
    yield "```"


def _transitions() -> Iterator[str]:
    phases = list(Phase)
    yield f"| what happens | {' | '.join(f'in {phase.value}' for phase in phases)} |"
    yield f"|---|{'---|' * len(phases)}"
    for kind in Kind:
        cells = (_cell(phase, TABLE[phase, kind]) for phase in phases)
        yield f"| {kind.value} | {' | '.join(cells)} |"


def _cell(phase: Phase, step: Step) -> str:
    fate = "passes" if step.passes else "ignored"
    if step.ending is not None:
        return f"**{step.ending.name}**{', passes' if step.passes else ''}"
    return fate if step.to is phase else f"→ {step.to.value}{', passes' if step.passes else ''}"


def _endings() -> Iterator[str]:
    endings = dict.fromkeys(step.ending for step in TABLE.values() if step.ending)
    yield "| ending | its connection | remembers the turn |"
    yield "|---|---|---|"
    for ending in sorted(endings, key=_rank):
        yield f"| {ending.name} | {_fate(ending)} | {'yes' if ending.remembers else 'no'} |"


def _rank(ending: Ending) -> tuple[bool, bool]:
    return not ending.remembers, not ending.keeps_connection


def _fate(ending: Ending) -> str:
    return "kept" if ending.keeps_connection else "closed"


def main() -> int:
    """Rewrite the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
