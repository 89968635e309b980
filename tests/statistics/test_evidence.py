"""Evidence on claims: what intervals decide, over parts, bounds and relations."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statistic_values import mean_of

from pytest_circuits import direct_logit_attribution, heads
from pytest_circuits.claims import Claim
from pytest_circuits.statistics.bounded import Within
from pytest_circuits.statistics.design import independent
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.intervals import Folded, Unseen, intervals
from pytest_circuits.statistics.shares import Share

MEASURE = direct_logit_attribution(heads("0.0", at="END"))

seeds = st.integers(0, 10_000)
relations = st.sampled_from([">=", "<=", ">", "<", "between"])
bounds = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(lambda pair: tuple(sorted(pair)))


def means(seed, parts=1, n=30):
    numbers = np.random.default_rng(seed).normal(size=(parts, n))
    return intervals(lambda rows: np.concatenate([mean_of(x)(rows) for x in numbers]), n)


@given(seeds, relations, bounds, st.floats(0.001, 0.3))
def test_one_part_is_decided_as_its_interval_says(seed, relation, bounds, alpha):
    threshold = bounds if relation == "between" else bounds[0]
    (part,) = means(seed)
    claim, found = Claim(MEASURE, relation, threshold), evidence([part], relation, threshold)
    # `between` is refuted on either of two sides, at half of alpha each.
    outside = part.at(alpha / 2) if relation == "between" else part.at(alpha)
    ends = (*part.at(alpha), *outside)
    if all(abs(end - bound) > 1e-6 for end in ends for bound in bounds):
        assert (found.holds <= alpha) == (claim.decide(*part.at(alpha)) == "holds")
        assert (found.refuted <= alpha) == (claim.decide(*outside) == "refuted")


def test_between_its_only_value_is_refuted_no_more_often_than_any_other_claim():
    rng = np.random.default_rng(0)
    (parts,) = zip(*(intervals(mean_of(x), 40) for x in rng.normal(size=(2000, 40))), strict=True)
    refuted = [evidence([part], "between", (0.0, 0.0)).refuted <= 0.05 for part in parts]
    assert np.mean(refuted) < 0.025 + 3 * 0.0035


@given(seeds, st.integers(1, 6), bounds)
def test_every_part_must_hold_and_one_refutes(seed, parts, bounds):
    every = means(seed, parts)
    found = evidence(every, "between", bounds)
    alone = [evidence([part], "between", bounds) for part in every]
    assert found.holds == max(each.holds for each in alone)
    assert found.refuted == min(1, parts * min(each.refuted for each in alone))


@given(seeds, st.floats(0.05, 1))
def test_equivalence_is_two_one_sided_tests(seed, margin):
    (part,) = means(seed)
    found = evidence([part], "between", (-margin, margin))
    one_sided = max(part.p_above(-margin), part.p_below(margin))
    assert found.holds == one_sided


@given(seeds, st.floats(0.05, 1))
def test_within_a_margin_is_an_absolute_value_below_it(seed, margin):
    (part,) = means(seed)
    folded = evidence([Folded(part)], "<=", margin)
    between = evidence([part], "between", (-margin, margin))
    assert folded.holds == between.holds
    assert folded.refuted == pytest.approx(between.refuted)


def unseen(point, reach=(-inf, inf)):
    return Unseen(point=point, design=independent(32), least=reach[0], most=reach[1])


# Its interval without bounds reaches below 0.
(ATTENTION,) = (
    Within(found, 0.0, 1.0) for found in intervals(mean_of(np.array([0.0, 0, 0, 0.1])), 4)
)


@pytest.mark.parametrize(
    ("part", "relation", "threshold", "expected"),
    [
        (Share(0, 20), ">=", 0.0, "holds"),  # whatever was drawn
        (Share(0, 20), ">", 0.0, "undecided"),
        (Share(20, 20), "<=", 1.0, "holds"),
        (Share(20, 20), ">=", 1.0, "undecided"),
        (Share(3, 20), ">", 1.0, "refuted"),
        (Share(3, 20), "<", 0.0, "refuted"),
        (Share(3, 20), "between", (0.0, 1.0), "holds"),
        (Folded(Share(3, 20)), ">=", 0.0, "holds"),
        (unseen(0.3), ">=", 0.3, "undecided"),  # that nothing varied is no certainty
        (unseen(0.3), ">=", 0.2, "undecided"),
        (unseen(0.3, reach=(0.25, 0.4)), ">=", 0.2, "holds"),  # no prompt can be below 0.25
        (ATTENTION, ">=", 0.0, "holds"),
        (ATTENTION, ">", 0.0, "undecided"),
        (ATTENTION, "<=", 1.0, "holds"),
        (ATTENTION, ">", 1.0, "refuted"),
        (ATTENTION, "between", (-0.1, 1.1), "holds"),
    ],
)
def test_what_is_certain_needs_no_prompts(part, relation, threshold, expected):
    assert evidence([part], relation, threshold).decision(1e-9) == expected


def test_both_ways_at_once_goes_to_the_stronger():
    assert Evidence(0.01, 0.02).decision(0.05) == "holds"
    assert Evidence(0.02, 0.01).decision(0.05) == "refuted"
    assert Evidence(0.06, 0.06).decision(0.05) == "undecided"
