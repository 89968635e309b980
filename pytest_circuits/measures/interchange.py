"""What the output of heads carries: activation patching from prompts that differ in one signal.

A task says which signals its prompts carry (for IOI the position of S1 and the token of S) and
which counterparts keep, invert or randomise each of them: `task.signals`, `task.signal_table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.arguments import check_name
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import Intervention, patch
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.effects import Effect, What
from pytest_circuits.measures.signals import check_known, table_of
from pytest_circuits.readings import Draw
from pytest_circuits.tasks.base import Task

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class InterchangeEffect(Effect):
    """See `interchange_effect`."""

    over: str

    def __post_init__(self) -> None:
        super().__post_init__()
        patch(self.what, over=self.over)  # refuses what is no name of a distribution

    def changed(self, part: What, draw: Draw) -> Intervention:
        """Patch the part from the counterpart prompt."""
        return patch(part, over=self.over, given=self.given)

    def __str__(self) -> str:
        return f"interchange effect of {self.whose()} with {self.over}{self.circumstances()}"


@dataclass(frozen=True, kw_only=True)
class Carries(Effect):
    """See `carries`."""

    unit: ClassVar[str] = ""
    feature: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("feature", self.feature, "position")

    def changed(self, part: What, draw: Draw) -> Intervention:
        """Patch the part from prompts in which just this feature is inverted."""
        return patch(part, over=_inverted(draw.task, self.feature))

    def denominator(self) -> Measure:
        """Return F(M)."""
        return logit_difference(on=self.on, under=self.given)

    def statistic(self, before: Array, after: Array) -> Array:
        """Return (F - F inverted) / 2F, not a number where F is 0."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            share: Array = (before - after) / np.where(before == 0.0, np.nan, 2 * before)
        return share

    def __str__(self) -> str:
        return f"{self.feature} carried by {self.whose()}"


def interchange_effect(what: What, *, over: str) -> InterchangeEffect:
    """Measure F(M) - F(M with `what` as on the counterpart prompt in `over`): activation patching.

    Unit logits, any sign; answer and foil stay those of the prompt. The heads of a role (or a
    circuit) are patched together; with role.each, role.mean or role.sum one by one. It shows that
    what the two prompts differ in passes through `what`, not that it passes through nothing else.
    Source: Vig et al. 2020 (arXiv 2004.12265); Geiger et al. 2021 (arXiv 2106.02997).
    """
    return InterchangeEffect(what=what, over=over)


def carries(what: What, feature: str) -> Carries:
    """Measure how far the output of heads carries a signal: (F - F inverted) / 2F.

    F inverted: the logit difference with the output taken from the counterpart prompt in which
    just this signal of the task is inverted (`task.signals`; for IOI "position" of S1 and "token"
    of S). 0: inverting it there changes nothing; 1: it turns the preference round completely,
    F -> -F; both ends may be exceeded, and shares of several signals need not add up to 1.
    No unit; undefined where F(M) = 0. The heads of a role are patched together; with role.each,
    role.mean or role.sum one by one.

    Source: Wang et al. 2022, appendix on the two signals of S-inhibition heads, there as a
    table and a fit (`two_signals`, `signal_weight`). A share of 0 shows that nothing later
    depends on the signal *in this output*; another role may carry it too. A high share does not
    show in which form the signal is there: heads that write the answer itself carry every
    signal whose inversion changes the answer (for IOI name movers carry "token"), and a share is
    of whatever F there is, however small. Outputs are exchanged at the same token, so a role
    should act where the prompts agree on the position (S2, END; not S1, which inverting moves).
    """
    return Carries(what=what, feature=feature)


def _inverted(task: Task, feature: str) -> str:
    """Return the counterpart in which this signal is inverted and every other one kept."""
    check_known(task, feature)
    wanted = tuple(-1 if each == feature else 1 for each in task.signals)
    found = [name for name, signs in table_of(task) if signs == wanted]
    if not found:
        raise ClaimNotEvaluable(
            f"the task {task.name} has no prompts with just {feature} inverted."
        )
    return found[0]
