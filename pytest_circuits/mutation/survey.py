"""A suite put to its mutants, one after the other, on the model in hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_circuits.deciding import statuses_alone
from pytest_circuits.engine.memory import DEFAULT_MEMORY
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.mutation.account import Account, Trial
from pytest_circuits.mutation.choice import named_heads
from pytest_circuits.mutation.mutants import Mutant, as_dict
from pytest_circuits.mutation.sabotage import NothingChanged, applied
from pytest_circuits.rules import DEFAULT_RULES, Rules

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim
    from pytest_circuits.models.base import Model
    from pytest_circuits.readings import Draw

Claims = Mapping[str, "tuple[Claim, Draw]"]


def survey(
    suite: str,
    model: Model,
    claims: Claims,
    mutants: Sequence[Mutant],
    *,
    left_out: Sequence[str] = (),
    rules: Rules = DEFAULT_RULES,
    memory: int = DEFAULT_MEMORY,
    notify: Callable[[str], None] = lambda message: None,
) -> Account:
    """Return what becomes of claims that hold on the model on each of its mutants.

    Every mutant is evaluated anew, on the prompts of the model: what changes, changes because of
    the mutant. Claims are decided by themselves, under `rules` without their correction. A sabotage
    of heads is to be noticed by a claim that names one of them. A mutant that cannot be made, or
    that changes no weight, is in the account with the reason, and is not counted.
    """
    started = perf_counter()
    behaviour = _Examined(model, claims, memory).behaviour()
    trials = []
    for number, mutant in enumerate(mutants, start=1):
        notify(f"mutant {number} of {len(mutants)}: {mutant}")
        trials.append(_trial(mutant, model, claims, rules, memory))
    return Account(
        suite=suite,
        model=model.describe(),
        claims=tuple(claims),
        left_out=tuple(left_out),
        behaviour=behaviour,
        trials=tuple(trials),
        seconds=perf_counter() - started,
    )


def _trial(mutant: Mutant, model: Model, claims: Claims, rules: Rules, memory: int) -> Trial:
    name = as_dict(mutant)
    try:
        with applied(mutant, model) as sabotaged:
            examined = _Examined(sabotaged, claims, memory)
            return Trial(
                mutant=name,
                statuses=examined.statuses(rules),
                asked=_asked(mutant, claims),
                behaviour=examined.behaviour(),
            )
    except ClaimNotEvaluable as error:
        unmade = not isinstance(error, NothingChanged)
        return Trial(mutant=name, reason=str(error), failed=unmade)


def _asked(mutant: Mutant, claims: Claims) -> tuple[str, ...]:
    """Return the claims that may notice a mutant, by name."""
    if mutant.scope != "heads":
        return tuple(claims)
    sabotaged = set(mutant.heads)
    return tuple(name for name, (claim, _) in claims.items() if named_heads([claim]) & sabotaged)


class _Examined:
    """One model, the same but for its weights, and all claims on it."""

    def __init__(self, model: Model, claims: Claims, memory: int) -> None:
        self._claims = claims
        _, self._draw = next(iter(claims.values()))
        self._evaluation = Evaluation(model, (), memory=memory)

    def statuses(self, rules: Rules) -> dict[str, str]:
        """Return what each claim is by itself: a mutant is to be noticed claim by claim."""
        return statuses_alone(self._evaluation, self._claims, rules)

    def behaviour(self) -> float | None:
        """Return the logit difference on the first claim's prompts, if the task has one."""
        try:
            return self._evaluation.estimate(logit_difference(), self._draw).value
        except ClaimNotEvaluable:
            return None
