"""Families against the definitions, by brute force, and a published example."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits import CircuitUsageError
from pytest_circuits.statistics.evidence import Evidence
from pytest_circuits.statistics.families import benjamini_hochberg, corrected, holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=6)

# Benjamini and Hochberg 1995, section 3.2: at 5 % Bonferroni rejects three, their procedure four.
PUBLISHED = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262),
    *(0.5719, 0.6528, 0.7590, 1.000),
)


@given(families)
def test_holm_is_closed_testing_with_bonferroni(ps):
    """A claim is rejected if every intersection of claims that contains it is (Marcus 1976)."""
    everything = range(len(ps))
    subsets = [set(s) for size in everything for s in combinations(everything, size + 1)]
    closed = [
        max(min(1, len(s) * min(ps[i] for i in s)) for s in subsets if claim in s)
        for claim in everything
    ]
    assert holm(ps) == pytest.approx(closed)


@given(families, st.floats(0.001, 0.999))
def test_benjamini_hochberg_rejects_up_to_the_last_below_the_line(ps, alpha):
    ordered = sorted(ps)
    below = [i for i, p in enumerate(ordered, start=1) if p <= alpha * i / len(ps)]
    limit = ordered[below[-1] - 1] if below else -1
    adjusted = benjamini_hochberg(ps)
    if all(abs(each - alpha) > 1e-9 for each in adjusted):
        assert [each <= alpha for each in adjusted] == [p <= limit for p in ps]


def test_the_published_example():
    assert sum(p <= 0.05 for p in holm(PUBLISHED)) == 3
    assert sum(p <= 0.05 for p in benjamini_hochberg(PUBLISHED)) == 4


@given(families)
def test_adjusting_never_helps_and_one_claim_is_itself(ps):
    for adjust in (holm, benjamini_hochberg):
        assert all(each >= p - 1e-12 for each, p in zip(adjust(ps), ps, strict=True))
    assert holm(ps[:1]) == (ps[0],)
    assert all(b <= h + 1e-12 for b, h in zip(benjamini_hochberg(ps), holm(ps), strict=True))


def test_passes_and_refutations_are_corrected_apart():
    claims = [Evidence(0.01, 1.0), Evidence(1.0, 0.02), Evidence(0.02, 0.9)]
    found = corrected(claims)
    assert [each.holds for each in found] == pytest.approx([0.03, 1.0, 0.04])
    assert [each.refuted for each in found] == pytest.approx([1.0, 0.06, 1.0])
    assert corrected(claims, "none") == tuple(claims)


def test_an_unknown_correction_is_refused():
    with pytest.raises(CircuitUsageError, match=r"`correction`.*holm"):
        corrected([], "bonferroni")
