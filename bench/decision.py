"""What deciding continuity costs, against the least that any gateway pays: splitting the body."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Raw

from bench.conversations import Conversation, conversation
from bench.figures import Row, Spread, in_turns, ratio
from longwire.core.rules.continuity import Chain, Continue, decide, extend
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.call import encode_create
from longwire.dialects.responses.items import canonical_item
from longwire.dialects.responses.request import decode_request

TARGETS = {"decide": 0.5, "decode + decide + encode": 3.0}
TARGET_SIZE = "1 MB"
SIZES = {
    "20 KB": (20_000, 20),
    "157 KB": (157_000, 150),
    TARGET_SIZE: (1_000_000, 1_000),
    "5 MB": (5_000_000, 5_000),
}
_SPLIT = "split by msgspec"
_body_decoder = msgspec.json.Decoder(dict[str, Raw])
_items_decoder = msgspec.json.Decoder(list[Raw])
S = TypeVar("S")


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU of deciding continuity for a body, as a multiple of splitting it by msgspec."""
    rounds, repeats = (2, 1) if quick else (7, 8)
    sizes = list(SIZES)[:-1] if quick else SIZES
    return [row for name in sizes for row in _rows(name, rounds, repeats)]


def _rows(name: str, rounds: int, repeats: int) -> list[Row]:
    """Measure one size of body."""
    talk = conversation(*SIZES[name])
    taken = in_turns(_measures(talk, repeats), rounds)
    about = f"{name}, {SIZES[name][1]:,} items"
    rows = [Row(f"{about}: {_SPLIT}", Spread.of(taken[_SPLIT]), "µs")]
    for measure, figures in taken.items():
        if measure != _SPLIT:
            target = TARGETS.get(measure) if name == TARGET_SIZE else None
            compared = ratio(figures, taken[_SPLIT])
            rows.append(Row(f"{about}: {measure}", Spread.of(figures), "µs", compared, target))
    return rows


def _measures(talk: Conversation, repeats: int) -> dict[str, Callable[[], float]]:
    """Return what is measured for one conversation, by name."""
    replies = tuple(canonical_item(raw) for raw in talk.replies)
    chain = extend(decode_request(talk.first), "resp_bench", replies, None)
    _verify(talk, chain)

    def timed(prepare: Callable[[], S], work: Callable[[S], object]) -> Callable[[], float]:
        return lambda: _microseconds(prepare, work, repeats)

    return {
        _SPLIT: timed(lambda: talk.second, _split),
        "decide": timed(lambda: decode_request(talk.second), lambda turn: decide(chain, turn)),
        "decode + decide + encode": timed(
            lambda: talk.second, lambda body: _whole_decision(body, chain)
        ),
        "decide, other spelling (canonical)": timed(
            lambda: decode_request(talk.respelt), lambda turn: decide(chain, turn)
        ),
        "decide, another history": timed(
            lambda: decode_request(talk.rewritten), lambda turn: decide(chain, turn)
        ),
        "commit, first sight": timed(
            lambda: decode_request(talk.second), lambda turn: extend(turn, "resp_2", replies, None)
        ),
        "commit, continued": timed(
            lambda: _decided(talk.second, chain),
            lambda turn: extend(turn, "resp_2", replies, chain),
        ),
    }


def _verify(talk: Conversation, chain: Chain) -> None:
    """Measure only what is right: both spellings continue, another history does not."""
    continues = Continue(chain, chain.length)
    assert decide(chain, decode_request(talk.second)) == continues  # noqa: S101 - the premise
    assert decide(chain, decode_request(talk.respelt)) == continues  # noqa: S101
    assert decide(chain, decode_request(talk.rewritten)) is None  # noqa: S101


def _split(body: bytes) -> list[Raw]:
    return _items_decoder.decode(_body_decoder.decode(body)["input"])


def _whole_decision(body: bytes, chain: Chain) -> bytes:
    turn = decode_request(body)
    decision = decide(chain, turn)
    assert decision is not None  # noqa: S101 - for the type alone
    return encode_create(turn, decision)


def _decided(body: bytes, chain: Chain) -> Turn:
    turn = decode_request(body)
    decide(chain, turn)
    return turn


def _microseconds(prepare: Callable[[], S], work: Callable[[S], object], repeats: int) -> float:
    """Return the CPU time of `work` alone, the median of some repeats."""
    gc.collect()
    spent = []
    for _ in range(repeats):
        subject = prepare()
        began = time.process_time_ns()
        work(subject)
        spent.append(time.process_time_ns() - began)
    return statistics.median(spent) / 1_000
