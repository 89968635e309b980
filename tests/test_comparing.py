"""Two checkpoints on the same prompts."""

from functools import partial

import numpy as np
import pytest
from ioi_as_rows import as_rows
from statistic_values import mean_of

from pytest_circuits import (
    END,
    IO,
    CircuitUsageError,
    ClaimNotEvaluable,
    answer_preferred,
    attention,
    heads,
    load_model,
    logit_difference,
    measure,
    non_inferior,
    prompt_task,
)
from pytest_circuits.statistics.design import clustered
from pytest_circuits.statistics.intervals import intervals


@pytest.fixture(scope="module")
def old():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def without_name_movers():
    return load_model("reference-ioi:without=name mover", progress=False)


def test_a_model_is_not_inferior_to_itself(old):
    found = non_inferior(logit_difference(), old, old, by=0.1, prompts=16)
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert found.evidence.decision(0.05) == "holds"


def test_what_cannot_be_measured_is_no_more_equal_for_being_asked_of_one_model(old):
    with pytest.raises(ClaimNotEvaluable, match=r"no head 40\.0"):
        non_inferior(attention(heads("40.0", at=END), to=IO), old, old, by=0.1, prompts=8)


def test_a_model_that_lost_its_name_movers_is(old, without_name_movers):
    found = non_inferior(logit_difference(), without_name_movers, old, by=1.5, prompts=32)
    # They are worth 2.1 logits, backups and all.
    assert found.difference == pytest.approx(-2.1, abs=0.3)
    assert found.evidence.decision(0.05) == "refuted"
    back = non_inferior(logit_difference(), old, without_name_movers, by=0.1, prompts=32)
    assert back.evidence.decision(0.05) == "holds"


def test_a_share_that_never_differs_is_not_certain_to_be_the_same(old):
    other = load_model("reference-ioi:without=uniform decoy", progress=False)
    found = non_inferior(answer_preferred(), other, old, by=0.05, prompts=32)
    assert found.difference == 0
    assert found.low < -0.05
    assert found.evidence.decision(0.05) == "undecided"


@pytest.mark.parametrize("by", [0, -1, "x", None, [1], float("nan"), float("inf"), True])
def test_a_margin_that_is_none(by):
    with pytest.raises(CircuitUsageError, match="`by` must be more than 0"):
        non_inferior(logit_difference(), None, None, by=by)


@pytest.mark.parametrize("what", [None, "logits", [1], logit_difference() >= 1])
def test_a_measure_that_is_none(what):
    with pytest.raises(CircuitUsageError, match="`measure` must be a measure"):
        non_inferior(what, None, None, by=0.1)


def test_several_numbers_are_not_compared(old):
    several = attention(heads("6.0", "6.2", at=END).each, to=IO)
    with pytest.raises(CircuitUsageError, match=r"one number.* 2 parts: .* role.mean"):
        non_inferior(several, old, old, by=0.1)


def test_pairing_makes_the_interval_narrow(old):
    other = load_model("reference-ioi:without=backup name mover", progress=False)
    found = non_inferior(logit_difference(), other, old, by=0.5, prompts=32)
    looks = [measure(each, logit_difference(), prompts=32) for each in (old, other)]
    assert found.high - found.low < 0.5 * min(each.high - each.low for each in looks)
    assert found.evidence.decision(0.05) == "holds"


@pytest.fixture(scope="module")
def own(old):
    """IOI's prompts as a task of one's own, in four clusters."""
    rows = as_rows(old.tokenizer, 32, counterparts=())
    rows = [row | {"cluster": str(i // 8)} for i, row in enumerate(rows)]
    return prompt_task("own", rows)


def test_a_comparison_is_for_fresh_clusters_as_a_claim_is(old, own):
    other = load_model("reference-ioi:without=induction", progress=False)
    found = non_inferior(logit_difference(), other, old, by=10.0, task=own, prompts=32)
    new, before = (measure(it, logit_difference(), task=own, prompts=32) for it in (other, old))
    difference = np.subtract(new.contributions[0], before.contributions[0])
    clusters = own.draw(old.tokenizer, 32, 0).clusters
    (over,) = intervals(mean_of(difference), 32, design=clustered(clusters))
    assert (found.low, found.high) == pytest.approx(over.at(0.05))


def test_comparisons_of_clusters_are_less_sure(old, own):
    other = load_model("reference-ioi:without=induction", progress=False)
    for what in (logit_difference(), answer_preferred()):
        compared = partial(non_inferior, what, other, old, by=10.0, task=own, prompts=32)
        found, alone = compared(), compared(clustered=False)
        assert found.difference == alone.difference
        assert found.high - found.low > 1.1 * (alone.high - alone.low)


def test_a_margin_is_more_than_nothing(old):
    with pytest.raises(CircuitUsageError, match="`by` must be more than 0"):
        non_inferior(attention(heads("6.0", at=END), to=IO), old, old, by=0)
