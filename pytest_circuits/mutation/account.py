"""What came of it: which claim gave way on which mutant. Builtins only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The claims of a suite on one mutant; `reason` says why there is nothing if there is nothing.

    `statuses` gives holds, refuted, undecided or error for each claim that held on the model;
    `behaviour` the logit difference. `failed`: the mutant could not be made; otherwise, with a
    reason, it changes nothing.
    """

    mutant: dict[str, Any]
    statuses: dict[str, str] = field(default_factory=dict)
    behaviour: float | None = None
    reason: str = ""
    failed: bool = False

    @property
    def name(self) -> str:
        """The mutant in words."""
        return str(self.mutant["name"])

    @property
    def noticed(self) -> bool:
        """Whether a claim that held is refuted. Undecided, or an error, is not enough."""
        return "refuted" in self.statuses.values()

    def count(self, status: str) -> int:
        """Return the number of claims of a status."""
        return Counter(self.statuses.values())[status]


@dataclass(frozen=True, kw_only=True)
class Account:
    """One suite on one model: every mutant's trial.

    `claims` held on the model and were put to the mutants; `left_out` did not hold on the model,
    so that nothing follows from what they are on a mutant.
    """

    suite: str
    model: str
    claims: tuple[str, ...]
    left_out: tuple[str, ...]
    behaviour: float | None
    trials: tuple[Trial, ...]
    seconds: float

    @property
    def tried(self) -> tuple[Trial, ...]:
        """The mutants that were made, and are not the model itself."""
        return tuple(each for each in self.trials if not each.reason)

    @property
    def noticed(self) -> tuple[Trial, ...]:
        """The mutants on which a claim is refuted."""
        return tuple(each for each in self.tried if each.noticed)

    @property
    def unmade(self) -> tuple[Trial, ...]:
        """The mutants that could not be made on this model."""
        return tuple(each for each in self.trials if each.failed)

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """The mutants on which no claim is refuted."""
        return tuple(each for each in self.tried if not each.noticed)

    @property
    def never_failed(self) -> tuple[str, ...]:
        """The claims that hold on every mutant."""
        return tuple(claim for claim in self.claims if self.statuses(claim) <= {"holds"})

    @property
    def never_refuted(self) -> tuple[str, ...]:
        """The claims that some mutant leaves undecided or without a value, and none refutes."""
        return tuple(
            claim
            for claim in self.claims
            if "refuted" not in self.statuses(claim) and claim not in self.never_failed
        )

    def statuses(self, claim: str) -> set[str]:
        """Return all that a claim is on some mutant."""
        return {trial.statuses[claim] for trial in self.tried}

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as builtins, for JSON."""
        return {
            "suite": self.suite,
            "model": self.model,
            "claims": list(self.claims),
            "left_out": list(self.left_out),
            "logit_difference": self.behaviour,
            "mutants": len(self.tried),
            "noticed": len(self.noticed),
            "survivors": [each.name for each in self.survivors],
            "never_failed": list(self.never_failed) if self.tried else [],
            "never_refuted": list(self.never_refuted),
            "seconds": self.seconds,
            "trials": [_trial(each) for each in self.trials],
        }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "mutant": trial.mutant,
        "noticed": trial.noticed,
        "logit_difference": trial.behaviour,
        "statuses": dict(trial.statuses),
        "reason": trial.reason,
    }
