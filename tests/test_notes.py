"""What is said of a claim about a circuit, whatever comes of it: its size, and of the empty one."""

from dataclasses import dataclass, replace

import pytest

from pytest_circuits import (
    ABC,
    END,
    IOI,
    Rules,
    check_all,
    circuit,
    heads,
    load_model,
    logit_difference,
    mean,
)
from pytest_circuits.interventions import keep_only
from pytest_circuits.measures.behaviour import LogitDifference
from pytest_circuits.measures.composed import Search
from pytest_circuits.nodes import Circuit
from pytest_circuits.report.summary import Row, table
from pytest_circuits.report.text import failure_text

MOVERS = circuit(heads("6.0", "6.2", at=END, name="name movers"))
WHOLE = Circuit.of(
    node
    for layer in range(8)
    for index in range(4)
    for node in heads(f"{layer}.{index}", at=END).nodes
)


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@dataclass(frozen=True, kw_only=True)
class OfCircuit(LogitDifference):
    """The logit difference of a circuit, which knows what it is of."""

    what: Circuit

    def circuit(self):
        return self.what

    def hollow(self):
        return OfCircuit(under=keep_only(Circuit(()), to=mean(ABC)), what=Circuit(()))


def of(what):
    return OfCircuit(under=keep_only(what, to=mean(ABC)), what=what)


@dataclass(frozen=True)
class Searching(Search):
    """The same, found by a search."""

    found: OfCircuit

    def needs(self, draw):
        return self.found.needs(draw)

    def refined(self, read, draw):
        return self.found

    def circuit(self):
        return self.found.circuit()

    def hollow(self):
        return Searching(self.found.hollow())

    def __str__(self):
        return f"searching {self.found}"


@pytest.mark.parametrize("wrapped", [lambda found: found, Searching], ids=["plain", "search"])
def test_what_no_circuit_would_pass_is_said_of_a_claim_that_holds(model, wrapped):
    vacuous, fine = wrapped(of(MOVERS)) >= -9, wrapped(of(MOVERS)) >= 3
    verdicts = check_all([vacuous, fine], model, prompts=16)
    assert verdicts[0].status == "holds"
    size, empty = verdicts[0].notes
    assert size == "2 of 32 heads"
    assert empty.startswith("the empty circuit satisfies it as well: ")
    assert verdicts[1].notes == ("2 of 32 heads",)


def test_a_circuit_of_all_heads_is_the_model(model):
    (verdict,) = check_all([of(WHOLE) >= 1], model, prompts=16)
    assert verdict.notes == ("all 32 heads: that is the model",)


def test_what_is_no_circuit_needs_no_note(model):
    (verdict,) = check_all([logit_difference() >= 1], model, prompts=16)
    assert verdict.notes == ()


def test_the_empty_circuit_is_run_on_the_prompts_of_the_first_look_with_the_rest(model):
    from pytest_circuits.deciding import Entry, decide
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.readings import Draw

    entry = Entry(
        claim=(of(MOVERS) >= 0.001), draw=Draw(task=IOI(), n=32, seed=0), rules=Rules(first=8)
    )
    evaluation = Evaluation(model, ())
    decide(evaluation, [entry])
    with_interventions = [each for each in evaluation.passes if each.interventions]
    first = with_interventions[0]
    assert (first.prompts, first.interventions) == (8, 2)
    assert all(each.interventions == 1 for each in with_interventions[1:])


def test_notes_stand_in_the_text_the_table_and_the_json(model):
    (verdict,) = check_all([of(MOVERS) >= -9], model, prompts=16)
    lines = failure_text(verdict)
    assert any(line.startswith("  notes      2 of 32 heads; the empty circuit") for line in lines)
    found = verdict.as_dict()
    assert found["notes"] == list(verdict.notes)
    row = Row(nodeid="circuits/x.py::a", status="holds", verdict=found)
    (header, line, *notes) = table([row])
    assert "n/templates" in header
    assert " 16/16 " in line
    assert notes == [f"note: a: {each}" for each in verdict.notes]


def test_prompts_are_counted_with_their_templates(model):
    (verdict,) = check_all([logit_difference() >= 1], model, prompts=40)
    method = verdict.estimate.method
    assert (method.n, method.clusters, method.cluster_kind) == (40, 16, "templates")
    assert method.as_dict()["clusters"] == 16
    prompts = next(line for line in failure_text(verdict) if line.startswith("  prompts"))
    assert f"n={method.n} of 16 templates" in prompts
    assert replace(method, clusters=0).size() == f"n={method.n}"
