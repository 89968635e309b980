"""Looks: the schedule, and that looking again costs no error."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statistic_values import mean_of

from pytest_circuits import CircuitUsageError
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.intervals import intervals
from pytest_circuits.statistics.looks import Look, anytime, looks

ps = st.builds(Evidence, st.floats(0, 1), st.floats(0, 1))


def test_the_usual_schedule():
    assert [look.n for look in looks(32, 512)] == [32, 64, 128, 256, 512]
    assert [look.share for look in looks(32, 512)] == [1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2]


@given(st.integers(2, 300), st.integers(0, 3000), st.floats(1.01, 10))
def test_looks_grow_to_the_budget_and_spend_all_of_the_error(first, more, growth):
    schedule = looks(first, first + more, growth=growth)
    sizes = [look.n for look in schedule]
    assert sizes[0] == first
    assert sizes[-1] == first + more
    assert sizes == sorted(set(sizes))
    assert sum(look.share for look in schedule) == pytest.approx(1)


def test_one_look_is_the_usual_interval():
    found = Evidence(0.03, 0.9)
    assert looks(128, 128) == (Look(128, 1.0),)
    assert anytime([found], looks(128, 128)) == found


@given(st.lists(ps, min_size=1, max_size=5))
def test_what_was_decided_stays_decided(found):
    schedule = looks(32, 512)
    so_far = [anytime(found[: i + 1], schedule) for i in range(len(found))]
    for earlier, later in pairwise(so_far):
        assert later.holds <= earlier.holds
        assert later.refuted <= earlier.refuted


@given(st.lists(ps, min_size=1, max_size=5), st.floats(0.001, 0.2))
def test_decided_is_decided_at_some_look_at_its_own_alpha(found, alpha):
    schedule = looks(32, 512)
    at_looks = [
        each.holds <= alpha * look.share for each, look in zip(found, schedule, strict=False)
    ]
    assume(
        all(
            abs(p.holds - alpha * look.share) > 1e-9
            for p, look in zip(found, schedule, strict=False)
        )
    )
    assert (anytime(found, schedule).holds <= alpha) == any(at_looks)


def test_before_the_first_look_nothing_is_known():
    assert anytime([], looks(32, 512)) == Evidence(1.0, 1.0)


def decided(numbers, schedule):
    found = [
        evidence(intervals(mean_of(numbers[: look.n]), look.n), ">=", 0.0) for look in schedule
    ]
    return anytime(found, schedule).decision(0.05)


def test_at_the_threshold_five_looks_err_no_more_than_one_would():
    schedule = looks(32, 512)
    naive = [Look(look.n, 1.0) for look in schedule]
    numbers = np.random.default_rng(0).normal(size=(600, 512))
    spent = [decided(each, schedule) for each in numbers]
    # 5 % at most are decided wrongly, of 600; three standard errors of that are 2.7 %.
    assert sum(each != "undecided" for each in spent) / 600 < 0.05 + 0.027
    # Without spending about 14 % are: the check above can fail.
    wrongly = [decided(each, naive) for each in numbers]
    assert sum(each != "undecided" for each in wrongly) / 600 > 0.10


def test_a_clear_claim_is_decided_at_the_first_look():
    first = looks(64, 512)[:1]
    numbers = np.random.default_rng(0).normal(1.5, 1, size=(20, 64))
    assert {decided(each, first) for each in numbers} == {"holds"}
    assert {decided(-each, first) for each in numbers} == {"refuted"}


@pytest.mark.parametrize("arguments", [(1, 64), (64, 32)])
def test_sizes_that_cannot_be_meant_are_refused(arguments):
    with pytest.raises(CircuitUsageError, match="`first` and `budget`"):
        looks(*arguments)


def test_looks_that_do_not_grow_are_refused():
    with pytest.raises(CircuitUsageError, match="`growth`"):
        looks(32, 64, growth=1)
