"""The page of the matrix: what became of every case, on every way.

`python -m tests.matrix.page` runs it and writes the page.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from tests.matrix.requests import APIS, CASES, Case
from tests.matrix.run import Cell, cell, expected, stage

NAMES = {
    "responses": "Responses",
    "chat_completions": "Chat Completions",
    "messages": "Messages",
    "generate_content": "Gemini",
}
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "matrix.md"
WAYS = [(came, asked) for came in APIS for asked in APIS]
HEAD = """# From any API to any API

<!-- Written by `python -m tests.matrix.page`; tests/matrix keeps it true. -->

Each line is a client of one API at a channel that offers one other alone. Every cell is two real
requests through the gateway to the [emulator](emulator.md), which is strict in all four APIs: one
answered whole, one streamed. **yes** says that the model saw exactly the context that the client
sent, by the emulator's oracle, and that the client was told what a client of the Responses API is
told: text, calls, arguments, why it ended, and a usage. Where something has no equivalent the cell
names what was left out, or the refusal. Where a line says *passed on*, body and answer are the
client's and the upstream's own bytes; elsewhere they are translated, and where the upstream speaks
Responses the turn has a session.
"""


async def outcomes(ways: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """What became of all cases on these ways, in the words of the page."""
    async with stage() as made:
        baseline = [
            await cell(made, ("responses", "responses"), case, streams=False) for case in CASES
        ]
        return {
            way: [
                both(
                    *[
                        verdict(way, case, plain, await cell(made, way, case, streams=streams))
                        for streams in (False, True)
                    ]
                )
                for case, plain in zip(CASES, baseline, strict=True)
            ]
            for way in ways
        }


def both(whole: str, stream: str) -> str:
    """One word for both forms of an answer."""
    return whole if whole == stream else f"whole: {whole}; streamed: {stream}"


def verdict(way: tuple[str, str], case: Case, plain: Cell, found: Cell) -> str:
    """What became of one request; "yes" where everything is right."""
    if found.answer is None or plain.answer is None:
        return f"refused ({found.status})"
    wrong = [
        name
        for name, is_right in (
            ("asked in another API", found.api == way[1]),
            ("another context", found.digest == expected(*way, case)),
            ("another end", found.answer.ending == plain.answer.ending),
            ("other calls", found.answer.calls == plain.answer.calls),
            ("another text", told(case, found) == told(case, plain)),
            ("no reasoning", found.answer.has_thought or not shows(way, case)),
            ("no usage", found.answer.has_usage),
        )
        if not is_right
    ]
    if wrong:
        return "**" + ", ".join(wrong) + "**"
    return f"without `{found.dropped}`" if found.dropped else "yes"


def told(case: Case, found: Cell) -> str:
    """The text of an answer; where it only names what the model saw, that is compared apart.

    A refusal has words in OpenAI's APIs alone.
    """
    assert found.answer is not None
    text = "" if case.script.refusal else found.answer.text
    return text if case.is_structured else text[: len("context sha256:")]


def shows(way: tuple[str, str], case: Case) -> bool:
    """Whether the client is shown reasoning: Chat Completions hides it at both ends."""
    return case.reasons and "chat_completions" not in way


def page(found: dict[tuple[str, str], list[str]]) -> str:
    """The page."""
    names = [case.name for case in CASES]
    lines = [f"| client | upstream | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for (came, asked), cells in found.items():
        passed = " (passed on)" if came == asked != "responses" else ""
        lines.append(f"| {NAMES[came]} | {NAMES[asked]}{passed} | {' | '.join(cells)} |")
    return HEAD + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(asyncio.run(outcomes(WAYS))), encoding="utf-8")
