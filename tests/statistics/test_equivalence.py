"""Equivalence, non-inferiority and superiority, true and false."""

import numpy as np
import pytest

from pytest_circuits import CircuitUsageError
from pytest_circuits.statistics.equivalence import (
    equivalence,
    mean_difference,
    non_inferiority,
    superiority,
)

RNG = np.random.default_rng(0)
MODEL = RNG.gamma(4, size=200)
NOISE = RNG.normal(scale=0.3, size=200)
NOISE -= NOISE.mean()


def decision(comparison):
    return comparison.evidence.decision(0.05)


def test_a_perfect_circuit_is_equivalent():
    # The peer test this replaces rejects it, at p = 6.5e-23, and accepts a gap of 0.5.
    # No difference on 200 prompts: a few others may differ, by as much as the scores are large.
    assert decision(equivalence(MODEL, MODEL, within=0.3)) == "holds"
    assert decision(equivalence(MODEL, MODEL + NOISE, within=0.1)) == "holds"
    assert decision(equivalence(MODEL, MODEL + NOISE + 0.5, within=0.1)) == "refuted"


def test_no_difference_shown_is_not_equivalence():
    few = equivalence(MODEL[:6], (MODEL + 3 * NOISE)[:6], within=0.1)
    assert decision(few) == "undecided"
    assert few.low < 0 < few.high


def test_it_is_paired():
    shuffled = RNG.permutation(MODEL)
    assert decision(equivalence(MODEL, MODEL + NOISE, within=0.1)) == "holds"
    assert decision(equivalence(shuffled, MODEL + NOISE, within=0.1)) == "undecided"


def test_equivalent_is_an_interval_within_the_margin():
    for gap in np.linspace(-0.2, 0.2, 41):
        found = equivalence(MODEL + NOISE + gap, MODEL, within=0.1)
        assert found.allowed == (-0.1, 0.1)
        assert found.difference == pytest.approx(gap)
        inside = -0.1 < found.low and found.high < 0.1
        outside = found.low > 0.1 or found.high < -0.1
        expected = "holds" if inside else "refuted" if outside else "undecided"
        assert decision(found) == expected


def test_a_better_checkpoint_is_not_inferior_and_a_worse_one_is():
    assert decision(non_inferiority(MODEL + NOISE + 5, MODEL, by=0.1)) == "holds"
    assert decision(non_inferiority(MODEL + NOISE, MODEL, by=0.1)) == "holds"
    assert decision(non_inferiority(MODEL + NOISE - 0.1, MODEL, by=0.1)) == "undecided"
    assert decision(non_inferiority(MODEL + NOISE - 0.5, MODEL, by=0.1)) == "refuted"


def test_the_difference_is_first_less_second():
    assert mean_difference(MODEL + 1, MODEL).point == pytest.approx(1)


def test_a_rank_is_add_one():
    assert superiority(3.0, [1.0, 2.0, 3.0, 4.0]).p == 3 / 5
    assert superiority(9.0, [1.0] * 99).p == 0.01
    assert superiority(1.0, [1.0 - 1e-6], tie=1e-4).p == 1


def test_of_a_random_circuit_every_rank_is_as_likely():
    # The p-value of a circuit drawn like the others is at most 0.1 in a tenth of cases.
    rng = np.random.default_rng(0)
    ps = np.array([superiority(own, list(rest)).p for own, *rest in rng.normal(size=(4000, 20))])
    assert abs((ps <= 0.1).mean() - 0.1) < 3 * 0.3 / np.sqrt(4000)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_a_margin_of_nothing_is_refused(margin):
    with pytest.raises(CircuitUsageError, match="`within`"):
        equivalence(MODEL, MODEL, within=margin)
    with pytest.raises(CircuitUsageError, match="`by`"):
        non_inferiority(MODEL, MODEL, by=margin)


def test_nothing_to_rank_among_is_refused():
    with pytest.raises(CircuitUsageError, match="`others`"):
        superiority(1.0, [])
