"""What comes out: an estimate with its method, and the verdict on a claim. All builtins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from pytest_circuits.claims import Claim, Relation, Status
from pytest_circuits.errors import CircuitUsageError, ClaimRefuted
from pytest_circuits.estimates import ALPHA, Part, interval_words
from pytest_circuits.levels import ORDER
from pytest_circuits.measures.base import Measure
from pytest_circuits.statistics.evidence import Evidence
from pytest_circuits.truth import Described, NoTruth, word

if TYPE_CHECKING:
    from pytest_circuits.statistics.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a value was measured; without it the number means nothing. All builtins.

    `engine` says how runs are made: the light cone and what its self-check found, or full forward
    passes and why. The n prompts are of so many `clusters` (`cluster_kind` names them: templates):
    intervals are about other prompts of these, not about others of their kind.
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
    clusters: int = 0
    cluster_kind: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as builtins that JSON knows."""
        return {**asdict(self), "runs": list(self.runs), "left_out": list(self.left_out)}

    def __str__(self) -> str:
        return (
            f"{self.model} [{self.fingerprint[:12]}] {self.dtype} on {self.device}; "
            f"{self.engine}; {self.task}; prompts {self.prompts_digest[:8]}; "
            f"runs: {self.runs_in_short()}; {self.interval}"
        )

    def size(self) -> str:
        """Return the number of prompts in words, and of how many templates they are."""
        of = f" of {self.clusters} {self.cluster_kind}" if self.clusters else ""
        return f"n={self.n}{of}"

    def runs_in_short(self, most: int = 6) -> str:
        """Return the runs in words: all of them, or how many and the first (JSON has them all)."""
        if len(self.runs) <= most:
            return "; ".join(self.runs)
        first = "; ".join(self.runs[:most])
        return f"{len(self.runs)}, of which {first}; and {len(self.runs) - most} more"


