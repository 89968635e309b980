"""Criteria for a whole circuit: faithfulness in its three forms."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import check_choice
from pytest_circuits.interventions import Intervention, Reference, keep_only
from pytest_circuits.measures.base import Combined, Measure, weighted_means
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.nodes import Circuit
from pytest_circuits.readings import Draw, Need, Read, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

Form = Literal["ratio", "difference", "per prompt"]


@dataclass(frozen=True, kw_only=True)
class PerPromptDifference(Measure):
    """Mean over prompts of |LD_model - LD_circuit|; see `faithfulness`."""

    unit: ClassVar[str] = "logits"
    under: Intervention

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the model's and the circuit's answer logits."""
        return logit_difference().needs(draw) + logit_difference(under=self.under).needs(draw)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the weighted mean of absolute differences, [1, draws]."""
        model, circuit = (read(need) for need in self.needs(draw))
        gap = abs((model[:, :1] - model[:, 1:2]) - (circuit[:, :1] - circuit[:, 1:2]))
        return weighted_means([gap], weights)[..., 0]

    def bounds(self) -> tuple[float, float]:
        """Return 0 and no upper end."""
        return 0.0, inf

    def __str__(self) -> str:
        return f"mean |logit difference of the model minus that of the circuit| [{self.under}]"


@dataclass(frozen=True)
class Faithfulness(Combined):
    """F(C) / F(M): 1 is the full model, and more is as far from it as less; see `faithfulness`."""

    def target(self) -> float:
        """Return 1."""
        return 1.0


def faithfulness(what: Circuit, *, to: Reference, form: Form = "ratio") -> Measure:
    """Measure how well the circuit alone does the task: everything outside it is knocked out.

    Granularity (head, position): a head is kept at its role's position only and replaced by
    `to` at every other. MLPs are kept at all positions; but if the circuit names MLPs
    (`circuit(..., mlps=mlps(...))`), those alone are kept, at the position named, and every other
    is replaced by `to` as well. F is the mean logit difference.

    - `ratio`: F(C) / F(M), 1 = full model, can exceed 1 or be negative; paired ratio of means. A
      circuit that lacks the heads that work against the task does better than the model, which is
      not faithful: claim `.between(low, high)`. `>= t` for t of 1 and above is refused;
    - `difference`: |F(M) - F(C)|, logits, 0 = full model;
    - `per prompt`: mean of |LD_M - LD_C| over prompts, logits: stricter, errors do not cancel.

    Source: Wang et al. 2022, section 4 (0.46 logits, 87 % recovered). The value depends on
    the ablation (Miller et al. 2024), so it stands in every report; a faithful circuit need not be
    complete or minimal.
    """
    under = keep_only(what, to=to)
    check_choice("form", form, "form", ("ratio", "difference", "per prompt"))
    if form == "ratio":
        return Faithfulness(logit_difference(under=under), "/", logit_difference())
    if form == "difference":
        return abs(logit_difference() - logit_difference(under=under))
    return PerPromptDifference(under=under)
