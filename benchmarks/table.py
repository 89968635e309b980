"""Prints the table of `make bench` from what pytest-benchmark wrote: `table.py bench.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rows import CACHE, COLD, MEMORY_TARGET, MODEL, PATCH, PLAIN, PROMPTS, ROWS, TOKENS

Infos = dict[tuple[str, str], dict[str, Any]]
HEAD = (
    "",
    "ours s",
    "forwards",
    "target",
    "",
    "counted",
    "MB",
    "TransformerLens s",
    "forwards",
    "MB",
)


def table(infos: Infos) -> list[tuple[str, ...]]:
    """Return a line per row: ours, the target and whether it is met, TransformerLens's."""
    return [HEAD, *(_line(name, infos) for name in (PLAIN, CACHE, COLD, *ROWS))]


def verdict(forwards: float, target: float | None) -> str:
    """Return whether a target is met."""
    if target is None:
        return ""
    return "met" if forwards <= target else "missed"


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return slope, intercept and largest deviation, a share of the largest value, of a line."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points)
    slope /= sum((x - mean_x) ** 2 for x, _ in points)
    intercept = mean_y - slope * mean_x
    off = max(abs(y - slope * x - intercept) for x, y in points)
    return slope, intercept, off / max(y for _, y in points)


def curve(what: str, points: Sequence[tuple[float, float]]) -> list[str]:
    """Return a line per point, drawn as a bar, and the straight line through them."""
    longest = max(y for _, y in points)
    lines = [f"{x:6.0f} {what:13} {y:6.2f} {'#' * round(48 * y / longest)}" for x, y in points]
    slope, intercept, off = fit(points)
    return [*lines, f"= {slope:.4f} x {intercept:+.2f}, off by at most {off:.0%} of the largest"]


def _line(name: str, infos: Infos) -> tuple[str, ...]:
    ours, theirs = infos.get((name, "ours"), {}), infos.get((name, "theirs"), {})
    if name == CACHE:
        cold = infos.get((COLD, "ours"), {})
        ours = {"seconds": cold.get("cache"), "forwards": cold.get("cache_forwards")}
    target = ours.get("target")
    scaled = "*" if theirs.get("scaled", 1) != 1 else ""
    return (
        name,
        _number(ours.get("seconds")),
        _number(ours.get("forwards")),
        "" if target is None else f"{target:g}",
        verdict(ours.get("forwards", 0.0), target),
        _number(ours.get("multiplied")),
        _megabytes(ours.get("memory")),
        _number(theirs.get("seconds")) + scaled,
        _number(theirs.get("forwards")) + scaled,
        _megabytes(theirs.get("memory")),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _megabytes(value: float | None) -> str:
    return "" if value is None else f"{value / 1e6:.0f}"


def _columns(lines: Iterable[tuple[str, ...]]) -> list[str]:
    lines = list(lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _memory(infos: Infos) -> str:
    found = {name: infos.get((name, "ours"), {}).get("memory") for name in ROWS}
    known = {name: value for name, value in found.items() if value is not None}
    if not known:
        return "Peak memory over the model: not measured (needs Linux's /proc)."
    worst = max(known, key=lambda name: known[name])
    met = "met" if known[worst] <= MEMORY_TARGET else "missed"
    return (
        f"Peak memory over the model, at most: {known[worst] / 1e6:.0f} MB; "
        f"target {MEMORY_TARGET / 1e6:.0f}: {met}.\n({worst})"
    )


def _growth(infos: Infos, what: str) -> list[str]:
    points = sorted((info["x"], info["forwards"]) for info in infos.values() if info["row"] == what)
    return curve(what, points) if points else []


def _clock(threads: int) -> str:
    return "CPU seconds on 1 thread" if threads == 1 else f"{threads} threads, wall-clock seconds"


def report(found: dict[str, Any]) -> str:
    """Return all of it as text."""
    infos: Infos = {}
    for each in found["benchmarks"]:
        info = each["extra_info"]
        if "row" in info:
            infos[info["row"], info["who"] + str(info.get("x", ""))] = info
    plain = [info["plain"] for info in infos.values()]
    cpu = found["machine_info"].get("cpu", {})
    return "\n".join(
        [
            f"{MODEL}, {PROMPTS} prompts of {TOKENS} tokens, fp32, {cpu.get('brand_raw', 'CPU')},",
            f"{_clock(found['machine_info']['threads'])}; a plain forward took "
            f"{min(plain):.2f} to {max(plain):.2f} s.",
            "",
            *_columns(table(infos)),
            "",
            "forwards: time over that of TransformerLens's plain forward of the same prompts, run",
            "right before. Times of both sides are beyond the caches they start from; a cold claim",
            "is with everything. counted: multiplications by weights in place of time, whose",
            "products are not equally fast on both sides. MB: peak over the loaded model, caches",
            "included.",
            "* scaled up from a sample; one forward per head or edge, as TransformerLens makes it.",
            _memory(infos),
            "",
            f"Growth, in forwards of {PROMPTS} prompts: {PATCH.split(',')[0]}",
            *_growth(infos, "interventions"),
            "and of 90 heads:",
            *_growth(infos, "prompts"),
        ]
    )


if __name__ == "__main__":
    print(report(json.loads(Path(sys.argv[1]).read_text())))
