"""Interchange, `carries` and the signal table without a model."""

import numpy as np
import pytest
from fake_reads import TABLE, MadeUp, Toy, draw_of, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import ABC, END, CircuitUsageError, ClaimNotEvaluable, heads, logit_difference
from pytest_circuits.estimates import sample
from pytest_circuits.interventions import patch
from pytest_circuits.measures.interchange import carries, interchange_effect
from pytest_circuits.measures.signals import signal_fit, signal_weight, two_signals
from pytest_circuits.nodes import residual

INHIBITION = heads("7.3", "8.6", at=END, name="S-inhibition heads")
weights = st.floats(-5, 5).filter(lambda x: abs(x) > 0.1)


def additive(position, token, constant=0.0, n=4):
    """Return a `read` in which F of each row is the sum of its signals, by prompt with noise."""
    noise = np.array([-0.5, 0.5] * (n // 2))
    read = MadeUp(n=n)
    for need, (_, signs) in zip(two_signals(INHIBITION).needs(draw_of(n=n)), TABLE, strict=True):
        gap = constant + position * signs[0] + token * signs[1] + noise
        read.runs[need.run] = np.stack([gap, np.zeros(n)], axis=1)
    return read


@settings(max_examples=25, deadline=None)
@given(position=weights, token=weights)
def test_the_fit_finds_the_signals_that_were_added(position, token):
    read = additive(position, token)
    assert value(signal_weight(INHIBITION, "position"), read) == pytest.approx([position])
    assert value(signal_weight(INHIBITION, "token"), read) == pytest.approx([token])
    assert value(signal_fit(INHIBITION), read) == pytest.approx([1])


@settings(max_examples=25, deadline=None)
@given(position=weights, token=weights)
def test_carries_is_the_share_that_inverting_turns(position, token):
    read = additive(position, token)
    whole = position + token
    if abs(whole) > 0.1:
        assert value(carries(INHIBITION, "position"), read) == pytest.approx([position / whole])
        assert value(carries(INHIBITION, "token"), read) == pytest.approx([token / whole])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99))
def test_carries_is_half_the_interchange_effect_over_the_logit_difference(seed):
    read = MadeUp(seed)
    effect = interchange_effect(INHIBITION.each, over="TURNED") / logit_difference()
    halves = [each / 2 for each in value(effect, read)]
    assert value(carries(INHIBITION.each, "position"), read) == pytest.approx(halves)


def test_heads_that_write_nothing_carry_nothing():
    read = additive(0, 0, constant=3)
    assert value(carries(INHIBITION, "position"), read) == [0]
    assert value(signal_weight(INHIBITION, "token"), read) == pytest.approx([0])
    assert value(signal_fit(INHIBITION), read) == pytest.approx([0])
    assert value(two_signals(INHIBITION), read) == [3] * 6


def test_signals_that_do_not_add_fit_badly():
    assert value(signal_fit(INHIBITION), additive(2, 1, constant=2))[0] < 0.8


def test_no_preference_is_no_share():
    with pytest.raises(ClaimNotEvaluable, match="undefined on these prompts"):
        sample(carries(INHIBITION, "position"), additive(0, 0), draw_of(n=4))


def test_the_table_names_its_rows_once_it_knows_the_task():
    draw, read = draw_of(), MadeUp()
    table = two_signals(INHIBITION)
    named = table.refined(read, draw)
    assert named.labels() == (
        "position +, token +",
        "position -, token +",
        "position +, token -",
        "position -, token -",
        "position +, token 0",
        "position -, token 0",
    )
    assert named.refined(read, draw) is None
    assert named.needs(draw) == table.needs(draw)
    assert value(named, read) == pytest.approx(
        [
            value(logit_difference(under=under), read)[0]
            for under in (None, *(patch(INHIBITION, over=name) for name, _ in TABLE[1:]))
        ]
    )


def test_the_fit_is_of_means_so_that_weights_of_prompts_work():
    read, draw = MadeUp(3, n=6), draw_of(n=6)
    fit = signal_weight(INHIBITION, "position")
    rows = np.array([[1.0] * 6, [2.0, 0, 0, 1, 0, 0]])
    values = fit.value(read, draw, lambda n: rows)
    gaps = [read(need)[:, 0] - read(need)[:, 1] for need in fit.needs(draw)]
    signs = np.array([signs for _, signs in TABLE], dtype=float)
    for row, found in zip(rows, values[0], strict=True):
        means = [np.average(gap, weights=row) for gap in gaps]
        assert found == pytest.approx(np.linalg.lstsq(signs, np.array(means), rcond=None)[0][0])


def test_activations_can_be_interchanged_too():
    (_, need) = interchange_effect(residual(3, at=END), over=ABC).needs(draw_of())
    assert need.run.under == patch(residual(3, at=END), over=ABC)


def test_words():
    role = "S-inhibition heads (7.3, 8.6)"
    words = {
        carries(INHIBITION, "position"): f"position carried by {role}",
        carries(INHIBITION.each, "token"): f"token carried by {role}, each",
        interchange_effect(INHIBITION, over=ABC): f"interchange effect of {role} with ABC",
        signal_weight(INHIBITION, "token"): f"weight of the token signal in the output of {role}",
        signal_fit(INHIBITION): f"fit of additive signals in the output of {role}",
        two_signals(INHIBITION): f"logit difference by the signals in the output of {role}",
    }
    for measure, expected in words.items():
        assert str(measure) == expected


NO_SIGNALS = Toy(signals=(), signal_table=())
TOGETHER = Toy(signal_table=(("TOY", (1, 1)), ("BOTH", (-1, -1))))


@pytest.mark.parametrize(
    ("measure", "task", "says"),
    [
        (
            carries(INHIBITION, "postion"),
            Toy(),
            "unknown signal of TOY 'postion'. Did you mean 'position'? Known: position, token.",
        ),
        (signal_weight(INHIBITION, "colour"), Toy(), "Known: position, token."),
        (carries(INHIBITION, "position"), NO_SIGNALS, "TOY does not say which signals"),
        (two_signals(INHIBITION), NO_SIGNALS, "TOY does not say which signals"),
        (carries(INHIBITION, "token"), TOGETHER, "no prompts with just token inverted"),
    ],
)
def test_what_the_task_does_not_know_is_not_evaluable(measure, task, says):
    with pytest.raises(ClaimNotEvaluable) as error:
        measure.needs(draw_of(task))
    assert says in str(error.value)


def test_signals_that_never_vary_alone_cannot_be_fitted():
    with pytest.raises(ClaimNotEvaluable, match="never vary on their own"):
        value(signal_fit(INHIBITION), MadeUp(), draw_of(TOGETHER))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: carries("7.3", "position"), "`what` must be made by heads"),
        (lambda: two_signals("7.3"), "`what` must be made by heads(...); got '7.3'"),
        (lambda: two_signals(INHIBITION.each), "give the role, not role.each"),
        (lambda: interchange_effect(INHIBITION, over=""), "`over` must be a string, not empty"),
    ],
)
def test_refusals(made, says):
    with pytest.raises(CircuitUsageError) as error:
        made()
    assert says in str(error.value)
