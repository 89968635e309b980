"""How sure verdicts must be, and over what: rules as plain data, read from suites and options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_circuits.errors import CircuitUsageError, unknown_name

Correction = Literal["holm", "benjamini-hochberg", "none"]

CORRECTIONS: tuple[Correction, ...] = ("holm", "benjamini-hochberg", "none")


def check_prompts(prompts: int, seed: int, *, name: str = "prompts") -> None:
    """Refuse numbers of prompts or seeds that cannot be meant."""
    if isinstance(prompts, bool) or not isinstance(prompts, int) or prompts < 2:
        raise CircuitUsageError(
            f"`{name}` must be a whole number of at least 2 (an interval needs two); "
            f"got {prompts!r}."
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise CircuitUsageError(f"`seed` must be a whole number of at least 0; got {seed!r}.")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How sure a verdict must be: `alpha` is the error allowed, over all claims decided together.

    `correction` says how: "holm" (no wrong verdict at all, but with probability alpha),
    "benjamini-hochberg" (a share of alpha among the verdicts) or "none" (each claim for itself).
    A claim looks at `first` prompts, and while undecided at twice as many, up to its budget; None
    for one look at all of them. `clustered`: what intervals are for, fresh prompts of the same
    wordings (False), or fresh wordings as well, so many as the prompts have (True). None: what the
    task declares; IOI's templates are fixed, the clusters of an own task are not.
    """

    alpha: float = 0.05
    correction: Correction = "holm"
    first: int | None = 32
    clustered: bool | None = None

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            raise CircuitUsageError(
                "`correction`: " + unknown_name("correction", self.correction, CORRECTIONS)
            )
        if not isinstance(self.alpha, float) or not 0 < self.alpha < 0.5:
            raise CircuitUsageError(f"`alpha` must lie between 0 and 0.5; got {self.alpha!r}.")
        if self.clustered not in (None, True, False):
            raise CircuitUsageError(
                f"`clustered` must be True, False or None; got {self.clustered!r}."
            )
        if self.first is not None:
            check_prompts(self.first, 0, name="first")


DEFAULT_RULES = Rules()
