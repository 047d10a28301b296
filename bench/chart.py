"""The chart of a run: what a turn and an event cost, as bars on a logarithmic scale."""

import math
from collections.abc import Iterable, Iterator

from bench.figures import Row
from bench.references import FLOOR, LITELLM, LONGWIRE, NGINX

_COLORS = {NGINX: "#8a94a6", FLOOR: "#c3c9d4", LONGWIRE: "#2563eb", LITELLM: "#d97706"}
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 250, 430, 14, 14, 34
_CPU = "CPU, "
_LINE = '<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{text}</text>'
_RECT = '<rect x="{x}" y="{y}" width="{width:.0f}" height="{height}" rx="2" fill="{fill}"/>'
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#334155}.head{font-weight:600}.small{font-size:11px}"
)


def chart(rows: Iterable[Row]) -> str:
    """Return an SVG image of the rows that tell CPU time; "" where there are none."""
    groups: dict[str, list[tuple[str, float, str]]] = {}
    for row in rows:
        about, _, name = row.what.removeprefix(_CPU).rpartition(": ")
        if row.what.startswith(_CPU) and name in _COLORS:
            groups.setdefault(about, []).append((name, row.figure.median, row.unit))
    if not groups:
        return ""
    bars = sum(map(len, groups.values()))
    height = _TOP + bars * (_BAR + 2) + len(groups) * _GAP + 26
    figures = [figure for group in groups.values() for _, figure, _ in group]
    drawn = "".join(_drawn(groups, min(figures) / 2, max(figures)))
    label = "CPU time of Longwire beside nginx, the floor and LiteLLM"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 110} {height}" '
        f'role="img" aria-label="{label}"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>\n'
    )


def _drawn(
    groups: dict[str, list[tuple[str, float, str]]], least: float, most: float
) -> Iterator[str]:
    """Draw a legend, then each group with its bars, the cheapest first."""
    yield from _legend()
    top = _TOP
    for about, bars in groups.items():
        middle = top + len(bars) * (_BAR + 2) / 2 + 4
        yield _LINE.format(x=_LEFT - 10, y=f"{middle:.0f}", anchor="end", kind="small", text=about)
        for name, figure, unit in sorted(bars, key=lambda bar: bar[1]):
            width = _WIDTH * math.log(figure / least) / math.log(most / least)
            box = {"x": _LEFT, "y": top, "width": width, "height": _BAR, "fill": _COLORS[name]}
            yield _RECT.format(**box)
            text = f"{figure:,.0f} {unit}" if figure >= 100 else f"{figure:.3g} {unit}"  # noqa: PLR2004
            place = {"x": f"{_LEFT + width + 6:.0f}", "y": top + _BAR - 3}
            yield _LINE.format(**place, anchor="start", kind="small", text=text)
            top += _BAR + 2
        top += _GAP
    scale = "CPU time of the process tree, logarithmic scale"
    yield _LINE.format(x=_LEFT, y=top + 10, anchor="start", kind="small", text=scale)


def _legend() -> Iterator[str]:
    for place, (name, fill) in enumerate(_COLORS.items()):
        x = _LEFT + place * 100
        yield _RECT.format(x=x, y=10, width=10, height=10, fill=fill)
        yield _LINE.format(x=x + 15, y=19, anchor="start", kind="head", text=name)
