import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits import (
    ABC,
    END,
    IO,
    IOI,
    S1,
    CircuitUsageError,
    Rules,
    Suite,
    attention,
    copy_score,
    direct_logit_attribution,
    faithfulness,
    heads,
    induction_score,
    knock_out,
    logit_difference,
    mean,
    resample,
)
from pytest_circuits.claims import Claim

ROLE = heads("9.9", "9.6", at=END, name="name movers")
OTHER = heads("7.3", "7.9", at=END, name="S-inhibition heads")
MEASURE = attention(ROLE.mean, to=IO)
ANYTHING = direct_logit_attribution(ROLE.mean)
numbers = st.floats(-10, 10)


def test_a_claim_reads_as_a_sentence():
    claim = MEASURE >= 0.5
    assert str(claim) == "attention of name movers (9.9, 9.6), mean from END to IO >= 0.5"


def test_claims_are_values():
    make = lambda: attention(ROLE.mean, to=IO, under=knock_out(ROLE, to=mean(ABC))) >= 0.5  # noqa: E731
    assert make() == make()
    assert len({make(), make(), MEASURE >= 0.6}) == 2
    assert pickle.loads(pickle.dumps(make())) == make()


def test_comparing_two_measures_pairs_them():
    claim = attention(ROLE.mean, to=IO) > attention(ROLE.mean, to=S1)
    assert (claim.relation, claim.threshold) == (">", 0.0)
    assert " minus " in str(claim)


def test_a_claim_and_a_measure_have_no_truth_value():
    with pytest.raises(TypeError, match="not evaluated yet"):
        assert MEASURE >= 0.5
    with pytest.raises(TypeError, match="between"):
        0.3 <= MEASURE <= 0.5  # noqa: B015
    with pytest.raises(TypeError, match="no truth value"):
        bool(MEASURE)


def test_a_claim_carries_its_source():
    assert (MEASURE >= 0.5).cite("Wang et al. 2022, section 3.1").source.startswith("Wang")


@given(numbers, numbers, numbers)
def test_the_verdict_follows_the_interval(threshold, a, b):
    low, high = min(a, b), max(a, b)
    status = (ANYTHING >= threshold).decide(low, high)
    expected = "holds" if low >= threshold else "refuted" if high < threshold else "undecided"
    assert status == expected
    opposite = {"holds": "refuted", "refuted": "holds", "undecided": "undecided"}
    assert (ANYTHING < threshold).decide(low, high) == opposite[status]


@given(numbers, numbers, numbers, numbers)
def test_between_holds_only_inside_and_is_refuted_only_outside(a, b, c, d):
    (least, most), (low, high) = sorted((a, b)), sorted((c, d))
    status = ANYTHING.between(least, most).decide(low, high)
    assert (status == "holds") == (least <= low and high <= most)
    assert (status == "refuted") == (high < least or low > most)


@given(numbers, numbers)
def test_the_margin_is_positive_exactly_inside(threshold, value):
    assert ((ANYTHING >= threshold).margin(value) >= 0) == (value >= threshold)
    assert ((ANYTHING <= threshold).margin(value) >= 0) == (value <= threshold)


def test_a_strict_bound_is_not_met_by_touching_it():
    assert (ANYTHING > 0).decide(0.0, 0.0) == "refuted"
    assert (ANYTHING >= 0).decide(0.0, 0.0) == "holds"
    assert (ANYTHING > 0).decide(0.0, 1.0) == "undecided"


def test_a_role_of_several_heads_must_say_how_they_are_pooled():
    with pytest.raises(CircuitUsageError, match=r"role\.each, role\.mean or role\.sum"):
        attention(ROLE, to=IO)
    attention(heads("9.9", at=END), to=IO)


_LIKE_A_TASK = dict.fromkeys(("name", "positions", "counterparts", "signals", "features", "draw"))

