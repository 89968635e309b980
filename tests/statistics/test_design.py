"""Errors of means over prompts drawn by strata or in clusters: statsmodels, simulation."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statistic_values import mean_of, ratio_of

from pytest_circuits.statistics.bounded import Within
from pytest_circuits.statistics.design import clustered, independent, stratified
from pytest_circuits.statistics.intervals import Folded, intervals
from pytest_circuits.statistics.ratios import ratios
from pytest_circuits.statistics.special import student_quantile

seeds = st.integers(0, 10_000)


def drawn(seed, n=60, groups=7):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, groups, n)
    labels[:groups] = labels[groups : 2 * groups] = np.arange(groups)
    return rng.normal(size=groups)[labels] + rng.normal(size=n), [f"g{i}" for i in labels]


def influence(numbers):
    return numbers - numbers.mean()


@given(seeds)
def test_clusters_agree_with_statsmodels(seed):
    numbers, labels = drawn(seed)
    groups = np.unique(labels, return_inverse=True)[1]
    options = {"cov_type": "cluster", "cov_kwds": {"groups": groups}, "use_t": True}
    fit = sm.OLS(numbers, np.ones(len(numbers))).fit(**options)
    design = clustered(labels)
    assert design.errors(influence(numbers)) == pytest.approx(fit.bse[0])
    half = student_quantile(0.025, design.df) * fit.bse[0]
    ((low, high),) = fit.conf_int(0.05)
    assert (numbers.mean() - half, numbers.mean() + half) == pytest.approx((low, high))


@given(seeds)
def test_independent_prompts_have_the_textbook_error(seed):
    numbers, _ = drawn(seed)
    assert independent(60).errors(influence(numbers)) == pytest.approx(
        numbers.std(ddof=1) / np.sqrt(60)
    )


@given(seeds)
def test_strata_have_the_error_of_their_own_variances(seed):
    # Cochran 1977, equation 5.13, without the finite population correction.
    numbers, labels = drawn(seed)
    labels = np.array(labels)
    squared = sum(
        (np.mean(labels == each) ** 2) * numbers[labels == each].var(ddof=1) / sum(labels == each)
        for each in set(labels)
    )
    assert stratified(labels).errors(influence(numbers)) == pytest.approx(np.sqrt(squared))


@pytest.mark.parametrize("design", [independent(60), stratified, clustered])
def test_a_step_along_the_design_is_one_standard_error(design):
    numbers, labels = drawn(3)
    design = design(labels) if callable(design) else design
    weights = 1 + 1e-6 * design.along(influence(numbers))
    moved = np.average(numbers, weights=weights) - numbers.mean()
    assert moved == pytest.approx(1e-6 * float(design.errors(influence(numbers))), rel=1e-4)


def test_the_finest_strata_with_two_prompts_each_are_taken():
    fine, coarse = list("abcd"), list("aabb")
    assert stratified(fine, coarse).groups == 2
    assert stratified(fine).kind == "independent"
    assert stratified(coarse, fine).words == "prompts within 2 strata"


def test_every_interval_takes_its_error_from_the_design():
    numbers, labels = drawn(5)
    other = numbers + np.random.default_rng(0).normal(size=60) + 5

    def widths(design):
        (mean,) = intervals(mean_of(numbers), 60, design=design)
        (bent,) = intervals(ratio_of(numbers, other), 60, design=design)
        (ratio,) = ratios(mean_of(numbers), mean_of(other), 60, design=design)
        return [high - low for low, high in (each.at(0.05) for each in (mean, bent, ratio))]

    plain, within, over = map(widths, (independent(60), stratified(labels), clustered(labels)))
    assert all(a < b < c for a, b, c in zip(within, plain, over, strict=True))


@pytest.mark.parametrize(("kind", "held"), [("strata", True), ("clusters", True), ("none", False)])
def test_coverage_of_what_it_says_it_is_for(kind, held):
    """Wordings shift values: fixed ones are strata, drawn ones clusters; else intervals err."""
    rng = np.random.default_rng(0)
    fixed = rng.normal(size=16)
    labels = [str(i % 16) for i in range(64)]
    wordings = np.arange(64) % 16
    missed = []
    for _ in range(1000):
        shift = fixed if kind == "strata" else rng.normal(size=16)
        truth = fixed.mean() if kind == "strata" else 0.0
        numbers = shift[wordings] + rng.normal(size=64)
        design = {"strata": stratified, "clusters": clustered}.get(kind)
        (found,) = intervals(mean_of(numbers), 64, design=design and design(labels))
        low, high = found.at(0.05)
        missed.append(not low <= truth <= high)
    assert (abs(np.mean(missed) - 0.05) < 0.02) == held


def middle(rows, numbers):
    """Return the weighted median of each row, [1, draws]: no single prompt moves it smoothly."""
    order = np.argsort(numbers)
    reached = np.cumsum(rows[:, order], axis=1) >= rows.sum(axis=1, keepdims=True) / 2
    return numbers[order][reached.argmax(axis=1)][None]


def test_resamples_draw_clusters_whole():
    wordings = np.arange(64) % 8
    numbers = 10.0 * wordings + np.random.default_rng(0).normal(size=64)
    design = clustered([str(each) for each in wordings])
    drawn = design.resampled(500, seed=0)
    assert (drawn[:, :8] == drawn[:, 8:16]).all()
    assert set(drawn.sum(axis=1)) == {64.0}
    value = lambda rows: middle(rows, numbers)  # noqa: E731
    (plain,), (whole,) = (intervals(value, 64, design=each) for each in (None, design))
    assert plain.over == "prompts"
    assert whole.over == "8 clusters"
    assert np.ptp(whole.at(0.05)) > 1.5 * np.ptp(plain.at(0.05))


def test_an_interval_says_what_it_is_over():
    numbers, labels = drawn(5)
    for design, words in (
        (independent(60), "prompts"),
        (stratified(labels), f"prompts within {len(set(labels))} strata"),
        (clustered(labels), f"{len(set(labels))} clusters"),
    ):
        (mean,) = intervals(mean_of(numbers), 60, design=design)
        (ratio,) = ratios(mean_of(numbers), mean_of(numbers + 9), 60, design=design)
        folded, within = Folded(mean), Within(mean, -9.0, 9.0)
        assert {each.over for each in (mean, ratio, folded, within)} == {words}


def test_what_varies_between_strata_alone_is_not_taken_for_constant():
    labels = [str(i % 4) for i in range(32)]
    numbers = np.arange(32) % 4 + 1.0
    (found,) = intervals(mean_of(numbers), 32, design=stratified(labels), scale=4.0)
    (plain,) = intervals(mean_of(numbers), 32, scale=4.0)
    assert found.at(0.05) == plain.at(0.05)
