"""Families of claims: the error of a suite, not of each claim in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pytest_circuits.errors import CircuitUsageError, unknown_name
from pytest_circuits.statistics.evidence import Evidence

Correction = Literal["holm", "benjamini-hochberg", "none"]


def corrected(claims: Sequence[Evidence], correction: Correction = "holm") -> tuple[Evidence, ...]:
    """Return the evidence on each claim of a suite, adjusted for the number of claims.

    Compare with alpha as before. Passes and refutations are two families, corrected apart:

    - `holm` (Holm 1979): with probability at least 1 - alpha no claim of the suite is decided
      wrongly: some false claim holds with probability at most alpha / 2, some true one is refuted
      with at most alpha / 2. However claims depend on one another.
    - `benjamini-hochberg` (1995): of the claims that hold, at most alpha / 2 are false on average,
      and of the refuted ones at most alpha / 2 true. For claims that are independent or go
      together; none of the other kind is promised.
    - `none`: each claim on its own.

    With p-values from `anytime` this stays true while some claims go on sampling.
    """
    if correction == "none":
        return tuple(claims)
    if correction not in ("holm", "benjamini-hochberg"):
        known = ("holm", "benjamini-hochberg", "none")
        raise CircuitUsageError("`correction`: " + unknown_name("correction", correction, known))
    adjust = holm if correction == "holm" else benjamini_hochberg
    holds = adjust([claim.holds for claim in claims])
    refuted = adjust([claim.refuted for claim in claims])
    return tuple(Evidence(*each) for each in zip(holds, refuted, strict=True))


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p-values: the i-th smallest of m times m - i + 1, never falling."""
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(_ascending(ps)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def benjamini_hochberg(ps: Sequence[float]) -> tuple[float, ...]:
    """Return Benjamini and Hochberg's: the i-th smallest of m times m / i, never falling."""
    adjusted = [0.0] * len(ps)
    smallest = 1.0
    for rank, index in reversed(list(enumerate(_ascending(ps), start=1))):
        smallest = min(smallest, len(ps) / rank * ps[index])
        adjusted[index] = smallest
    return tuple(adjusted)


def _ascending(ps: Sequence[float]) -> list[int]:
    return sorted(range(len(ps)), key=lambda index: ps[index])
