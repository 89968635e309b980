"""The text of a failing claim: what it says, what was measured, how, and how to see it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_circuits.errors import cut, printable

if TYPE_CHECKING:
    from pytest_circuits.estimates import Part
    from pytest_circuits.verdicts import Verdict

WIDTH = 100
MOST_PARTS = 8
LONGEST = 10_000  # characters that are wrapped into the few lines of a field


def short_text(verdict: Verdict) -> list[str]:
    """Return the three lines that an assertion shows: claim, measured, required."""
    lines = (
        f"claim {verdict.status}: {verdict.claim}",
        f"measured {_measured(verdict)} ({verdict.estimate.method.size()})",
        f"required {verdict.claim.required()}, margin {verdict.margin:+.3g}",
    )
    return [printable(line) for line in lines]


def failure_text(verdict: Verdict, *, name: str = "", rerun: str = "") -> list[str]:
    """Return the full text, under 20 lines."""
    method = verdict.estimate.method
    head = f"{printable(name)} is {verdict.status}" if name else f"claim {verdict.status}"
    return [
        f"{head}: {_reason(verdict)}",
        *_field("claim", str(verdict.claim), most=2),
        *_field("measured", f"{_measured(verdict)}, {method.interval}", most=2),
        *_field("required", f"{verdict.claim.required()}, margin {verdict.margin:+.3g}"),
        *_field("notes", "; ".join(verdict.notes), most=2),
        *_field("decision", "" if verdict.decision is None else str(verdict.decision), most=2),
        *_ways(verdict),
        *_field(_parts_are(verdict), "; ".join(_parts(verdict)), most=2),
        *_worst_prompts(verdict),
        *_field(
            "model", f"{method.model} [{method.fingerprint[:12]}] {method.dtype} on {method.device}"
        ),
        *_field(
            "prompts", f"{method.size()}; {method.task}; digest {method.prompts_digest[:8]}", most=2
        ),
        *_field("left out", "; ".join(method.left_out)),
        *_field("runs", method.runs_in_short(), most=3),
        *_field("source", verdict.claim.source),
        *(
            [f"  {'rerun':<9}  {printable(rerun)}"] if rerun else []
        ),  # whole, whatever its length: to be copied
    ]


def interval(part: Part) -> str:
    """Return `label value [low, high]`."""
    return f"{part.label} {part.value:.4g} [{part.low:.4g}, {part.high:.4g}]".strip()


def _measured(verdict: Verdict) -> str:
    return f"{interval(verdict.worst)} {verdict.estimate.unit}".strip()


def _reason(verdict: Verdict) -> str:
    if verdict.status == "undecided":
        return f"{_why_undecided(verdict)}; more prompts would decide (--circuit-prompts)"
    return "no value of the interval satisfies it" if verdict.status == "refuted" else "it holds"


def _why_undecided(verdict: Verdict) -> str:
    method = verdict.estimate.method
    if "no variation" in method.interval and len(verdict.estimate.parts) == 1:
        return f"no variation on {method.n} prompts, and others may differ by more than is allowed"
    return "the interval straddles the threshold"


def _parts_are(verdict: Verdict) -> str:
    """Return what the parts are called: heads, or else (classes, signals) just parts."""
    labels = [part.label for part in verdict.estimate.parts]
    pooled = len(labels) == 1
    return "heads" if pooled or all(re.fullmatch(r"\d+\.\d+", each) for each in labels) else "parts"


def _parts(verdict: Verdict) -> Iterator[str]:
    parts = sorted(verdict.estimate.parts, key=lambda part: verdict.claim.margin(part.value))
    shown = list(map(interval, parts)) if len(parts) > 1 else []
    shown = shown or [f"{head} {value:.3g}" for head, value in verdict.estimate.by_head]
    yield from shown[:MOST_PARTS]
    if len(shown) > MOST_PARTS:
        yield f"and {len(shown) - MOST_PARTS} more"


def _ways(verdict: Verdict) -> Iterator[str]:
    """Return a line per method of a sweep, those that do not hold first."""
    from pytest_circuits.levels import ORDER

    ways = sorted(verdict.ways, key=lambda each: ORDER.index(each[1].status))
    for i, (label, each) in enumerate(ways[:MOST_PARTS]):
        said = f"{each.status}: {label}, {_measured(each)}"
        yield from _field("methods" if i == 0 else "", said, keep_label=True)
    if len(ways) > MOST_PARTS:
        yield from _field("", f"and {len(ways) - MOST_PARTS} more", keep_label=True)


def _worst_prompts(verdict: Verdict) -> Iterator[str]:
    """Return a line per prompt: its own value, or its part in the value where that is no mean."""
    how = " (linearised)" if verdict.estimate.linearised else ""
    for i, (text, value) in enumerate(verdict.worst_prompts()):
        label = "worst" if i == 0 else ""
        yield from _field(label, f"{value:.3g}{how}  {text!r}", keep_label=True)


def _field(label: str, text: str, *, most: int = 1, keep_label: bool = False) -> Iterable[str]:
    if not text:
        return []
    lines = wrap(printable(cut(text, LONGEST)), WIDTH - 13, max_lines=most, placeholder=" ...")
    first = [f"{label:<9}  {lines[0]}"]
    return [f"  {line}" for line in first + [f"{'':<11}{line}" for line in lines[1:]]]
