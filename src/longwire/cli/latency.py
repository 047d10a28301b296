"""`longwire latency`: how long served turns took, by channel or model, and how long before that."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from longwire.cli.store import AsJson, Config, with_settings
from longwire.cli.tables import shortened, show_json, table
from longwire.cli.usage import Since, Split, beginning, names_of, now

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.latencies import Figures, Histogram, Line
    from longwire.store.store import Store
    from longwire.store.usage import Span


class LatencyBy(Enum):
    """What each line stands for."""

    CHANNEL = "channel"
    MODEL = "model"
    ALL = "all"


By = Annotated[LatencyBy, typer.Option(help="What each line stands for.")]
_HOURLY: Final = 8 * 86_400_000
_TENTHS: Final = 10.0
_SHARES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_TITLES: Final = (
    *("turns", "first event p50", "p95", "before", "total p50", "p95", "before"),
    *("tokens/s p50", "p95", "before"),
)


def latency(
    by: By = LatencyBy.CHANNEL,
    since: Since = "24h",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show how long served turns took: to the first event, in all, and tokens a second after it.

    `before` is p50 against that of the time of equal length before. Percentiles are at most 9.6 %
    off. By the hour for eight days at most, by UTC day for more; the first counts whole.
    """
    start, end = beginning(since), now()

    async def work(
        store: "Store", settings: "Settings"
    ) -> tuple[Sequence["Line"], Mapping[str, "Figures"], Mapping[str, str]]:
        from longwire.store.latencies import Period

        span: Span = "h" if end - start <= _HOURLY else "d"
        period = Period(start, end + 1, span)
        found = await store.latencies.lines(by.value, period)
        before = dict(await store.latencies.lines(by.value, period.before))
        named = await names_of(store, settings, Split.CHANNEL) if by is LatencyBy.CHANNEL else {}
        return found, before, named

    lines, before, named = with_settings(config, work)
    if as_json:
        show_json(
            [
                {by.value: name, "name": named.get(name, name), **_facts(figures)}
                for name, figures in lines
            ]
        )
        return
    rows = [
        (shortened(named.get(name, name)) or "all turns", *_cells(figures, before.get(name)))
        for name, figures in lines
    ]
    for line in table((by.value, *_TITLES), rows) if rows else ["no served turns in this time"]:
        typer.echo(line)


def _facts(figures: "Figures") -> dict[str, Any]:
    return {figure.name.lower(): _fact(figure.value, each) for figure, each in figures.items()}


def _fact(letter: str, found: "Histogram") -> dict[str, Any]:
    unit = _TENTHS if letter == "r" else 1.0
    shares = {title: _scaled(found.percentile(share), unit) for title, share in _SHARES}
    return {"turns": found.turns, **shares, "mean": _scaled(found.mean, unit)}


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else round(value / unit, 1)


def _cells(figures: "Figures", before: "Figures | None") -> tuple[str, ...]:
    first, *_ = figures.values()
    cells = [f"{first.turns:,}"]
    for figure, found in figures.items():
        then = before[figure].percentile(0.5) if before else None
        speed = figure.value == "r"
        shown = [_shown(found.percentile(share), is_speed=speed) for share in (0.5, 0.95)]
        cells += [*shown, _change(found.percentile(0.5), then)]
    return tuple(cells)


def _shown(value: float | None, *, is_speed: bool) -> str:
    if value is None:
        return "-"
    return f"{value / _TENTHS:.1f}" if is_speed else f"{value:,.0f} ms"


def _change(value: float | None, before: float | None) -> str:
    return "-" if value is None or before is None else f"{value / before - 1:+.0%}"
