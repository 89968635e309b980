"""Claims decided together: prompts are drawn until each is decided, errors kept for the family.

Looking again at a growing sample, and looking at many claims, both inflate error; `statistics`
says what keeps it where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.readings import Draw
from pytest_circuits.rules import Rules
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.families import corrected
from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.statistics.looks import Look, anytime, looks
from pytest_circuits.verdicts import Decision, Verdict, judge

if TYPE_CHECKING:
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.measures.base import Measure

Outcome = Verdict | ClaimNotEvaluable | CircuitUsageError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A claim, the prompts it may use, and the family it is decided in."""

    claim: Claim
    draw: Draw
    rules: Rules
    family: str = ""


def decide(evaluation: Evaluation, entries: Sequence[Entry]) -> dict[Entry, Outcome]:
    """Return the verdict on each claim, or why there is none.

    All claims look at the first prompts, those still undecided at more, and so on up to the
    budget, that of their draw. A claim that cannot be evaluated is no member of its family.
    """
    trials = {each: _Trial(each) for each in entries}
    while going := [each for each in trials.values() if each.is_open(trials.values())]:
        evaluation.focus(planned for each in going for planned in each.planned())
        for each in going:
            each.look(evaluation)
    return {entry: trial.outcome(trials.values()) for entry, trial in trials.items()}


def statuses_alone(
    evaluation: Evaluation, claims: Mapping[str, tuple[Claim, Draw]]
) -> dict[str, str]:
    """Return what each claim is by itself, on all of its prompts; "error" where it cannot be."""
    rules = Rules(correction="none", first=None)
    entries = {
        name: Entry(claim=claim, draw=draw, rules=rules) for name, (claim, draw) in claims.items()
    }
    found = decide(evaluation, [*entries.values()])
    return {name: _status(found[entry]) for name, entry in entries.items()}


def _status(outcome: Outcome) -> str:
    return "error" if isinstance(outcome, Exception) else outcome.status


def schedule(rules: Rules, budget: int) -> tuple[Look, ...]:
    """Return the looks: from the first on doubled, or one at all prompts if they are few."""
    if rules.first is None or budget < 2 * rules.first:
        return looks(budget, budget)
    return looks(rules.first, budget)


@dataclass(eq=False)
class _Trial:
    """One claim on its way to a verdict."""

    entry: Entry
    found: list[Evidence] = field(default_factory=list)
    verdicts: tuple[tuple[str, Verdict], ...] = ()
    failure: ClaimNotEvaluable | CircuitUsageError | None = None

    @property
    def looks(self) -> tuple[Look, ...]:
        return schedule(self.entry.rules, self.entry.draw.n)

    def planned(self) -> list[tuple[Measure, Draw]]:
        """Return what will be measured; nothing if that cannot be said."""
        try:
            return [(claim.measure, draw) for _, claim, draw in self._ways()]
        except ClaimNotEvaluable:
            return []  # said again when it looks

    def is_open(self, everyone: Collection[_Trial]) -> bool:
        """Return whether there is more to see, and a reason to."""
        if self.failure is not None or len(self.found) == len(self.looks):
            return False
        return not self.found or self._decision(everyone).status == "undecided"

    def look(self, evaluation: Evaluation) -> None:
        """See more prompts."""
        look = self.looks[len(self.found)]
        alpha = self.entry.rules.alpha * look.share
        verdicts: list[tuple[str, Verdict]] = []
        parts: list[Interval] = []
        try:
            for label, claim, draw in self._ways():
                estimate, found = evaluation.look(claim.measure, draw, look.n, alpha)
                verdicts.append((label, judge(claim, estimate)))
                parts += found
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            self.failure = error
            return
        self.verdicts = tuple(verdicts)
        self.found.append(evidence(parts, self.entry.claim.relation, self.entry.claim.threshold))

    def outcome(self, everyone: Collection[_Trial]) -> Outcome:
        """Return the verdict, or why there is none."""
        if self.failure is not None:
            return self.failure
        worst = min((verdict for _, verdict in self.verdicts), key=lambda each: each.margin)
        ways = self.verdicts if len(self.verdicts) > 1 else ()
        return judge(self.entry.claim, worst.estimate, self._decision(everyone), ways)

    def _ways(self) -> tuple[tuple[str, Claim, Draw], ...]:
        return self.entry.claim.ways(self.entry.draw)

    def _decision(self, everyone: Collection[_Trial]) -> Decision:
        family = [each for each in everyone if each._belongs_with(self)]
        ps = corrected([each._evidence() for each in family], self.entry.rules.correction)
        mine = ps[family.index(self)]
        return Decision(
            holds=mine.holds,
            refuted=mine.refuted,
            alpha=self.entry.rules.alpha,
            correction=self.entry.rules.correction,
            claims=len(family),
            prompts=self.looks[len(self.found) - 1].n,
            budget=self.entry.draw.n,
            looks=len(self.found),
            most_looks=len(self.looks),
        )

    def _evidence(self) -> Evidence:
        return anytime(self.found, self.looks)

    def _belongs_with(self, other: _Trial) -> bool:
        same = (self.entry.family, self.entry.rules) == (other.entry.family, other.entry.rules)
        return same and self.failure is None
