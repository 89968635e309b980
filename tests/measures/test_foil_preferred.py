"""The share of prompts on which the foil wins, by hand and on the reference model."""

import numpy as np
import pytest
from fake_reads import MadeUp, draw_of, value

from pytest_circuits import DISTRACTOR, DISTRACTOR_CONTROL, answer_preferred, check_all, load_model
from pytest_circuits.measures.behaviour import foil_preferred


def test_a_tie_is_neither():
    read = MadeUp(n=4)
    run = foil_preferred().needs(draw_of(n=4))[0].run
    read.runs[run] = np.array([[1.0, 2], [2, 1], [3, 3], [0, 9]])
    assert value(foil_preferred(), read) == [0.5]
    assert value(answer_preferred(), read) == [0.25]


def test_the_adversarial_prediction_on_the_reference_model():
    model = load_model("reference-ioi", progress=False)
    claims = {
        foil_preferred() <= 0.1: "holds",
        foil_preferred(on=DISTRACTOR) >= 0.2: "holds",
        foil_preferred(on=DISTRACTOR) - foil_preferred() >= 0.2: "holds",
        foil_preferred(on=DISTRACTOR_CONTROL) <= 0.1: "holds",
        foil_preferred(on=DISTRACTOR_CONTROL) - foil_preferred() >= 0.1: "refuted",
        foil_preferred(on=DISTRACTOR) >= 0.9: "refuted",
    }
    for verdict in check_all(claims, model, prompts=128):
        assert verdict.status == claims[verdict.claim], verdict


def test_words():
    assert str(foil_preferred(on=DISTRACTOR)) == (
        "share of prompts with the foil's logit above the answer's on DISTRACTOR"
    )


@pytest.mark.parametrize("n", [2, 7])
def test_without_ties_the_answer_has_the_rest(n):
    read = MadeUp(n=n)
    (foil,), (answer,) = value(foil_preferred(), read), value(answer_preferred(), read)
    assert foil + answer == pytest.approx(1)
