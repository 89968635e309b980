"""What comes out: an estimate with its method, and the verdict on a claim. All builtins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pytest_circuits.claims import Claim, Relation, Status
from pytest_circuits.errors import CircuitUsageError, ClaimRefuted
from pytest_circuits.estimates import Part
from pytest_circuits.measures.base import Measure
from pytest_circuits.statistics.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a value was measured; without it the number means nothing. All builtins.

    `engine` says how runs are made: the light cone and what its self-check found, or full forward
    passes and why.
    """

    task: str
    left_out: tuple[str, ...]
    prompts_digest: str
    n: int
    seed: int
    runs: tuple[str, ...]
    interval: str
    model: str
    fingerprint: str
    provenance: str
    dtype: str
    device: str
    engine: str

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as builtins that JSON knows."""
        return {**asdict(self), "runs": list(self.runs), "left_out": list(self.left_out)}

    def __str__(self) -> str:
        return (
            f"{self.model} [{self.fingerprint[:12]}] {self.dtype} on {self.device}; "
            f"{self.engine}; {self.task}; prompts {self.prompts_digest[:8]}; "
            f"runs: {self.runs_in_short()}; {self.interval}"
        )

    def runs_in_short(self, most: int = 6) -> str:
        """Return the runs in words: all of them, or how many and the first (JSON has them all)."""
        if len(self.runs) <= most:
            return "; ".join(self.runs)
        first = "; ".join(self.runs[:most])
        return f"{len(self.runs)}, of which {first}; and {len(self.runs) - most} more"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured value: mean, 95 % interval, n, unit, method; one part per head for `each`.

    Compare it with a number inside an `assert` to get a failure text as full as the plugin's:
    the comparison is a `Verdict`, true only if the whole interval satisfies it.
    """

    measure: Measure
    parts: tuple[Part, ...]
    unit: str
    n: int
    by_head: tuple[tuple[str, float], ...]
    by_prompt: tuple[tuple[str, float], ...]
    method: Method

    @property
    def value(self) -> float:
        """The measured value; for an estimate with several parts see `parts`."""
        return self._only().value

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval."""
        return self._only().low

    @property
    def high(self) -> float:
        """The upper end of the 95 % interval."""
        return self._only().high

    def between(self, low: float, high: float) -> Verdict:
        """Return the verdict on the value lying in [low, high]."""
        return judge(Claim(self.measure, "between", (low, high)), self)

    def __float__(self) -> float:
        return self.value

    def __ge__(self, threshold: float) -> Verdict:
        return self._judge(">=", threshold)

    def __le__(self, threshold: float) -> Verdict:
        return self._judge("<=", threshold)

    def __gt__(self, threshold: float) -> Verdict:
        return self._judge(">", threshold)

    def __lt__(self, threshold: float) -> Verdict:
        return self._judge("<", threshold)

    def __bool__(self) -> bool:
        raise TypeError(f"the estimate of '{self.measure}' has no truth value: compare it.")

    def __str__(self) -> str:
        parts = (f"{p.label} {p.value:.4g} [{p.low:.4g}, {p.high:.4g}]".strip() for p in self.parts)
        return f"{self.measure} = {', '.join(parts)} {self.unit} (n={self.n})".replace("  ", " ")

    def _judge(self, relation: Relation, threshold: float) -> Verdict:
        if isinstance(threshold, Estimate | Measure):
            raise CircuitUsageError(
                "`threshold`: compare two measures before they are measured, which pairs them: "
                "check(a > b, model)."
            )
        return judge(Claim(self.measure, relation, threshold), self)

    def _only(self) -> Part:
        if len(self.parts) > 1:
            raise CircuitUsageError(
                f"'{self.measure}' has a value per head: read `.parts`, or measure role.mean or "
                "role.sum."
            )
        return self.parts[0]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How sure a verdict is, and what that took; see `statistics`.

    `holds` and `refuted` are p-values for either, adjusted for all looks made and for the number
    of `claims` decided together by `correction`; a claim is decided where one of them is at most
    `alpha`. `prompts` of a `budget` were used, in `looks` of `most_looks`.
    """

    holds: float
    refuted: float
    alpha: float
    correction: str
    claims: int
    prompts: int
    budget: int
    looks: int
    most_looks: int

    @property
    def status(self) -> Status:
        """Holds, refuted, or undecided because the budget is spent."""
        return Evidence(self.holds, self.refuted).decision(self.alpha)

    def __str__(self) -> str:
        found = min(self.holds, self.refuted)
        family = f", {self.correction} over {self.claims} claims" if self.claims > 1 else ""
        spent = "budget spent" if self.status == "undecided" else "decided"
        return (
            f"p {found:.2g} (alpha {self.alpha:g}{family}); {spent} at {self.prompts} of "
            f"{self.budget} prompts, look {self.looks} of {self.most_looks}"
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim with what was measured. True only if it holds; undecided does not pass.

    `status`: `holds` if the whole interval of every part satisfies the claim, `refuted` if the
    interval of some part lies wholly outside, `undecided` otherwise; of a claim decided among
    others, what its `decision` says. `ways` are the verdicts under each method of a sweep, each on
    its own; the estimate is then that of the worst. `worst` is the part with the smallest margin
    and `margin` its value's distance to the threshold, negative if unsatisfied.
    """

    claim: Claim
    status: Status
    estimate: Estimate
    worst: Part
    margin: float
    decision: Decision | None = None
    ways: tuple[tuple[str, Verdict], ...] = ()

    def __bool__(self) -> bool:
        return self.status == "holds"

    def __repr__(self) -> str:
        worst = f"{self.worst.value:.4g} [{self.worst.low:.4g}, {self.worst.high:.4g}]"
        return f"<{self.status}: {self.claim}; measured {worst}, n={self.estimate.n}>"

    def worst_prompts(self, count: int = 3) -> tuple[tuple[str, float], ...]:
        """Return the prompts whose own value satisfies the claim least."""
        ranked = sorted(self.estimate.by_prompt, key=lambda each: self.claim.margin(each[1]))
        return tuple(ranked[:count])

    def require(self) -> None:
        """Raise `ClaimRefuted` with the full failure text unless the claim holds."""
        from pytest_circuits.report.text import failure_text

        if not self:
            raise ClaimRefuted("\n".join(failure_text(self)))

    def as_dict(self) -> dict[str, Any]:
        """Return everything measured as builtins, for JSON and reports."""
        return {
            "claim": str(self.claim),
            "status": self.status,
            "required": self.claim.required(),
            "margin": self.margin,
            "value": self.worst.value,
            "low": self.worst.low,
            "high": self.worst.high,
            "n": self.estimate.n,
            "unit": self.estimate.unit,
            "source": self.claim.source,
            "decision": None if self.decision is None else asdict(self.decision),
            "ways": {label: _as_way(verdict) for label, verdict in self.ways},
            "parts": [asdict(part) for part in self.estimate.parts],
            "by_head": dict(self.estimate.by_head),
            "worst_prompts": [list(each) for each in self.worst_prompts()],
            "method": self.estimate.method.as_dict(),
        }


def _as_way(verdict: Verdict) -> dict[str, Any]:
    worst, method = verdict.worst, verdict.estimate.method
    return {
        "status": verdict.status,
        "value": worst.value,
        "low": worst.low,
        "high": worst.high,
        "n": verdict.estimate.n,
        "seed": method.seed,
        "runs": list(method.runs),
    }


def judge(
    claim: Claim,
    estimate: Estimate,
    decision: Decision | None = None,
    ways: tuple[tuple[str, Verdict], ...] = (),
) -> Verdict:
    """Return the verdict on a claim, given the estimate of its measure.

    Without a `decision` the intervals decide, each part on its own.
    """
    decided = {claim.decide(part.low, part.high) for part in estimate.parts}
    status: Status = next(s for s in ("refuted", "undecided", "holds") if s in decided)
    status = status if decision is None else decision.status
    worst = min(estimate.parts, key=lambda part: claim.margin(part.value))
    return Verdict(
        claim=claim,
        status=status,
        estimate=estimate,
        worst=worst,
        margin=claim.margin(worst.value),
        decision=decision,
        ways=ways,
    )


def verdict_of_comparison(left: object, operator: str, right: object) -> Verdict | None:
    """Return the verdict behind `left operator right`, or None if no estimate is compared."""
    flipped = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
    if operator not in flipped:
        return None
    if isinstance(right, Estimate) and isinstance(left, int | float):
        left, operator, right = right, flipped[operator], left
    if not isinstance(left, Estimate) or not isinstance(right, int | float):
        return None
    relation: Relation = operator  # type: ignore[assignment]
    return judge(Claim(left.measure, relation, right), left)
