"""The summary of a session: one table, worst claim first, and what it cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from pytest_circuits.report.card import UNSELECTED, card

PROPERTY = "circuit_"
NOT_EVALUATED = "not evaluated"
RANK = ("error", NOT_EVALUATED, "refuted", "undecided", "holds")


EXPECTED = "xfail"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim in the report; `verdict` is `Verdict.as_dict()`, empty if not evaluated.

    `note` says where pytest's outcome is not what the status suggests: the claim was expected
    not to hold (`xfail`), or the item failed although the claim holds. One row of each file tells
    of the claims of the file: the node ids of those `selected`, and what they are reported under;
    the facts of those that were collected and `unselected`.
    """

    nodeid: str
    status: str
    verdict: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    note: str = ""
    passes: tuple[dict[str, Any], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    selected: dict[str, str] = field(default_factory=dict)
    unselected: tuple[dict[str, Any], ...] = ()

    @property
    def file(self) -> str:
        """The file whose suite the claim belongs to."""
        return file_of(self.nodeid)


def file_of(nodeid: str) -> str:
    """Return the file that a node id begins with."""
    return nodeid.split("::")[0]


def as_properties(verdict: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return JUnit properties: the numbers one by one, and all of the verdict as JSON."""
    method = verdict["method"]
    single = ("status", "value", "low", "high", "n", "unit", "required", "margin", "source")
    return [
        *((PROPERTY + key, verdict[key]) for key in single),
        *((PROPERTY + key, method[key]) for key in ("model", "fingerprint", "dtype", "device")),
        (PROPERTY + "verdict", to_json(verdict)),
    ]


def row_of(
    status: str, properties: Iterable[tuple[str, Any]], *, reason: str = "", note: str = ""
) -> Row:
    """Return the row of a report that `as_properties` went into.

    `reason` says why there is no verdict, unless a property says so.
    """
    found = dict(properties)
    return Row(
        nodeid=found[PROPERTY + "nodeid"],
        status=status,
        verdict=json.loads(found.get(PROPERTY + "verdict", "{}")),
        reason=found.get(PROPERTY + "reason", reason),
        note=note,
        passes=tuple(json.loads(found.get(PROPERTY + "passes", "[]"))),
        facts=json.loads(found.get(PROPERTY + "facts", "{}")),
        selected=json.loads(found.get(PROPERTY + "selected", "{}")),
        unselected=tuple(json.loads(found.get(PROPERTY + "unselected", "[]"))),
    )


def is_about_claim(properties: Iterable[tuple[str, Any]]) -> bool:
    """Return whether a report with these properties is a claim's."""
    return any(name == PROPERTY + "claim" for name, _ in properties)


def to_json(value: Any, **options: Any) -> str:
    """Return JSON that every reader accepts: an interval without bound is null, not Infinity."""
    return json.dumps(_finite(value), allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 claim`, `2 claims`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Return rows by status, then by margin; last what was expected not to hold."""

    def key(row: Row) -> tuple[bool, int, float, str]:
        margin = row.verdict.get("margin") or 0.0
        # Workers report in any order; the name makes the order of equals the same every time.
        return (row.note == EXPECTED, RANK.index(row.status), margin, row.nodeid)

    return sorted(rows, key=key)


def table(rows: Sequence[Row]) -> list[str]:
    """Return the summary table as lines of plain text."""
    ordered = worst_first(rows)
    header = ("claim", "measured [interval]", "required", "margin", _size_header(rows), "")
    notes = [
        f"note: {_name(row)}: {note}" for row in ordered for note in row.verdict.get("notes", ())
    ]
    return [*in_columns([header, *map(_cells, ordered)]), *notes]


def _size_header(rows: Iterable[Row]) -> str:
    """Return `n`, or `n/templates` where some prompts are known to share wordings."""
    kinds = {row.verdict["method"].get("cluster_kind") for row in rows if row.verdict}
    named = sorted(filter(None, kinds))
    return "/".join(["n", *(named if len(named) < 2 else ["clusters"])])


def in_columns(cells: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of words as lines, each column as wide as its longest word."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def not_evaluated(rows: Iterable[Row]) -> list[str]:
    """Return a loud line per reason why claims were skipped: a skip must not look like a pass."""
    reasons = Counter(row.reason for row in rows if row.status == NOT_EVALUATED)
    return [
        f"{counted(count, 'claim')} NOT EVALUATED: {reason or 'skipped'}"
        for reason, count in reasons.items()
    ]


def cost(rows: Iterable[Row]) -> str:
    """Return what was run, and what it cost in plain forward passes of the most prompts."""
    passes = [each for row in rows for each in row.passes]
    interventions, seconds = (
        sum(each[key] for each in passes) for key in ("interventions", "seconds")
    )
    most = max((each["prompts"] for each in passes), default=1)
    forwards = sum(each["forwards"] * each["prompts"] for each in passes) / most
    made = counted(len(passes), "pass", "passes")
    return (
        f"{made}, {counted(interventions, 'intervention')}, {forwards:.1f} forward-equivalents of "
        f"{counted(most, 'prompt')}, {seconds:.1f} s in the model"
    )


def as_document(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the JSON report: every claim with its verdict, worst first, and the passes."""
    return {
        "claims": [
            {"nodeid": row.nodeid, **row.verdict, **_outcome(row)} for row in worst_first(rows)
        ],
        "passes": [each for row in rows for each in row.passes],
        "validity": cards(rows),
    }


def cards(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """Return the validity card of every file with claims."""
    by_file: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for row in rows:
        if row.facts:
            every = [(row.facts, row.status), *((each, UNSELECTED) for each in row.unselected)]
            by_file.setdefault(row.file, []).extend(every)
    return {file: card(claims) for file, claims in sorted(by_file.items())}


def _outcome(row: Row) -> dict[str, str]:
    return {"status": row.status, "reason": row.reason, "note": row.note}


def _cells(row: Row) -> tuple[str, ...]:
    name = _name(row)
    outcome = f"{row.status} ({row.note})" if row.note else row.status
    if not row.verdict:
        return (name, shorten(row.reason, 60, placeholder=" ..."), "", "", "", outcome)
    v = row.verdict
    measured = (
        f"{v['part']} {_number(v['value'])} [{_number(v['low'])}, {_number(v['high'])}]".strip()
    )
    return (name, measured, v["required"], _number(v["margin"], "+"), _size(v), outcome)


def _name(row: Row) -> str:
    return row.nodeid.rsplit("::", 1)[-1]


def _size(verdict: dict[str, Any]) -> str:
    clusters = verdict["method"].get("clusters")
    return f"{verdict['n']}/{clusters}" if clusters else str(verdict["n"])


def _number(value: float | None, sign: str = "") -> str:
    return "unbounded" if value is None else f"{value:{sign}.3g}"
