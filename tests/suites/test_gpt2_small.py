"""The paper's suite where its weights are not: GPT-2-shaped random weights must refute it."""

from collections import Counter

import pytest
from tiny import save_gpt2

from pytest_circuits import load_model


@pytest.fixture(scope="module")
def impostor(tmp_path_factory):
    folder = save_gpt2(tmp_path_factory.mktemp("gpt2"), layers=12, heads=12, width=96)
    return load_model(str(folder), progress=False)


def test_the_suite_states_the_papers_heads(suite_of):
    claims, suite = suite_of("ioi_gpt2_small")
    assert suite.model == "gpt2"
    faithful = claims["circuit_is_faithful"].measure
    kept = {str(node.head) for node in faithful.left.under.nodes}
    assert len(kept) == 26
    assert {"9.9", "7.3", "5.5", "0.1", "2.2", "10.7", "11.9"} <= kept
    assert all(claim.source for claim in claims.values())


def test_random_weights_refute_the_suite(evaluate, impostor):
    found = Counter(evaluate("ioi_gpt2_small", impostor, prompts=32).values())
    assert found["holds"] == 0
    # The rest are shares of a logit difference that may as well be 0: undefined, or undecided.
    assert found["refuted"] >= 0.67 * sum(found.values())
