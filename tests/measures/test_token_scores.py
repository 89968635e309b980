"""Token scores at several periods: which random sequences are read, and what becomes of them."""

import numpy as np
import pytest
from fake_reads import draw_of, value

from pytest_circuits import (
    IOI,
    S2,
    CircuitUsageError,
    duplicate_token_score,
    heads,
    induction_score,
    load_model,
    previous_token_score,
)
from pytest_circuits.measures.tokens import PERIODS
from pytest_circuits.tasks.repeated import RepeatedTokens

HEAD, TWO = heads("1.2", at=S2), heads("1.2", "2.0", at=S2, name="both")
SCORES = [previous_token_score, duplicate_token_score, induction_score]


class ByPeriod:
    """A `read` of a head's score that depends on the period alone; head 2.0 has a tenth of it."""

    n = 3

    def __init__(self, scores):
        self.scores = scores

    def __call__(self, need):
        score = self.scores[need.run.draw.task.length]
        return np.full((self.n, 1), score if need.reading.head.layer == 1 else score / 10)


@pytest.mark.parametrize("score", SCORES)
def test_a_head_that_finds_near_copies_only_is_not_judged_by_far_ones(score):
    read = ByPeriod({6: 0.9, 10: 0.8, 14: 0.5, 24: 0.2})
    assert value(score(HEAD), read) == pytest.approx([0.6])
    assert value(score(HEAD, period=24), read) == pytest.approx([0.2])
    assert value(score(HEAD, period=(6, 24)), read) == pytest.approx([0.55])
    assert value(score(TWO.each), read) == pytest.approx([0.6, 0.06])
    assert value(score(TWO.sum), read) == pytest.approx([0.66])


def test_the_default_covers_the_distances_of_the_task_and_more():
    tokenizer = load_model("reference-ioi", progress=False).tokenizer
    where = IOI().draw(tokenizer, 64, 0).prompts.positions
    distances = {b - a for a, b in zip(where["S1"], where["S2"], strict=True)}
    assert min(PERIODS) - 1 <= min(distances)
    assert max(distances) <= 14 in PERIODS
    assert max(PERIODS) > max(distances)


def test_each_period_is_a_run_of_its_own_and_has_as_many_rows_as_the_claim():
    runs = {need.run for need in induction_score(TWO.each).needs(draw_of(n=3))}
    assert {(run.draw.task.length, run.draw.n) for run in runs} == {(k, 3) for k in PERIODS}


def test_sequences_of_one_period_are_no_pieces_of_those_of_another():
    """Rows are taken as independent: a draw that goes on where another row of a shorter one is."""
    tokenizer = load_model("reference-ioi", progress=False).tokenizer

    def drawn(period):
        return RepeatedTokens(length=period).draw(tokenizer, 4, 0).prompts.ids

    short, long = ([row[:6] for row in drawn(period)] for period in (6, 24))
    assert all(a != b for a in short for b in long)


def test_the_sentence_names_the_periods():
    assert str(induction_score(HEAD, period=(6, 14))) == (
        "induction-token score of 1.2, random tokens repeated after 6, 14"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"period": 2}, "`period` must be a whole number of at least 3; got 2"),
        ({"period": (6, 2.5)}, r"`period` must be a whole number of at least 3; got 2\.5"),
        ({"period": ()}, "one period or several different ones"),
        ({"period": (6, 6)}, r"one period or several different ones; got \(6, 6\)"),
        ({"period": 6, "on": "task"}, "prompts have the distances they have; got 6"),
    ],
)
def test_periods_that_cannot_be_meant(arguments, said):
    with pytest.raises(CircuitUsageError, match=said):
        induction_score(HEAD, **arguments)
