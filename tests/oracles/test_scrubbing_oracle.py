"""The slow truth of causal scrubbing held to what must be so: limits that are other runs."""

import pytest
from scrubbing_oracle import Scrubbed
from small_circuit import EARLY, LAST, LATE, MIDDLE, ROW, same
from tiny import TWO_LENGTHS

from pytest_circuits.interventions import keep_edges, mean, resample, zero
from pytest_circuits.nodes import LOGITS
from pytest_circuits.scrubbing import hypothesis, scrub
from pytest_circuits.tasks.ioi import ABC, IOI
from pytest_circuits.wiring import edges

EDGES = (
    edges(EARLY, MIDDLE.k),
    edges(EARLY, LATE.v),
    edges(MIDDLE, LATE.k),
    edges(LAST, LATE.q),
    edges(LATE, LOGITS),
    edges(LAST, LOGITS),
)
ALL = IOI().features
ROLES = (EARLY, MIDDLE, LAST, LATE)


def run(truth, carries, to=None):
    """The run that the logits read if roles carry this, every other role everything."""
    what = hypothesis(*EDGES, carries={**dict.fromkeys(ROLES, ALL), **carries})
    scrubbed = Scrubbed(truth, TWO_LENGTHS, scrub(what, to=to or mean(ABC)), ROW)
    return scrubbed.reading("IOI", None)


@pytest.mark.parametrize("to", [mean(ABC), zero(), resample(ABC)], ids=str)
def test_outputs_that_carry_everything_are_the_edge_circuit(truth, to):
    edge_circuit = truth.run(ROW, keep_edges(*EDGES, to=to))
    assert same(run(truth, {}, to).logits, edge_circuit.logits)


@pytest.mark.parametrize("role", ROLES, ids=str)
def test_outputs_that_carry_nothing_are_felt(truth, role):
    assert not same(run(truth, {role: ()}).logits[-1], run(truth, {}).logits[-1])


def test_the_last_sender_on_a_variation_is_that_variation_s_output(truth):
    """Where only LATE is scrubbed, it writes what it writes in the edge circuit there."""
    there = truth.run(ROW, keep_edges(*EDGES, to=mean(ABC)), "IOI~S")
    here = run(truth, {LATE: "S"})
    for head in (0, 3):
        assert same(here.z[2][-1, head], there.z[2][-1, head])
    assert not same(here.z[1][-1, 1], there.z[1][-1, 1])


def test_prompts_are_variations_of_the_readers_prompt(truth):
    asked = set()

    class Asked:
        def varied(self, distribution, keep):
            asked.add(TWO_LENGTHS.varied(distribution, keep))
            return TWO_LENGTHS.varied(distribution, keep)

    carries = {LATE: "IO", LAST: ALL, MIDDLE: "position", EARLY: ()}
    what = hypothesis(*EDGES, carries=carries).without(MIDDLE)
    under = scrub(what, to=zero())
    Scrubbed(truth, Asked(), under, ROW).reading("IOI", None)
    assert asked == {"IOI", "IOI~IO", "IOI~IO~", "IOI~IO~-position", "IOI~IO~-position~"}
