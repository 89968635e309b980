"""The tables of docs/calibration.md, written between its markers."""

from collections.abc import Iterable, Sequence

from alternatives import Alternative, Tail
from covered import SIZES, Row
from decisions import Cost, Equivalent, Family, Wrong
from fresh import SIZES as FRESH_SIZES
from fresh import Fresh
from reference import OnModel
from smollm2 import Between
from together import SIZES as FAMILIES
from together import Together
from unvaried import Unvaried

# Between-seed spread over stated error, outside of which a cell is bold.
HONEST = (0.8, 1.2)
# The number of prompts at which misses are shown by side, and the percentile bootstrap.
SIDES_AT = 64


def filled(page: str, tables: dict[str, str]) -> str:
    """Return the page with each table between `<!-- name -->` and `<!-- end name -->`."""
    for name, table in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        before, rest = page.split(start)
        _, after = rest.split(end)
        page = f"{before}{start}\n{table}\n{end}{after}"
    return page


def coverage_table(rows: Sequence[Row]) -> str:
    """Return coverage by quantity and n, with the misses on either side at the largest n."""
    by_name: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_name.setdefault((row.kind, row.name), []).append(row)
    columns = [f"n = {n}" for n in SIZES]
    head = ["quantity", *columns, f"above, below at {SIDES_AT}", f"percentile at {SIDES_AT}"]
    return _table(head, (_coverage_line(name, each) for name, each in by_name.items()))


def _coverage_line(name: tuple[str, str], rows: Sequence[Row]) -> list[str]:
    one = next(row for row in rows if row.n == SIDES_AT)
    percentile = "" if one.percentile is None else f"{100 * one.percentile:.1f}"
    misses = f"{100 * one.above:.1f}, {100 * one.below:.1f}"
    covered = [_marked(row) for row in sorted(rows, key=lambda row: row.n)]
    return [f"{name[0]}: {name[1]}", *covered, misses, percentile]


def _marked(row: Row) -> str:
    """Return the coverage, in bold where a side errs by three standard errors more than stated."""
    words = f"{100 * row.coverage:.1f}"
    return f"**{words}**" if max(row.above, row.below) > 0.025 + 3 * row.error_of_side else words


def alternatives_table(rows: Sequence[Alternative]) -> str:
    """Return the coverage of other intervals, a column for each."""
    methods = list(dict.fromkeys(row.method for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(f"{row.name}, n = {row.n}", []).append(f"{100 * row.coverage:.1f}")
    return _table(["quantity", *methods], ([name, *cells] for name, cells in lines.items()))


def tails_table(rows: Sequence[Tail]) -> str:
    """Return errors on either side as multiples of what is stated, a column for each level."""
    levels = list(dict.fromkeys(row.alpha for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(f"{row.name}, n = {row.n}", []).append(f"{row.above:.1f}, {row.below:.1f}")
    head = ["quantity", *(f"{100 * (1 - level):g} %" for level in levels)]
    return _table(head, ([name, *cells] for name, cells in lines.items()))


def threshold_table(rows: Iterable[Wrong]) -> str:
    """Return wrong decisions where the truth is the threshold."""
    head = ["quantity", "looks", "held", "refuted"]
    return _table(head, ([r.name, r.looks, _percent(r.holds), _percent(r.refuted)] for r in rows))


def cost_table(rows: Sequence[Cost]) -> str:
    """Return prompts spent and share decided, a column for each distance."""
    distances = list(dict.fromkeys(row.away for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        decided = 100 * (row.holds + row.refuted)
        lines.setdefault(row.rule, []).append(f"{row.prompts:.0f} ({decided:.0f})")
    head = ["rule", *(f"{away:g} sd" for away in distances)]
    return _table(head, ([rule, *cells] for rule, cells in lines.items()))


def family_table(rows: Iterable[Family]) -> str:
    """Return the errors of suites under each correction."""
    head = ["correction", "suites with a false pass", "false among passes", "true claims that hold"]
    return _table(
        head,
        (
            [r.correction, _percent(r.any_false), _percent(r.false_share), _percent(r.power)]
            for r in rows
        ),
    )


def equivalence_table(rows: Iterable[Equivalent]) -> str:
    """Return how often a difference within the margin, at it and beyond is found equivalent."""
    head = ["n", "true difference", "equivalent", "refuted"]
    return _table(
        head, ([str(r.n), f"{r.truth:g}", _percent(r.holds), _percent(r.refuted)] for r in rows)
    )


def together_table(rows: Iterable[Together]) -> str:
    """Return how often suites at their thresholds have a wrong verdict, a column for each size."""
    by_name: dict[str, list[Together]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    columns = [f"{size} claim{'s' if size > 1 else ''}" for size in FAMILIES]
    return _table(
        ["values", *columns], ([name, *map(_wrong, each)] for name, each in by_name.items())
    )


def _wrong(row: Together) -> str:
    """Return the error with its own, in bold where it is three of these above what is stated."""
    words = f"{100 * row.wrong:.1f} ({100 * row.error:.1f})"
    return f"**{words}**" if row.wrong > 0.025 + 3 * row.error else words


def unvaried_table(rows: Iterable[Unvaried]) -> str:
    """Return wrong decisions of values that hardly vary."""
    head = ["value, truth at the threshold", "no variation on 32", "held", "refuted"]
    return _table(head, ([r.name, *map(_percent, (r.constant, r.holds, r.refuted))] for r in rows))


def reference_table(rows: Iterable[OnModel]) -> str:
    """Return coverage and errors at the threshold on prompts of a model."""
    head = ["measure", "n", "truth", "coverage", "held", "refuted"]
    return _table(
        head,
        (
            [r.name, str(r.n), f"{r.truth:.3f}", *map(_percent, (r.coverage, r.held, r.refuted))]
            for r in rows
        ),
    )


def between_table(rows: Iterable[Between]) -> str:
    """Return how far values move between seeds, against what intervals say."""
    head = ["measure", "mean", "SD between seeds", "SD / SE", "width for other wordings"]
    return _table(
        head,
        (
            [
                f"`{r.name}`",
                *_numbers(r.value, r.spread),
                f"{r.ratio:.2f}",
                f"{r.clustered:.1f} times",
            ]
            for r in rows
        ),
    )


def fresh_table(rows: Sequence[Fresh]) -> str:
    """Return spread over stated error, and coverage with the misses on either side, by n."""
    by_name: dict[str, list[Fresh]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    spread = [f"SD / SE, n = {n}" for n in FRESH_SIZES]
    covered = [f"coverage (above, below), n = {n}" for n in FRESH_SIZES]
    return _table(
        ["quantity", "truth", *spread, *covered],
        (
            [name, f"{each[0].truth:.3f}", *map(_spread, each), *map(_misses, each)]
            for name, each in by_name.items()
        ),
    )


def _spread(row: Fresh) -> str:
    words = f"{row.ratio:.2f}"
    return words if HONEST[0] <= row.ratio <= HONEST[1] else f"**{words}**"


def _misses(row: Fresh) -> str:
    return f"{100 * row.coverage:.0f} ({100 * row.above:.0f}, {100 * row.below:.0f})"


def _numbers(*numbers: float) -> list[str]:
    return [f"{number:.3f}" for number in numbers]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
