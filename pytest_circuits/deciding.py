"""Claims decided together: prompts are drawn until each is decided, errors kept for the family.

Looking again at a growing sample, and looking at many claims, both inflate error; `statistics`
says what keeps it where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim, Status
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable, UndefinedSoFar
from pytest_circuits.estimates import ALPHA
from pytest_circuits.levels import ORDER, Judged, judged, level_of
from pytest_circuits.readings import Draw
from pytest_circuits.rules import DEFAULT_RULES, Rules
from pytest_circuits.statistics.evidence import NONE, Evidence, evidence
from pytest_circuits.statistics.looks import Look, anytime, looks
from pytest_circuits.verdicts import Decision, Estimate, Verdict, judge

if TYPE_CHECKING:
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.measures.base import Measure
    from pytest_circuits.statistics.intervals import Interval

Outcome = Verdict | Exception
"""A verdict, or why there is none: whatever was raised while the claim was evaluated."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A claim, the prompts it may use, and the family it is decided in.

    `others` members of the family are not decided here (claims of the file that were not
    selected): the claim pays for them as for those that nothing is known about.
    """

    claim: Claim
    draw: Draw
    rules: Rules
    family: str = ""
    others: int = 0


def decide(evaluation: Evaluation, entries: Sequence[Entry]) -> dict[Entry, Outcome]:
    """Return the verdict on each claim, or why there is none."""
    deciding = Deciding(evaluation, entries)
    deciding.run()
    return deciding.settled()


class Deciding:
    """Claims on one model on their way to verdicts.

    All claims look at the first prompts, those still undecided at more, and so on up to the
    budget, that of their draw. A claim that cannot be evaluated is no member of its family.
    Interrupted at any point, `run` can be called again: it goes on with what was seen so far.
    """

    def __init__(self, evaluation: Evaluation, entries: Iterable[Entry]) -> None:
        self.evaluation = evaluation
        self._trials = {
            each: _Trial(replace(each, draw=evaluation.fitted(each.draw))) for each in entries
        }

    def run(self) -> None:
        """Look at prompts until every claim is decided, or has seen all of them."""
        while going := self._open():
            self._round(going)

    def settled(self) -> dict[Entry, Outcome]:
        """Return what came of the claims that have nothing more to see; after `run`, of all."""
        going = self._open()
        return {
            entry: self._outcome(trial)
            for entry, trial in self._trials.items()
            if trial not in going
        }

    def _outcome(self, trial: _Trial) -> Outcome:
        try:
            return trial.outcome(self._trials.values())
        except Exception as error:
            return error

    def _open(self) -> list[_Trial]:
        return [each for each in self._trials.values() if each.is_open(self._trials.values())]

    def _round(self, going: Sequence[_Trial]) -> None:
        """Let claims look once, sharing passes; each alone, should that break on one of them."""
        self._focus(going)
        for number, each in enumerate(going):
            try:
                each.look(self.evaluation)
            except Exception:
                self._alone(going[number:])
                return

    def _alone(self, trials: Sequence[_Trial]) -> None:
        """Let claims look one by one, so that what one of them breaks stays its own."""
        for each in trials:
            self._focus([each])
            try:
                each.look(self.evaluation)
            except Exception as error:
                each.failure = error

    def _focus(self, trials: Iterable[_Trial]) -> None:
        self.evaluation.focus(planned for each in trials for planned in each.planned())


def statuses_alone(
    evaluation: Evaluation, claims: Mapping[str, tuple[Claim, Draw]], rules: Rules = DEFAULT_RULES
) -> dict[str, str]:
    """Return what each claim is by itself, under `rules` without their correction; or "error"."""
    alone = replace(rules, correction="none")
    entries = {
        name: Entry(claim=claim, draw=draw, rules=alone) for name, (claim, draw) in claims.items()
    }
    found = decide(evaluation, [*entries.values()])
    return {name: _status(found[entry]) for name, entry in entries.items()}


def _remark(verdict: Verdict) -> str:
    """Return what a claim that holds leaves to be said of its value."""
    return verdict.claim.remark(verdict.worst.value) if verdict.status == "holds" else ""


def _status(outcome: Outcome) -> str:
    return "error" if isinstance(outcome, Exception) else str(outcome.status)


def schedule(rules: Rules, budget: int) -> tuple[Look, ...]:
    """Return the looks: from the first on doubled, or one at all prompts if they are few."""
    if rules.first is None or budget < 2 * rules.first:
        return looks(budget, budget)
    return looks(rules.first, budget)


@dataclass(frozen=True, kw_only=True)
class _Way:
    """A claim under one method, as it was seen in one look."""

    label: str
    claim: Claim
    estimate: Estimate
    intervals: tuple[Interval, ...]

    def verdict(self, alpha: float) -> Verdict:
        """Return the verdict that intervals at level 1 - `alpha` give."""
        return judge(self.claim, self.estimate.at(alpha, self.intervals))


@dataclass(eq=False)
class _Trial:
    """One claim on its way to a verdict: what was seen in each look, and what it is evidence of."""

    entry: Entry
    seen: list[tuple[_Way, ...]] = field(default_factory=list)
    found: list[Evidence] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    failure: Exception | None = None

    @property
    def looks(self) -> tuple[Look, ...]:
        rules, budget = self.entry.rules, self.entry.draw.n
        once = self.entry.claim.measure.looks_once
        return schedule(replace(rules, first=None) if once else rules, budget)

    def planned(self) -> list[tuple[Measure, Draw]]:
        """Return what will be measured; nothing if that cannot be said."""
        try:
            ways = [(claim.measure, draw) for _, claim, draw in self._ways()]
            empty = [(each.hollow(), draw) for each, draw in ways if not self.found]
        except Exception:
            return []  # said again when it looks
        return ways + [(each, draw) for each, draw in empty if each is not None]

    def is_open(self, everyone: Collection[_Trial]) -> bool:
        """Return whether there is more to see, and a reason to."""
        if self.failure is not None or len(self.found) == len(self.looks):
            return False
        return not self.found or self._status(everyone) == "undecided"

    def look(self, evaluation: Evaluation) -> None:
        """See more prompts. A value undefined on too few of them is no evidence, and no error.

        Raises what is neither of ours, and leaves the trial as it was.
        """
        look = self.looks[len(self.found)]
        last = look == self.looks[-1]
        ways: tuple[_Way, ...] = ()
        try:
            ways = tuple(self._look(evaluation, look, ALPHA if last else ALPHA * look.share))
        except UndefinedSoFar as error:
            self.failure = error if last else None
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            self.failure = error
        if self.failure is None and not self.found:
            self.notes = self._noted(evaluation, look.n)
        self.seen.append(ways)
        self.found.append(self._evidence_of(ways))

    def outcome(self, everyone: Collection[_Trial]) -> Outcome:
        """Return the verdict, or why there is none."""
        if self.failure is not None:
            return self.failure
        family = self._judged(everyone)
        status = family.evidence.decision(self.entry.rules.alpha)
        index = self._deciding(status)
        shown = [(way.claim, way.intervals) for way in self.seen[index]]
        share = self.looks[index].share
        if status == "undecided" and (reason := self._too_small(share * family.to_hold)):
            return ClaimNotEvaluable(reason)
        alpha = level_of(shown, status, share * family.to_hold, share * family.to_refute)
        verdicts = [(way.label, way.verdict(alpha)) for way in self.seen[index]]
        worst = min((each for _, each in verdicts), key=lambda e: (ORDER.index(e.status), e.margin))
        return judge(
            self.entry.claim,
            worst.estimate,
            self._decision(family.evidence, index, alpha, len(self._family(everyone))),
            tuple(verdicts) if len(verdicts) > 1 else (),
            tuple(filter(None, (*self.notes, _remark(worst)))),
        )

    def _too_small(self, level: float) -> str:
        """Return why the claim, an upper bound, could not have held whatever was measured."""
        claim = self.entry.claim
        if isinstance(claim.threshold, tuple) or claim.relation not in ("<=", "<"):
            return ""
        return claim.measure.too_small(claim.threshold, level)

    def _look(self, evaluation: Evaluation, look: Look, alpha: float) -> Iterator[_Way]:
        for label, claim, draw in self._ways():
            estimate, found = evaluation.look(
                claim.measure, draw, look.n, alpha, clustered=self.entry.rules.clustered
            )
            yield _Way(label=label, claim=claim, estimate=estimate, intervals=found)

    def _noted(self, evaluation: Evaluation, prompts: int) -> tuple[str, ...]:
        said = [evaluation.notes(claim, draw, prompts) for _, claim, draw in self._ways()]
        return tuple(dict.fromkeys(note for notes in said for note in notes))

    def _evidence_of(self, ways: Sequence[_Way]) -> Evidence:
        parts = [each for way in ways for each in way.intervals]
        claim = self.entry.claim
        return evidence(parts, claim.relation, claim.threshold) if parts else NONE

    def _deciding(self, status: Status) -> int:
        """Return the look with the strongest evidence of what was decided; undecided, the last."""
        if status == "undecided":
            return len(self.found) - 1
        spent = [
            getattr(each, status) / look.share
            for each, look in zip(self.found, self.looks, strict=False)
        ]
        return spent.index(min(spent))

    def _ways(self) -> tuple[tuple[str, Claim, Draw], ...]:
        return self.entry.claim.ways(self.entry.draw)

    def _decision(self, found: Evidence, index: int, alpha: float, claims: int) -> Decision:
        return Decision(
            holds=found.holds,
            refuted=found.refuted,
            alpha=self.entry.rules.alpha,
            level=1 - alpha,
            correction=self.entry.rules.correction,
            claims=claims,
            prompts=self.looks[index].n,
            budget=self.entry.draw.n,
            looks=index + 1,
            most_looks=len(self.looks),
        )

    def _status(self, everyone: Collection[_Trial]) -> Status:
        return self._judged(everyone).evidence.decision(self.entry.rules.alpha)

    def _judged(self, everyone: Collection[_Trial]) -> Judged:
        """Return what becomes of this claim in its family, of which it stands first."""
        return judged(self._family(everyone), self.entry.rules)[0]

    def _family(self, everyone: Collection[_Trial]) -> list[Evidence]:
        """Return the evidence on all claims of the family, this one first; none on the others'."""
        members = [each for each in everyone if each is not self and each._belongs_with(self)]
        return [*(each._evidence() for each in (self, *members)), *[NONE] * self.entry.others]

    def _evidence(self) -> Evidence:
        return anytime(self.found, self.looks)

    def _belongs_with(self, other: _Trial) -> bool:
        same = (self.entry.family, self.entry.rules) == (other.entry.family, other.entry.rules)
        return same and self.failure is None
