"""What claims would cost, told from a pilot on few prompts before any of them is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim
from pytest_circuits.deciding import Entry, schedule
from pytest_circuits.engine.memory import enough
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw

if TYPE_CHECKING:
    from pytest_circuits.engine.engine import Pass
    from pytest_circuits.models.base import Model
    from pytest_circuits.verdicts import Verdict

PILOT = 8


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What one claim would cost alone, or (`name` empty) all of them together.

    `forwards` are plain forward passes of the whole budget of prompts, an upper bound for a claim
    decided on fewer; `prompts` how many a claim is expected to take, at the pilot's spread and
    distance from the threshold (None: more than the budget); `memory` bytes of activations at once.
    """

    name: str
    forwards: float = 0.0
    prompts: int | None = None
    budget: int = 0
    memory: int = 0
    reason: str = ""


def forecast(
    model: Model,
    entries: Sequence[tuple[str, Entry]],
    *,
    memory: int,
    notify: Callable[[str], None] = lambda message: None,
) -> tuple[Forecast, ...]:
    """Return what each claim would cost alone, and last what all of them would together.

    Runs the pilot: a few prompts for each claim, and all that a search looks at. No verdict comes
    of it.
    """

    def pilot(*chosen: Entry) -> _Pilot:
        return _Pilot(Evaluation(model, (), memory=memory, notify=notify), chosen, memory)

    fitted = Evaluation(model, ()).fitted
    entries = [(name, replace(entry, draw=fitted(entry.draw))) for name, entry in entries]
    every = [entry for _, entry in entries]
    alone = [_of_claim(name, entry, pilot(entry), _size(entry, every)) for name, entry in entries]
    return (*alone, pilot(*every).cost(""))


def _size(entry: Entry, every: Sequence[Entry]) -> int:
    """Return how many claims are decided together with one, those of its file not given too."""
    return entry.others + sum(each.family == entry.family for each in every)


class _Pilot:
    """Some claims on few prompts each."""

    def __init__(self, evaluation: Evaluation, entries: Sequence[Entry], memory: int) -> None:
        self._evaluation, self._memory = evaluation, memory
        self._budget = max((entry.draw.n for entry in entries), default=1)
        ways = [way for entry in entries for way in _ways(entry)]
        evaluation.focus((claim.measure, draw) for claim, draw in ways)
        self.found = [self._verdict(claim, draw) for claim, draw in ways]

    def cost(self, name: str) -> Forecast:
        """Return what the passes made come to with all prompts: searches need no more than now."""
        passes = self._evaluation.passes
        prompts = sum(each.forwards * self._grown(each) for each in passes)
        bytes_ = max(map(self._bytes, passes), default=0)
        return Forecast(
            name=name,
            forwards=prompts / self._budget,
            budget=self._budget,
            memory=min(bytes_, self._memory),
        )

    def _bytes(self, made: Pass) -> int:
        need = made.bytes_per_prompt
        return need * min(self._grown(made), enough(need, self._memory))

    def _grown(self, made: Pass) -> int:
        return self._budget if made.prompts == PILOT else made.prompts

    def _verdict(self, claim: Claim, draw: Draw) -> Verdict | Exception:
        try:
            return self._evaluation.verdict(claim, draw)
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            return error


def _ways(entry: Entry) -> list[tuple[Claim, Draw]]:
    few = replace(entry.draw, n=min(PILOT, entry.draw.n))
    return [(claim, draw) for _, claim, draw in entry.claim.ways(few)]


def _of_claim(name: str, entry: Entry, pilot: _Pilot, family: int) -> Forecast:
    verdicts = [each for each in pilot.found if not isinstance(each, Exception)]
    reasons = [str(each) for each in pilot.found if isinstance(each, Exception)]
    prompts = None if reasons else _prompts(verdicts, entry, family)
    return replace(pilot.cost(name), prompts=prompts, reason="; ".join(reasons))


def _prompts(verdicts: Sequence[Verdict], entry: Entry, family: int) -> int | None:
    """Return the look at which all parts would be decided, were each as sure as the first."""
    looks = schedule(entry.rules, entry.draw.n)
    alpha = entry.rules.alpha / (1 if entry.rules.correction == "none" else family)
    need = max(_needed(each, alpha) for each in verdicts)
    return next((look.n for look in looks if look.n >= need), None)


def _needed(verdict: Verdict, alpha: float) -> float:
    """Return the prompts after which an interval at 1 - alpha is as far as the threshold is."""
    normal = NormalDist()
    wider = normal.inv_cdf(1 - alpha / 2) / normal.inv_cdf(0.975)
    return max(
        verdict.estimate.n * (wider * (part.high - part.low) / 2 / abs(distance)) ** 2
        if (distance := verdict.claim.margin(part.value))
        else inf
        for part in verdict.estimate.parts
    )
