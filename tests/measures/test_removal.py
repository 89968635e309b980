"""F(C\\K), run as a knock-out in the circuit's world, is F of the circuit that lacks K."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from together import values

from pytest_circuits import (
    ABC,
    END,
    S2,
    CircuitUsageError,
    circuit,
    faithfulness,
    heads,
    mean,
    zero,
)
from pytest_circuits.interventions import keep_only
from pytest_circuits.measures.baselines import necessity_p, sufficiency_p
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.completeness import completeness
from pytest_circuits.measures.minimality import minimality
from pytest_circuits.measures.removal import circuit_without, model_without
from pytest_circuits.measures.sizes import cmd, cpr
from pytest_circuits.nodes import Circuit, mlps

names = st.builds("{}.{}".format, st.integers(0, 2), st.integers(0, 3))
some_heads = st.lists(names, min_size=2, max_size=6, unique=True)
TO = mean(ABC)


@settings(max_examples=8, deadline=None)
@given(at_end=some_heads, at_s2=some_heads, data=st.data(), to=st.sampled_from([TO, zero()]))
def test_removing_from_the_circuit_is_keeping_what_is_left(model, at_end, at_s2, data, to):
    whole = circuit(heads(*at_end, at=END), heads(*at_s2, at=S2))
    removed = data.draw(st.sets(st.sampled_from(whole.nodes), min_size=1))
    left = Circuit.of(set(whole.nodes) - removed)
    inside, kept = values(
        model,
        circuit_without(whole, Circuit.of(removed), to),
        logit_difference(under=keep_only(left, to=to)),
    )
    assert inside == pytest.approx(kept, rel=1e-4, abs=1e-4)


def test_mlps_of_the_circuit_can_be_removed_too(model):
    role = heads("1.1", "2.1", at=END)
    both, one = circuit(role, mlps=mlps(0, 1, at=END)), circuit(role, mlps=mlps(0, at=END))
    inside, kept = values(
        model,
        circuit_without(both, mlps(1, at=END), TO),
        logit_difference(under=keep_only(one, to=TO)),
    )
    assert inside == pytest.approx(kept, rel=1e-4, abs=1e-4)


def test_nothing_removed(model):
    whole = circuit(heads("1.1", "2.1", at=END))
    model_score, score, ratio = values(
        model,
        model_without(None, TO),
        circuit_without(whole, None, TO),
        faithfulness(whole, to=TO),
    )
    assert score / model_score == pytest.approx(ratio)


CRITERIA = [
    completeness,
    partial(completeness, over="random"),
    partial(completeness, over="greedy"),
    minimality,
    sufficiency_p,
    necessity_p,
    cpr,
    cmd,
]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_criterion_is_refused_when_it_is_written(criterion):
    whole = circuit(heads("1.1", "2.1", at=END))
    with pytest.raises(CircuitUsageError, match="`what` must be made by circuit"):
        criterion(whole.roles[0], to=TO)
    with pytest.raises(CircuitUsageError, match="has no heads, so there is nothing to remove"):
        criterion(whole.without(*whole.roles), to=TO)
    with pytest.raises(CircuitUsageError, match="`to` must be a reference"):
        criterion(whole, to="zero")
