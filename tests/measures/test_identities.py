"""What must hold of measures on any model, for any heads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from together import values

from pytest_circuits import (
    ABC,
    END,
    IO,
    S2,
    attention,
    circuit,
    direct_logit_attribution,
    faithfulness,
    heads,
    knock_out_effect,
    knock_out_share,
    logit_difference,
    mean,
)

# Heads both tiny models have.
some_heads = st.lists(
    st.builds("{}.{}".format, st.integers(0, 2), st.integers(0, 3)),
    min_size=2,
    max_size=6,
    unique=True,
)


@settings(max_examples=8, deadline=None)
@given(names=some_heads, at=st.sampled_from([END, S2]))
def test_the_order_of_heads_does_not_matter(model, names, at):
    one, other = heads(*names, at=at), heads(*reversed(names), at=at)
    pairs = [
        (attention(one.mean, to=IO), attention(other.mean, to=IO)),
        (knock_out_effect(one, to=mean(ABC)), knock_out_effect(other, to=mean(ABC))),
        (
            faithfulness(circuit(one, heads("1.1", at=IO)), to=mean(ABC)),
            faithfulness(circuit(heads("1.1", at=IO), other), to=mean(ABC)),
        ),
    ]
    for left, right in pairs:
        a, b = values(model, left, right)
        assert a == pytest.approx(b, rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(names=some_heads)
def test_a_sum_is_so_many_means(model, names):
    role = heads(*names, at=END)
    for measure in (lambda r: attention(r, to=IO), direct_logit_attribution):
        total, average = values(model, measure(role.sum), measure(role.mean))
        assert total == pytest.approx(len(names) * average, rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(names=some_heads, at=st.sampled_from([END, S2]))
def test_the_forms_of_knock_out_and_faithfulness_agree(model, names, at):
    role = heads(*names, at=at)
    whole = circuit(role)
    full, effect, share, ratio, gap, by_prompt = values(
        model,
        logit_difference(),
        knock_out_effect(role, to=mean(ABC)),
        knock_out_share(role, to=mean(ABC)),
        faithfulness(whole, to=mean(ABC)),
        faithfulness(whole, to=mean(ABC), form="difference"),
        faithfulness(whole, to=mean(ABC), form="per prompt"),
    )
    assert share == pytest.approx(1 - effect / full, rel=1e-6)
    assert gap == pytest.approx(abs(full - ratio * full), rel=1e-6)
    assert by_prompt >= gap * (1 - 1e-9)
