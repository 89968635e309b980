"""The table of a dry run: what each claim would cost alone, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_circuits.report.summary import in_columns

if TYPE_CHECKING:
    from pytest_circuits.forecast import Forecast


def forecast_lines(found: Sequence[Forecast]) -> list[str]:
    """Return the table as lines of plain text, the dearest claim first, the total last.

    Why a claim cannot be evaluated stands below.
    """
    *alone, together = found
    alone.sort(key=lambda each: -each.forwards)
    header = ("claim", "forward-equivalents", "prompts", "memory")
    rows = in_columns([header, *map(_cells, alone), _total(together, alone)])
    reasons = [f"{each.name} is not evaluable: {each.reason}" for each in alone if each.reason]
    return [*rows, *reasons]


def _cells(each: Forecast) -> tuple[str, ...]:
    expected = f"{each.prompts or 'over ' + str(each.budget)} of {each.budget}"
    if each.reason:
        return (each.name, "error", "", "")
    return (each.name, f"{each.forwards:.2f}", expected, f"{each.memory / 1e6:.0f} MB")


def _total(together: Forecast, alone: Sequence[Forecast]) -> tuple[str, ...]:
    apart = sum(each.forwards for each in alone)
    return (
        f"all {len(alone)} together",
        f"{together.forwards:.2f} (apart {apart:.2f})",
        f"at most {together.budget}",
        f"{together.memory / 1e6:.0f} MB",
    )
