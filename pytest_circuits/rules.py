"""How sure verdicts must be, and over what: rules as plain data, read from suites and options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_circuits.arguments import check_choice, check_whole
from pytest_circuits.errors import CircuitUsageError, shown

Correction = Literal["holm", "benjamini-hochberg", "none"]

CORRECTIONS: tuple[Correction, ...] = ("holm", "benjamini-hochberg", "none")

MOST_PROMPTS = 100_000
PROMPT_BYTES, PROMPTS_A_SECOND = 22_000, 500  # to draw one of IOI with its counterparts; measured


def check_prompts(prompts: int, seed: int, *, name: str = "prompts") -> None:
    """Refuse numbers of prompts or seeds that cannot be meant."""
    if isinstance(prompts, bool) or not isinstance(prompts, int) or prompts < 2:
        raise CircuitUsageError(
            f"`{name}` must be a whole number of at least 2 (an interval needs two); "
            f"got {shown(prompts)}."
        )
    if prompts > MOST_PROMPTS:
        raise CircuitUsageError(f"`{name}` {too_many(prompts)}.")
    check_whole("seed", seed, 0)


def too_many(prompts: int) -> str:
    """Return the rule for numbers of prompts above the most, with what so many would cost."""
    size, hours = prompts * PROMPT_BYTES // 10**9, prompts // PROMPTS_A_SECOND // 3600
    needs = f"some {size:,} GB of memory and {hours:,} hours" if prompts < 10**15 else "for ever"
    return (
        f"must be at most {MOST_PROMPTS:,}: prompts are drawn before anything is run, and "
        f"{shown(prompts)} would take {needs} to draw"
    )


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
        check_choice("correction", self.correction, "correction", CORRECTIONS)
        if not isinstance(self.alpha, float) or not 0 < self.alpha < 0.5:
            raise CircuitUsageError(f"`alpha` must lie between 0 and 0.5; got {shown(self.alpha)}.")
        if not (self.clustered is None or isinstance(self.clustered, bool)):
            raise CircuitUsageError(
                f"`clustered` must be True, False or None; got {shown(self.clustered)}."
            )
        if self.first is not None:
            check_prompts(self.first, 0, name="first")


DEFAULT_RULES = Rules()
