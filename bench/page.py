"""The page of the benchmarks: a table goes between the marks that name it."""

from bench.processes import ROOT

PAGE = ROOT / "docs" / "reference" / "benchmarks.md"


def put(name: str, machine: str, table: str) -> bool:
    """Put a benchmark's table, and where it was taken, into the page; False without its marks."""
    begin, end = f"<!-- bench {name}: begin -->\n", "<!-- bench: end -->"
    head, mark, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, closing, tail = rest.partition(end)
    if not (mark and closing):
        return False
    PAGE.write_text(f"{head}{mark}{machine}.\n\n{table}\n{closing}{tail}", encoding="utf-8")
    return True
