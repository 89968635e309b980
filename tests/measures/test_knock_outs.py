"""Knock-outs of heads together and one by one: without a model, and where the truth is known."""

import pytest
from fake_reads import MadeUp, draw_of, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import (
    ABC,
    END,
    S2,
    CircuitUsageError,
    check_all,
    circuit,
    heads,
    knock_out,
    knock_out_effect,
    knock_out_share,
    load_model,
    logit_difference,
    mean,
    measure,
    mlps,
    zero,
)

TO = mean(ABC)
MOVERS = heads("9.9", "9.6", at=END, name="name movers")
EARLY = heads("0.1", at=S2, name="duplicate token heads")
WHOLES = [MOVERS, circuit(MOVERS, EARLY), circuit(MOVERS, mlps=mlps(3, at=END)), mlps(2, at=S2)]
seeds = st.integers(0, 99)
names = st.lists(
    st.builds("{}.{}".format, st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=5,
    unique=True,
)


def lost(what, read):
    """F before and after, by hand."""
    under = knock_out(what, to=TO)
    return [value(logit_difference(under=each), read)[0] for each in (None, under)]


@pytest.mark.parametrize("what", WHOLES, ids=str)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_without_a_pool_all_is_knocked_out_at_once(what, seed):
    read = MadeUp(seed)
    before, after = lost(what, read)
    assert value(knock_out_effect(what, to=TO), read) == pytest.approx([before - after])
    assert value(knock_out_share(what, to=TO), read) == pytest.approx([after / before])
    assert len(read.runs) == 2


@settings(max_examples=25, deadline=None)
@given(names=names, seed=seeds)
def test_pools_are_made_of_heads_knocked_out_alone(names, seed):
    role, read = heads(*names, at=END), MadeUp(seed)
    alone = [lost(heads(name, at=END), read) for name in names]
    effects = [before - after for before, after in alone]
    shares = [after / before for before, after in alone]
    assert value(knock_out_effect(role.each, to=TO), read) == pytest.approx(effects)
    assert value(knock_out_effect(role.sum, to=TO), read) == pytest.approx([sum(effects)])
    average = [sum(effects) / len(effects)]
    assert value(knock_out_effect(role.mean, to=TO), read) == pytest.approx(average)
    assert value(knock_out_share(role.each, to=TO), read) == pytest.approx(shares)
    average = [sum(shares) / len(shares)]
    assert value(knock_out_share(role.mean, to=TO), read) == pytest.approx(average)


@pytest.mark.parametrize("make", [knock_out_effect, knock_out_share])
def test_values_per_head(make):
    assert make(MOVERS.each, to=TO).labels() == ("9.9", "9.6")
    assert make(MOVERS.mean, to=TO).by_head() == make(MOVERS.each, to=TO)
    assert make(MOVERS, to=TO).by_head() is None
    assert make(MOVERS, to=TO).labels() == make(MOVERS.mean, to=TO).labels() == ("",)


def test_words_and_units():
    effect, share = knock_out_effect(MOVERS.sum, to=zero()), knock_out_share(MOVERS, to=zero())
    assert str(effect) == "total effect of name movers (9.9, 9.6), sum -> zero"
    assert str(share) == "share of the logit difference left without name movers (9.9, 9.6) -> zero"
    assert (effect.unit, share.unit) == ("logits", "")
    runs = [str(need.run) for need in knock_out_effect(WHOLES[1], to=zero()).needs(draw_of())]
    assert runs == ["TOY", "TOY with knocked out: circuit (3 heads) -> zero"]


REFUSED = {
    "no sum of shares": (lambda: knock_out_share(MOVERS.sum, to=TO), "do not add up"),
    "no role": (lambda: knock_out_effect("9.9", to=TO), "`what` must be made by heads"),
    "no role for a share": (lambda: knock_out_share("9.9", to=TO), "`what` must be made by heads"),
    "no reference": (lambda: knock_out_effect(MOVERS, to="ABC"), "`to` must be a reference"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_when_it_is_written(case):
    make, says = REFUSED[case]
    with pytest.raises(CircuitUsageError, match=says):
        make()


DUPLICATE = heads("2.0", "3.2", at=S2, name="duplicate token heads")
WRITERS = heads("6.0", "6.2", at=END, name="name movers")
NEGATIVE = heads("7.1", "7.3", at=END, name="negative name movers")
ONE_DECOY = heads("6.0", "6.3", at=END, name="a name mover and a decoy")
_TRUE = {
    "each duplicate token head is needed": knock_out_effect(DUPLICATE.each, to=TO) >= 0.5,
    "they stand in for one another": (
        knock_out_effect(DUPLICATE, to=TO) - knock_out_effect(DUPLICATE.sum, to=TO) >= 0.5
    ),
    "the mean is half the sum": (
        knock_out_effect(DUPLICATE.sum, to=TO) / knock_out_effect(DUPLICATE.mean, to=TO)
    ).between(0.7, 3.3),
    "without either mover most is left": knock_out_share(WRITERS.each, to=TO) >= 0.6,
    "each negative head works against the task": knock_out_share(NEGATIVE.each, to=TO) >= 1.05,
    "the one name mover": knock_out_effect(ONE_DECOY, to=TO) >= 0.5,
}
_FALSE = {
    "either duplicate token head is all": knock_out_effect(DUPLICATE.each, to=TO) >= 4,
    "the decoy too": knock_out_effect(ONE_DECOY.each, to=TO) >= 0.5,
    "nothing is lost without any one": knock_out_share(DUPLICATE.each, to=TO) >= 0.9,
    "the mean is that of both at once": knock_out_share(DUPLICATE.mean, to=TO) <= 0.3,
}


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def verdicts(model):
    # What a decoy does on none of 32 prompts it may do on others, by 1.3 logits on average.
    claims = _TRUE | _FALSE
    return dict(zip(claims, check_all(claims.values(), model, prompts=128), strict=True))


@pytest.mark.parametrize("name", _TRUE)
def test_a_true_claim_holds(verdicts, name):
    assert verdicts[name].status == "holds", verdicts[name]


@pytest.mark.parametrize("name", _FALSE)
def test_a_false_claim_is_refuted(verdicts, name):
    assert verdicts[name].status == "refuted", verdicts[name]


def test_an_estimate_has_the_values_of_the_heads(model):
    found = measure(model, knock_out_effect(DUPLICATE.mean, to=TO), prompts=32)
    assert [head for head, _ in found.by_head] == ["2.0", "3.2"]
    assert found.value == pytest.approx(sum(value for _, value in found.by_head) / 2)
    assert len(found.by_prompt) == 32