@dataclass(frozen=True, kw_only=True)
class Estimate(Described):
    """A measured value: mean, interval at `level`, n, unit, method; one part per head for `each`.

    `level` is 0.95 for what `measure` returns, and that at which the claim was decided in a
    verdict on a claim among others. `contributions` [parts][prompts] are what each prompt, by its
    text in `texts`, adds to the mean that a part is: its own value, or, if `linearised` (a
    ratio's), the value and the prompt's influence on it; empty where that means nothing.

    Compare it with a number inside an `assert` to get a failure text as full as the plugin's:
    the comparison is a `Verdict`, true only if the whole interval satisfies it, false only if none
    of it does. `==` and `!=` with a number raise TypeError.
    """

    said_instead: ClassVar[str] = (
        "write estimate.between(low, high); the value alone is float(estimate)."
    )

    measure: Measure
    parts: tuple[Part, ...]
    unit: str
    n: int
    by_head: tuple[tuple[str, float], ...]
    texts: tuple[str, ...]
    contributions: tuple[tuple[float, ...], ...]
    method: Method
    linearised: bool = False
    level: float = 1 - ALPHA

    @property
    def value(self) -> float:
        """The measured value; for an estimate with several parts see `parts`."""
        return self._only().value

    @property
    def low(self) -> float:
        """The lower end of the interval at `level`."""
        return self._only().low

    @property
    def high(self) -> float:
        """The upper end of the interval at `level`."""
        return self._only().high

    @property
    def by_prompt(self) -> tuple[tuple[str, float], ...]:
        """The prompts with what each contributes to the value; see `contributions`."""
        return self.contributions_to(self._only())

    def contributions_to(self, part: Part) -> tuple[tuple[str, float], ...]:
        """Return the prompts with what each contributes to one of the parts."""
        if not self.contributions:
            return ()
        own = self.contributions[self.parts.index(part)]
        return tuple(zip(self.texts, own, strict=True))

    def at(self, alpha: float, intervals: Sequence[Interval]) -> Estimate:
        """Return the estimate with its intervals at level 1 - `alpha`, one for each part."""
        ends = [each.at(alpha) for each in intervals]
        return replace(
            self,
            level=1 - alpha,
            parts=tuple(
                replace(part, low=low, high=high)
                for part, (low, high) in zip(self.parts, ends, strict=True)
            ),
            method=replace(self.method, interval=interval_words(alpha, intervals)),
        )

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
class Decision(NoTruth):
    """How sure a verdict is, and what that took; see `statistics`.

    `holds` and `refuted` are p-values for either, adjusted for all looks made and for the number
    of `claims` decided together by `correction`; a claim is decided where one of them is at most
    `alpha`. That is so exactly where the interval at `level` (of the estimate, e.g. 0.997) says
    so. The look that decides is number `looks` of `most_looks`, at `prompts` of a `budget`;
    without a decision the last.
    """

    said_instead = 'write decision.status == "holds".'

    holds: float
    refuted: float
    alpha: float
    level: float
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
class Verdict(Described):
    """A claim with what was measured. True if it holds, false if refuted.

    An undecided verdict has no truth value, or `assert not verdict` would pass for want of
    prompts: there `bool` raises `ClaimRefuted` with the full failure text. To go by the outcome
    without raising, compare `status`.

    `status`: `holds` if the whole interval of every part satisfies the claim, `refuted` if the
    interval of some part lies wholly outside, `undecided` otherwise. Of a claim decided among
    others, the interval is that at the level of its `decision`. `ways` are the verdicts under each
    method of a sweep, each at that level; the estimate is then that of the worst. `worst` is the
    part that decides: of those whose interval says the worst, the one with the smallest margin;
    `margin` is its value's distance to the threshold, negative if unsatisfied. `notes` say what
    else the reader should know, also of a claim that holds.
    """

    said_instead: ClassVar[str] = 'write `assert verdict`, or verdict.status == "holds".'

    claim: Claim
    status: Status
    estimate: Estimate
    worst: Part
    margin: float
    decision: Decision | None = None
    ways: tuple[tuple[str, Verdict], ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", word(self.status))

    def __bool__(self) -> bool:
        __tracebackhide__ = True
        if self.status == "undecided":
            raise ClaimRefuted(self._failure())
        return self.status == "holds"

    def __repr__(self) -> str:
        worst = f"{self.worst.value:.4g} [{self.worst.low:.4g}, {self.worst.high:.4g}]"
        return f"<{self.status}: {self.claim}; measured {worst}, n={self.estimate.n}>"

    def worst_prompts(self, count: int = 3) -> tuple[tuple[str, float], ...]:
        """Return the prompts whose contribution to the worst part satisfies the claim least."""
        found = self.estimate.contributions_to(self.worst)
        ranked = sorted(found, key=lambda each: self.claim.margin(each[1]))
        return tuple(ranked[:count])

    def require(self) -> None:
        """Raise `ClaimRefuted` with the full failure text unless the claim holds."""
        if self.status != "holds":
            raise ClaimRefuted(self._failure())

    def _failure(self) -> str:
        from pytest_circuits.report.text import failure_text

        return "\n".join(failure_text(self))

    def as_dict(self) -> dict[str, Any]:
        """Return everything measured as builtins, for JSON and reports."""
        return {
            "claim": str(self.claim),
            "status": str(self.status),
            "required": self.claim.required(),
            "margin": self.margin,
            "part": self.worst.label,
            "value": self.worst.value,
            "low": self.worst.low,
            "high": self.worst.high,
            "level": self.estimate.level,
            "n": self.estimate.n,
            "unit": self.estimate.unit,
            "source": self.claim.source,
            "decision": None if self.decision is None else asdict(self.decision),
            "ways": {label: _as_way(verdict) for label, verdict in self.ways},
            "parts": [asdict(part) for part in self.estimate.parts],
            "by_head": dict(self.estimate.by_head),
            "worst_prompts": [list(each) for each in self.worst_prompts()],
            "worst_prompts_linearised": self.estimate.linearised,
            "notes": list(self.notes),
            "method": self.estimate.method.as_dict(),
        }


class Verdicts(tuple[Verdict, ...]):
    """Verdicts on claims decided together: a tuple, but one not taken for true."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{len(self)} verdicts have no truth value together, or they would pass whatever they "
            "are: write `assert all(check_all(...))`."
        )


def _as_way(verdict: Verdict) -> dict[str, Any]:
    worst, method = verdict.worst, verdict.estimate.method
    return {
        "status": str(verdict.status),
        "value": worst.value,
        "low": worst.low,
        "high": worst.high,
        "level": verdict.estimate.level,
        "n": verdict.estimate.n,
        "seed": method.seed,
        "runs": list(method.runs),
    }


def judge(
    claim: Claim,
    estimate: Estimate,
    decision: Decision | None = None,
    ways: tuple[tuple[str, Verdict], ...] = (),
    notes: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict on a claim, given the estimate of its measure: its intervals decide.

    A `decision` goes with the estimate at its level, which says the same.
    """

    def rank(part: Part) -> tuple[int, float]:
        return ORDER.index(claim.decide(part.low, part.high)), claim.margin(part.value)

    worst = min(estimate.parts, key=rank)
    return Verdict(
        claim=claim,
        status=claim.decide(worst.low, worst.high) if decision is None else decision.status,
        estimate=estimate,
        worst=worst,
        margin=claim.margin(worst.value),
        decision=decision,
        ways=ways,
        notes=notes,
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
