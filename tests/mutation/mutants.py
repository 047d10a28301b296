"""Hand-made mutants of the rules: `python -m tests.mutation.mutants` runs the laws on each.

A mutant that survives shows a rule that no test holds. Run it before a rule is merged.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAWS = ("tests/core", "tests/dialects")


@dataclass(frozen=True)
class Mutant:
    """One rule broken: in `file`, `rule` is replaced by `broken`."""

    breaks: str
    file: str
    rule: str
    broken: str


MUTANTS = (
    Mutant(
        "rewrite every item of a history in which one has to be",
        "dialects/codex/rules.py",
        "    if not _is_suspect(raw):\n        return raw\n    try:",
        "    if not _is_suspect(raw):\n        return splice(raw, {})\n    try:",
    ),
    Mutant(
        "keep an id that the Codex backend refuses",
        "dialects/codex/rules.py",
        'changes["id"] = None',
        "pass",
    ),
    Mutant(
        "give a vendor's notice a number",
        "dialects/responses/answer.py",
        "if event.kind is _VENDOR:\n            return _unnumbered(event)",
        "pass",
    ),
    Mutant(
        "pass an event with a number that is not its own",
        "dialects/responses/answer.py",
        "head.sequence != number or ",
        "",
    ),
    Mutant(
        "pass an event that names a lane",
        "dialects/responses/answer.py",
        " or head.lane is not None:\n                    break",
        ":\n                    break",
    ),
    Mutant(
        "continue without anything new",
        "core/rules/continuity.py",
        "new = chain.replies, turn.source.previous_response_id != chain.response_id",
        "new = chain.replies, False",
    ),
    Mutant(
        "ask for something new of a client that named the response",
        "core/rules/continuity.py",
        "new = chain.replies, turn.source.previous_response_id != chain.response_id",
        "new = chain.replies, True",
    ),
    Mutant(
        "hold a client that named the response to its properties",
        "core/rules/continuity.py",
        "if turn.source.previous_response_id != chain.response_id and not has_same",
        "if not has_same",
    ),
    Mutant(
        "let a client that named any response change its properties",
        "core/rules/continuity.py",
        "if turn.source.previous_response_id != chain.response_id and not has_same",
        "if turn.source.previous_response_id is None and not has_same",
    ),
    Mutant(
        "tell a history without its beginning",
        "core/rules/transcript.py",
        "            link = link.parent\n        parts.reverse()",
        "            link = None\n        parts.reverse()",
    ),
    Mutant(
        "count a link for each response that needs it",
        "core/rules/transcript.py",
        "            if link.holders > 1:\n                return\n",
        "",
    ),
    Mutant(
        "forget the bytes of a link that is still needed",
        "core/rules/transcript.py",
        "            if link.holders:\n                return\n",
        "",
    ),
    Mutant(
        "keep a transcript without a bound of its size",
        "core/rules/transcript.py",
        " or self.size > self._most_bytes",
        "",
    ),
    Mutant(
        "run two requests of a lane at once",
        "core/rules/lanes.py",
        "runs = lane not in self._busy and len",
        "runs = len",
    ),
    Mutant(
        "let the oldest wait for its lane while others could run",
        "core/rules/lanes.py",
        "            if waiting.lane not in self._busy:",
        "            if waiting is self._waiting[0] and waiting.lane not in self._busy:",
    ),
    Mutant(
        "let any number of bytes wait",
        "core/rules/lanes.py",
        " or self._bytes + size > limits.bytes",
        "",
    ),
    Mutant(
        "tell reasoning again without what it says",
        "dialects/responses/recall.py",
        'return output.type != "reasoning" or bool(output.encrypted_content)',
        "return True",
    ),
    Mutant(
        "keep a response whose beginning is not known",
        "dialects/responses/recall.py",
        "not terminal.response_id or turn.refers_outside",
        "not terminal.response_id",
    ),
    Mutant(
        "trust the raw prefix without comparing the replies",
        "core/rules/continuity.py",
        "and all(map(is_replay, replies, following)):",
        "and following is not None:",
    ),
    Mutant(
        "compare nothing but the number of replies without reasoning",
        "core/rules/continuity.py",
        "or not all(map(is_replay, shown, following)):",
        "or following is None:",
    ),
    Mutant(
        "let reasoning that was left out turn up later",
        "core/rules/continuity.py",
        "if each.is_reasoning or (",
        "if False and (",
    ),
    Mutant(
        "let a reference to reasoning that was left out turn up later",
        "core/rules/continuity.py",
        "(each.reference is not None and each.reference in left_out)",
        "False",
    ),
    Mutant(
        "send a reply without its reasoning once more",
        "core/rules/continuity.py",
        "len(following) < shown + new else chain.sent + shown",
        "len(following) < shown + new else chain.length",
    ),
    Mutant(
        "continue without reasoning where that is not wanted",
        "core/rules/continuity.py",
        "_shown(replies, following) if may_omit_reasoning else None",
        "_shown(replies, following)",
    ),
    Mutant(
        "ignore what the client changed in older items",
        "core/rules/continuity.py",
        "history.digest(chain.sent) != chain.digest",
        "False",
    ),
    Mutant(
        "ignore changed properties",
        "core/rules/continuity.py",
        "return chain.properties == turn.properties.canonical",
        "return True",
    ),
    Mutant(
        "shorten a turn that carries its own id",
        "core/rules/continuity.py",
        "    if turn.refers_outside:\n        return None",
        "    if False:\n        return None",
    ),
    Mutant(
        "continue the answer to part of a history",
        "core/rules/continuity.py",
        "    elif not turn.refers_outside:\n        digest",
        "    else:\n        digest",
    ),
    Mutant(
        "take any reference for the right one",
        "core/rules/continuity.py",
        "return theirs.reference == ours.id",
        "return True",
    ),
    Mutant(
        "let a dropped anchor pass",
        "core/rules/continuity.py",
        "return not is_anchored",
        "return True",
    ),
    Mutant(
        "do not compare what both sides have",
        "core/rules/continuity.py",
        "if other.get(name, value) != value:",
        "if False:",
    ),
    Mutant(
        "prefer the shortest common history",
        "core/rules/ledger.py",
        "if rank > best_rank:",
        "if best is None or rank < best_rank:",
    ),
    Mutant(
        "lend a connection past its lifetime",
        "core/rules/ledger.py",
        "return min(entry.expires_at, entry.idle_since + self.limits.idle_ttl)",
        "return entry.idle_since + self.limits.idle_ttl",
    ),
    Mutant(
        "dial above the cap",
        "core/rules/ledger.py",
        "        if self.live >= self.limits.connections:\n            oldest = ",
        "        if self.live > self.limits.connections:\n            oldest = ",
    ),
    Mutant(
        "keep a connection that is to retire",
        "core/rules/ledger.py",
        " and not entry.retires",
        "",
    ),
    Mutant(
        "repeat item ids on a socket that holds them",
        "core/rules/ledger.py",
        "if entry.exchanges == 0 or not turn.history.has_ids:",
        "if True:",
    ),
    Mutant(
        "give up the old chain before the new turn succeeded",
        "core/rules/ledger.py",
        "self._close_replaced(entry) if outcome.chain is not None else ()",
        "self._close_replaced(entry)",
    ),
    Mutant(
        "take unrelated conversations for rewritten ones",
        "core/rules/ledger.py",
        "rewrites = not (key.is_implicit or is_warm_up or",
        "rewrites = not (is_warm_up or",
    ),
    Mutant(
        "lend a busy connection",
        "core/rules/ledger.py",
        "return [entry for entry in held if entry.state is State.IDLE]",
        "return list(held)",
    ),
    Mutant(
        "keep a connection after a fatal error",
        "core/rules/exchange.py",
        'ENDED_BY_FATAL_ERROR = Ending("expelled", keeps_connection=False)',
        'ENDED_BY_FATAL_ERROR = Ending("expelled", keeps_connection=True)',
    ),
    Mutant(
        "remember a failed response",
        "core/rules/exchange.py",
        'FAILED = Ending("failed", keeps_connection=True)',
        'FAILED = Ending("failed", keeps_connection=True, remembers=True)',
    ),
    Mutant(
        "deliver another response's events",
        "core/rules/exchange.py",
        "event.lane is not None or not self._is_own(event.response_id)",
        "event.lane is not None",
    ),
    Mutant(
        "call a replay safe once the upstream works",
        "core/rules/exchange.py",
        "            return ReplaySafety.UNSAFE",
        "            return ReplaySafety.SAFE",
    ),
    Mutant(
        "lose a number's digits",
        "dialects/canonical.py",
        'def _number(spelling: str) -> Json:\n    return {"#": spelling}',
        "def _number(spelling: str) -> Json:\n    return float(spelling)",
    ),
    Mutant(
        "let a repeated key pass",
        "dialects/canonical.py",
        "if len(value) != len(pairs):",
        "if False:",
    ),
    Mutant(
        "take an incomplete message for a complete one",
        "dialects/responses/items.py",
        'if item.get("status") not in (None, "completed"):',
        "if False:",
    ),
    Mutant(
        "find a prefix in the middle of an item",
        "dialects/responses/history.py",
        'elif mark.items and rest[:1] != b"]":',
        "elif False:",
    ),
    Mutant(
        "do not count a reasoning item's summary",
        "dialects/responses/items.py",
        'optional=("id", "encrypted_content", "summary"), anchors',
        'ignored=frozenset({"summary"}), optional=("id", "encrypted_content"), anchors',
    ),
)


def survives(mutant: Mutant) -> bool:
    """Whether all laws still hold with this rule broken."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "longwire"
        shutil.copytree(ROOT / "src" / "longwire", copy)
        path = copy / mutant.file
        path.write_text(path.read_text().replace(mutant.rule, mutant.broken, 1))
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *LAWS],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            check=False,
        )
    return run.returncode == 0


def main() -> int:
    """Run every mutant; return 1 if one survives."""
    survivors = 0
    for mutant in MUTANTS:
        outcome = "SURVIVES" if survives(mutant) else "killed"
        survivors += outcome == "SURVIVES"
        sys.stdout.write(f"{outcome:9}{mutant.breaks} ({mutant.file})\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} killed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
