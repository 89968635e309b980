"""What is lost when nodes are knocked out."""

from __future__ import annotations

from pytest_circuits.interventions import Reference, knock_out
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.nodes import Circuit, Role


def knock_out_effect(what: Role | Circuit, *, to: Reference) -> Measure:
    """Measure the drop F(M) - F(M\\K) of the logit difference when K is knocked out.

    Unit logits; positive where K helps the task, negative where it works against it. Paired over
    prompts. Source: Wang et al. 2022, section 2 (knock-outs). It is the *total* effect,
    after later heads have compensated: a small value does not show that K does nothing.
    """
    return logit_difference() - logit_difference(under=knock_out(what, to=to))


def knock_out_share(what: Role | Circuit, *, to: Reference) -> Measure:
    """Measure F(M\\K) / F(M): the share of the logit difference that survives K's knock-out.

    1 is no effect, above 1 a node that works against the task; a ratio of means, paired.
    """
    return logit_difference(under=knock_out(what, to=to)) / logit_difference()
