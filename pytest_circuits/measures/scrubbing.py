"""Causal scrubbing: what survives when all is drawn afresh that a hypothesis calls irrelevant."""

from __future__ import annotations

from typing import Literal

from pytest_circuits.arguments import check_choice, check_made_by
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.criteria import PerPromptDifference
from pytest_circuits.nodes import Role
from pytest_circuits.scrubbing import Hypothesis, scrub

Form = Literal["ratio", "per prompt"]


def scrubbed_performance(what: Hypothesis, *, to: Reference, form: Form = "ratio") -> Measure:
    """Measure how well the task is done if the hypothesis is all that is true.

    Every output on an edge of the hypothesis is computed on another prompt, drawn to agree with
    the reader's on the features the sender is said to carry and on nothing else but template,
    place and object; there its own inputs are replaced in the same way, back to the embeddings.
    All other heads' outputs are `to`; MLPs are live; see `Scrub`. The logit difference is that of
    the prompt's own answer and foil, F its mean.

    - `ratio`: F scrubbed / F(M), paired, without unit: 1 = full model, 0 = no preference, can
      exceed 1 or be negative. About that of `keep_edges(what.edges, to=to)` if outputs depend on
      what they are said to carry and on nothing else. It cannot see errors that cancel: where
      answers differ from prompt to prompt, shuffled ones have the same mean.
    - `per prompt`: mean over prompts of |LD of the model - LD scrubbed|, logits, 0 = full model:
      stricter, errors do not cancel. Claim it as well (<= some tolerance).

    Source: Chan et al. 2022, "Causal scrubbing" (Alignment Forum, Redwood Research); named by
    Wang et al. 2022 as the stricter test. It does not show that each feature is needed: see
    `scrubbed_without`; a hypothesis whose outputs carry everything is never refuted by it. A
    false one need not come near 0: an order drawn by a coin is right on half the prompts.
    Nor does a ratio of means show that every prompt survives. What MLPs and embeddings bring from
    the reader's own prompt is not scrubbed, and senders that carry the same share one drawn prompt.
    """
    under = scrub(what, to=to)
    check_choice("form", form, "form", ("ratio", "per prompt"))
    if form == "ratio":
        return logit_difference(under=under) / logit_difference()
    return PerPromptDifference(under=under)


def scrubbed_without(what: Hypothesis, role: Role, *features: str, to: Reference) -> Measure:
    """Measure F scrubbed / F(M) when also features that `role` is said to carry are wrong.

    As `scrubbed_performance`, but the prompts on which the role's outputs are computed disagree
    with the reader's on `features`; without any, on all that the role is said to carry. A wrong
    order is the other one, a wrong name some third. Unit and source as there. Low where the
    task needs the features in this role: 0 where the answer is lost, negative only where the
    foil, too, is carried to the end. A value near that of `scrubbed_performance` says that the
    hypothesis claims too much, or that other roles make up for the loss (backup heads do): it is
    a total effect.
    """
    check_made_by("what", what, Hypothesis, "hypothesis(...)")
    return scrubbed_performance(what.without(role, *features), to=to)