WRONG = [
    (lambda: MEASURE >= "0.5", "compare .* with a finite number or another measure"),
    (lambda: MEASURE >= True, "compare .* with a finite number or another measure"),
    (lambda: MEASURE >= float("nan"), "finite number"),
    (lambda: MEASURE.between(0, float("inf")), "finite number"),
    (lambda: MEASURE.between(1, 0), "the wrong way round"),
    (lambda: MEASURE - 1, "combines with measures only"),
    (lambda: MEASURE - logit_difference(), "a difference needs one unit"),
    (
        lambda: attention(ROLE.each, to=IO) > attention(OTHER.each, to=IO),
        "do not pair: compare role.mean",
    ),
    (lambda: attention("9.9", to=IO), "must be made by heads"),
    (lambda: copy_score(ROLE.each, top=0), "`top` must be a whole number"),
    (lambda: copy_score(ROLE.each, reads="nothing"), "Known: first block, own input"),
    (lambda: copy_score(heads("0.1", at=END), reads="own input"), "layer 0"),
    (lambda: direct_logit_attribution(heads("9.9", at=S1)), "read at END"),
    (lambda: induction_score(ROLE.mean, on="task"), "Declare it with at='S2'"),
    (lambda: induction_score(ROLE.mean, on="tsak"), "Known: random, task"),
    (lambda: faithfulness(ROLE, to="zero"), "`to` must be a reference"),
    (lambda: faithfulness("all", to=mean(ABC)), "`what` must be made by heads"),
    (lambda: faithfulness(ROLE, to=mean(ABC), form="best"), "Known: ratio, difference"),
    (lambda: mean(over=None), "`over` must be a string, not empty, such as ABC"),
    (lambda: resample(over=""), "`over` must be a string, not empty, such as ABC"),
    (lambda: Suite(prompts=1), "`prompts` must be a whole number of at least 2"),
    (lambda: Suite(prompts="many"), "`prompts` must be a whole number of at least 2"),
    (lambda: Suite(seed=-1), "`seed` must be a whole number of at least 0"),
    (lambda: Suite(model=Path("a/b")), r"`model` must be a string.*Path.*write str\(path\)"),
    (lambda: Suite(model=["a"]), r"`model` must be a string.*--circuit-model; got \['a'\]"),
    (lambda: Suite(model=" "), "`model` must be a string"),
    (lambda: Suite(task="ioi"), r"`task` must be a task.*IOI\(\).*got 'ioi'"),
    (lambda: Suite(task=IOI), r"`task` must be a task.*IOI\(\).*got the class IOI"),
    (lambda: Suite(task=None), "`task` must be a task.*got None"),
    (lambda: Suite(task=SimpleNamespace(**_LIKE_A_TASK)), "`task` must be hashable.*frozen"),
    (lambda: Suite(source=["x"]), r"`source` must be a string.*got \['x'\]"),
    (lambda: Suite(rules="holm"), r"`rules` must be Rules\(\.\.\.\).*got 'holm'"),
    (lambda: Suite(rules=Rules), r"`rules` must be Rules\(\.\.\.\).*got the class Rules"),
    (lambda: (MEASURE >= 0.5).cite(["x"]), r"`source` must be a string.*got \['x'\]"),
    (lambda: (MEASURE >= 0.5).cite(None), "`source` must be a string.*got None"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=range(len(WRONG)))
def test_what_is_badly_written_is_refused_by_name(wrong, message):
    with pytest.raises(CircuitUsageError, match=message):
        wrong()


def test_values_per_head_of_a_combination():
    by_head = (attention(ROLE.mean, to=IO) - attention(ROLE.mean, to=S1)).by_head()
    assert by_head == attention(ROLE.each, to=IO) - attention(ROLE.each, to=S1)
    assert by_head.labels() == ("9.9", "9.6")
    assert (attention(ROLE.mean, to=IO) - attention(OTHER.mean, to=IO)).by_head() is None
    assert (logit_difference() - logit_difference(on=ABC)).by_head() is None
    one_side = direct_logit_attribution(ROLE.sum) - logit_difference(on=ABC)
    assert one_side.by_head().labels() == ("9.9", "9.6")
    assert abs(one_side).by_head().labels() == ("9.9", "9.6")


def test_nested_differences_keep_their_brackets():
    a, b, c = (logit_difference(on=name) for name in ("A", "B", "C"))
    assert str((a - b) - c).startswith("(logit difference on A minus logit difference on B) minus")
    assert str(a - (b - c)).endswith("minus (logit difference on B minus logit difference on C)")


def test_ratios_and_differences_keep_their_units():
    ratio = logit_difference(on=ABC) / logit_difference()
    assert (ratio.unit, (logit_difference() - logit_difference(on=ABC)).unit) == ("", "logits")
    assert isinstance(abs(logit_difference()) <= 1, Claim)
