"""Copy scores of heads that write to no logit: 0, whatever rounding makes of their logits."""

import pytest

from pytest_circuits import END, copy_score, heads, load_model, measure, negative_copy_score

WRITERS = {
    "6.0",
    "6.2",
    "6.3",
    "7.0",
    "7.1",
    "7.2",
    "7.3",
}  # name movers, back-ups, a decoy, negative
OTHERS = [f"{layer}.{i}" for layer in range(8) for i in range(4) if f"{layer}.{i}" not in WRITERS]


@pytest.fixture(scope="module")
def reference():
    return load_model("reference-ioi", progress=False)


@pytest.mark.parametrize("score", [copy_score, negative_copy_score])
def test_ties_by_rounding_count_against_the_name(reference, score):
    """Most write, but into spaces that the unembedding reads up to 1e-5 of a logit of rounding."""
    role = heads(*OTHERS, at=END)
    assert measure(reference, score(role.mean), prompts=32).value == 0


def test_a_small_logit_is_no_rounding(reference):
    """The decoy 6.3 writes a 1e-6th of what name movers write: to the right logits all the same."""
    assert measure(reference, copy_score(heads("6.3", at=END)), prompts=32).value == 1
