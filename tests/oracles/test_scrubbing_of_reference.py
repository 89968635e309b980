"""The slow truth of causal scrubbing on a model whose circuit is known: the truth survives."""

from statistics import fmean

import pytest
from hooked_oracle import HookedOracle
from interventions_oracle import Truth
from reference_hypothesis import EDGES, INDUCTION, INHIBITION, MOVERS, says
from scrubbing_oracle import Scrubbed
from transformers import AutoTokenizer

from pytest_circuits.interventions import keep_edges, mean
from pytest_circuits.models.reference import write_reference
from pytest_circuits.scrubbing import scrub
from pytest_circuits.tasks.ioi import ABC, IOI

pytestmark = pytest.mark.slow

ROWS = range(3)
MORE = range(8)  # where a mean is held to a value
TO = mean(ABC)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    write_reference(folder)
    dataset = IOI().draw(AutoTokenizer.from_pretrained(folder), len(MORE), 0)
    return Truth(HookedOracle(folder), dataset, 0)


@pytest.fixture(scope="module")
def edge_circuit(known):
    return [difference(known.answers(i, keep_edges(*EDGES, to=TO))) for i in ROWS]


def difference(logits):
    return logits[0] - logits[1]


def scrubbed(known, what, rows=ROWS):
    under = scrub(what, to=TO)
    return [difference(Scrubbed(known, IOI(), under, i).answers()) for i in rows]


def test_every_prompt_survives_the_hypothesis_as_built(known, edge_circuit):
    assert scrubbed(known, says()) == pytest.approx(edge_circuit, abs=0.02)


def test_what_name_movers_write_of_s_is_little(known, edge_circuit):
    found = fmean(scrubbed(known, says(MOVERS="IO", BACKUPS="IO", NEGATIVE="IO")))
    assert 1.03 < found / fmean(edge_circuit) < 1.2


def test_what_a_role_carries_is_needed(known, edge_circuit):
    whole = fmean(edge_circuit)
    assert fmean(scrubbed(known, says().without(INHIBITION))) < -0.5 * whole
    # Another name in place of S is no token signal: position, 3.9 logits, is left.
    left = fmean(scrubbed(known, says().without(INHIBITION, "S"), MORE))
    assert left == pytest.approx(3.9, abs=0.6)
    assert fmean(scrubbed(known, says().without(INDUCTION))) < 0.7 * whole
    assert fmean(scrubbed(known, says().without(MOVERS, "IO"))) < 0.9 * whole


@pytest.mark.parametrize(
    "wrong",
    [{"INHIBITION": "S"}, {"INDUCTION": "S"}, {"DUPLICATE": "IO"}, {"PREVIOUS": "position"}],
    ids=str,
)
def test_a_false_hypothesis_moves_prompts(known, edge_circuit, wrong):
    found = scrubbed(known, says(**wrong))
    gaps = [abs(a - b) for a, b in zip(found, edge_circuit, strict=True)]
    assert fmean(gaps) > 0.5
