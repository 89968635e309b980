"""What must not be asserted as it stands: true whatever was measured, or nothing at all."""

import pickle
from dataclasses import replace
from fractions import Fraction

import pytest

from pytest_circuits import (
    END,
    IO,
    ClaimRefuted,
    attention,
    check,
    check_all,
    heads,
    load_model,
    measure,
    non_inferior,
)
from pytest_circuits.statistics.equivalence import Rank

LOOK = attention(heads("6.0", at=END), to=IO)
_CLAIM = LOOK >= 0.5


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def estimate(model):
    return measure(model, LOOK, prompts=16)


@pytest.fixture(scope="module")
def wide(estimate):
    """An estimate whose interval straddles one half."""
    return replace(estimate, parts=tuple(replace(p, low=0.4, high=0.6) for p in estimate.parts))


@pytest.mark.parametrize("value", [5, 0.5, True, Fraction(1, 2), pytest.approx(5), "holds"])
@pytest.mark.parametrize("compare", [lambda a, b: a == b, lambda a, b: a != b], ids=["==", "!="])
def test_nothing_equals_a_number(value, compare, estimate):
    for made in (LOOK, _CLAIM, _CLAIM.over(seeds=[1, 2]), estimate, estimate >= 0.1):
        with pytest.raises(TypeError, match=r"no `==` or `!=`"):
            compare(made, value)
        with pytest.raises(TypeError, match=r"no `==` or `!=`"):
            compare(value, made)


def test_what_to_write_instead(estimate):
    with pytest.raises(TypeError, match=r"'attention of .*' .*\.between\(low, high\)"):
        LOOK == 1  # noqa: B015
    with pytest.raises(TypeError, match=r"\.between\(low, high\).*float\(estimate\)"):
        assert estimate != 5
    assert float(estimate) != 5


def test_numbers_of_other_libraries(estimate):
    import numpy as np
    import torch

    for number in (np.float32(5), np.float64(5), torch.tensor(5.0)):
        for made in (LOOK, _CLAIM, estimate):
            with pytest.raises(TypeError, match=r"no `==` or `!=`"):
                made != number  # noqa: B015


def test_the_same_description_is_still_equal(estimate):
    again = attention(heads("6.0", at=END), to=IO)
    assert (again, again >= 0.5) == (LOOK, _CLAIM)
    assert again != attention(heads("6.1", at=END), to=IO)
    assert len({again, LOOK}) == len({again >= 0.5, _CLAIM}) == 1
    assert LOOK not in (None, ("other", "things"))
    assert (LOOK != _CLAIM, LOOK == None) == (True, False)  # noqa: E711
    assert replace(estimate) == estimate == pickle.loads(pickle.dumps(estimate))
    assert hash(replace(estimate)) == hash(estimate)
    assert replace(estimate, n=3) != estimate


def test_verdicts_together_have_no_truth_value(model):
    verdicts = check_all([_CLAIM, LOOK >= 0.99999], model, prompts=16)
    with pytest.raises(TypeError, match=r"2 verdicts .* `assert all\(check_all\(\.\.\.\)\)`"):
        assert verdicts
    with pytest.raises(TypeError, match="truth value"):
        assert not check_all([], model)
    assert isinstance(verdicts, tuple)
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts


def test_a_status_has_no_truth_value(model, wide):
    decided = check(_CLAIM, model, prompts=16)
    words = [
        decided.status,
        decided.decision.status,
        (wide >= 0.5).status,
        _CLAIM.decide(0.6, 0.7),
        non_inferior(LOOK, model, model, by=0.1).evidence.decision(0.05),
    ]
    for word in words:
        with pytest.raises(TypeError, match=r"the status '(holds|undecided)' is a word"):
            assert word
        with pytest.raises(TypeError, match=r"`assert verdict`, or .*== \"holds\""):
            assert not word


def test_a_status_is_a_word_all_the_same(model):
    import json

    verdict = check(_CLAIM, model, prompts=16)
    assert verdict.status == "holds"
    assert f"{verdict.status:>6}" == " holds"
    assert {"holds": 1}[verdict.status] == 1
    assert json.dumps(verdict.status) == '"holds"'
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    assert type(verdict.as_dict()["status"]) is str  # xdist carries builtins only
    swept = check(_CLAIM.over(seeds=[1, 2]), model, prompts=16).as_dict()
    assert {type(way["status"]) for way in swept["ways"].values()} == {str}


def test_an_undecided_comparison_fails_either_way(wide):
    with pytest.raises(ClaimRefuted, match="claim undecided: the interval straddles"):
        assert wide >= 0.5
    with pytest.raises(ClaimRefuted, match="claim undecided: the interval straddles"):
        assert not (wide >= 0.5)
    with pytest.raises(ClaimRefuted, match="undecided"):
        assert not (0.5 < wide)
    with pytest.raises(ClaimRefuted, match="undecided"):
        assert not wide.between(0.5, 0.7)
    with pytest.raises(ClaimRefuted, match="undecided"):
        (wide >= 0.5).require()
    assert (wide >= 0.5).status == "undecided"


def test_a_decided_comparison_is_true_or_false(wide):
    assert wide >= 0.3
    assert not (wide >= 0.7)
    assert not all([wide >= 0.3, wide >= 0.7])


def test_what_carries_evidence_has_no_truth_value(model):
    found = non_inferior(LOOK, model, model, by=0.1)
    decision = check(_CLAIM, model, prompts=16).decision
    for each in (found, found.evidence, decision, Rank(1, 20)):
        with pytest.raises(TypeError, match="no truth value"):
            assert each
        with pytest.raises(TypeError, match="no truth value"):
            assert not each
