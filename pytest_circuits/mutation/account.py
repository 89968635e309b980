"""What came of it: which claim gave way on which mutant. Builtins only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The claims of a suite on one mutant; `reason` says why there is nothing if there is nothing.

    `statuses` gives holds, refuted, undecided or error for each claim that held on the model;
    `asked` are the claims that may notice: those that name a head it sabotages, or all of them for
    a sabotage of the whole model and for a decoy. `behaviour` is the logit difference. `failed`:
    the mutant could not be made; otherwise, with a reason, it changes nothing.
    """

    mutant: dict[str, Any]
    statuses: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    behaviour: float | None = None
    reason: str = ""
    failed: bool = False

    @property
    def name(self) -> str:
        """The mutant in words."""
        return str(self.mutant["name"])

    @property
    def noticed(self) -> bool:
        """Whether a claim that may notice is refuted. Undecided, or an error, is not enough."""
        return bool(self.refuted)

    @property
    def refuted(self) -> tuple[str, ...]:
        """The claims that notice it."""
        return tuple(claim for claim in self.asked if self.statuses[claim] == "refuted")

    @property
    def kind(self) -> str:
        """What was done, in words, whatever it was done to."""
        return str(self.mutant["kind"])

    @property
    def is_decoy(self) -> bool:
        """Whether it changes nothing that the model does, so that no claim may notice."""
        return bool(self.mutant["scope"] == "decoy")

    def count(self, status: str) -> int:
        """Return the number of claims of a status, among those that may notice."""
        return Counter(self.statuses[claim] for claim in self.asked)[status]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many mutants of one kind were noticed; `scope` is what they change, or "decoy"."""

    kind: str
    scope: str
    noticed: int
    of: int


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
        """The sabotages that were made, and are not the model itself."""
        return tuple(each for each in self.trials if not each.reason and not each.is_decoy)

    @property
    def decoys(self) -> tuple[Trial, ...]:
        """The decoys that were made, and do not leave every weight as it was."""
        return tuple(each for each in self.trials if not each.reason and each.is_decoy)

    @property
    def falsely_noticed(self) -> tuple[Trial, ...]:
        """The decoys on which a claim is refuted: none should be."""
        return tuple(each for each in self.decoys if each.noticed)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """How many were noticed, for each kind of mutant by itself."""
        made = (*self.tried, *self.decoys)
        kinds = dict.fromkeys((str(each.mutant["scope"]), each.kind) for each in made)
        return tuple(_tally(*kind, [e for e in made if e.kind == kind[1]]) for kind in kinds)

    @property
    def unmade(self) -> tuple[Trial, ...]:
        """The mutants that could not be made on this model."""
        return tuple(each for each in self.trials if each.failed)

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """The sabotages on which no claim that may notice is refuted."""
        return tuple(each for each in self.tried if not each.noticed)

    @property
    def never_failed(self) -> tuple[str, ...]:
        """The claims that hold on every sabotage."""
        return tuple(claim for claim in self.claims if self.statuses(claim) <= {"holds"})

    @property
    def never_refuted(self) -> tuple[str, ...]:
        """The claims that some sabotage leaves undecided or without a value, and none refutes."""
        return tuple(
            claim
            for claim in self.claims
            if "refuted" not in self.statuses(claim) and claim not in self.never_failed
        )

    def statuses(self, claim: str) -> set[str]:
        """Return all that a claim is on some sabotage."""
        return {trial.statuses[claim] for trial in self.tried}

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as builtins, for JSON."""
        return {
            "suite": self.suite,
            "model": self.model,
            "claims": list(self.claims),
            "left_out": list(self.left_out),
            "logit_difference": self.behaviour,
            "kinds": [asdict(each) for each in self.tallies],
            "survivors": [each.name for each in self.survivors],
            "falsely_noticed": {each.name: list(each.refuted) for each in self.falsely_noticed},
            "never_failed": list(self.never_failed) if self.tried else [],
            "never_refuted": list(self.never_refuted),
            "seconds": self.seconds,
            "trials": [_trial(each) for each in self.trials],
        }


def _tally(scope: str, kind: str, trials: Sequence[Trial]) -> Tally:
    noticed = sum(each.noticed for each in trials)
    return Tally(kind=kind, scope=scope, noticed=noticed, of=len(trials))


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "mutant": trial.mutant,
        "noticed": trial.noticed,
        "logit_difference": trial.behaviour,
        "asked": list(trial.asked),
        "statuses": dict(trial.statuses),
        "reason": trial.reason,
    }
