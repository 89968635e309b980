"""The coverage table as a picture: an SVG, written by hand."""

from collections.abc import Iterator, Sequence
from html import escape

from covered import Row

LEFT, RIGHT, TOP, LINE = 430, 40, 74, 17
WIDTH = 930
LOWEST, HIGHEST = 0.88, 1.0
SHOWN = {64: "#1f77b4", 128: "#d95f02"}


def svg(rows: Sequence[Row]) -> str:
    """Return coverage by quantity: dots with two Monte Carlo standard errors, band 94 to 96 %."""
    names = list(dict.fromkeys((row.kind, row.name) for row in rows))
    height = TOP + LINE * len(names) + 30
    bottom = TOP + LINE * len(names)
    marks = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        *_head(bottom),
        *(mark for i, name in enumerate(names) for mark in _line(name, rows, TOP + LINE * i + 12)),
        "</svg>",
    ]
    return "\n".join(marks) + "\n"


def _head(bottom: float) -> Iterator[str]:
    yield _text(
        10, 22, "Coverage of 95 % intervals, by quantity", "font-weight='bold' font-size='15'"
    )
    keys = [*((f"{n} prompts", colour, "&#9679;") for n, colour in SHOWN.items())]
    keys.append(("percentile bootstrap, 64 prompts", "#888888", "&#215;"))
    for place, (words, colour, sign) in zip((LEFT, LEFT + 110, LEFT + 230), keys, strict=True):
        yield f'<text x="{place}" y="44" fill="{colour}">{sign} {words}</text>'
    left, right = _x(0.94), _x(0.96)
    yield (
        f'<rect x="{left:.1f}" y="{TOP - 4}" width="{right - left:.1f}" '
        f'height="{bottom - TOP + 4}" fill="#e3efda"/>'
    )
    for percent in range(88, 101, 2):
        x = _x(percent / 100)
        yield f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
        yield _text(x, TOP - 10, f"{percent} %", "text-anchor='middle' fill='#555555'")


def _line(name: tuple[str, str], rows: Sequence[Row], y: float) -> Iterator[str]:
    yield _text(10, y, f"{name[0]}: {name[1]}"[:66])
    for row in rows:
        if (row.kind, row.name) == name and row.n in SHOWN:
            shift = -3 if row.n == 64 else 1
            yield from _dot(row, y - 4 + shift)
            if row.n == 64 and row.percentile is not None:
                yield _percentile(row.percentile, y)


def _dot(row: Row, y: float) -> Iterator[str]:
    colour = SHOWN[row.n]
    low, high = _x(row.coverage - 2 * row.error), _x(row.coverage + 2 * row.error)
    if row.error:
        yield f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{colour}"/>'
    yield f'<circle cx="{_x(row.coverage):.1f}" cy="{y}" r="3" fill="{colour}"/>'


def _percentile(coverage: float, y: float) -> str:
    sign = "&#215;" if coverage >= LOWEST else f"&#8592; {100 * coverage:.0f} %"
    anchor = "middle" if coverage >= LOWEST else "start"
    x = _x(max(coverage, LOWEST))
    return f'<text x="{x:.1f}" y="{y}" fill="#888888" text-anchor="{anchor}">{sign}</text>'


def _x(coverage: float) -> float:
    share = (min(max(coverage, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" {more}>{escape(words)}</text>'
