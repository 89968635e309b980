"""The engine against the slow truth: any intervention, any family, several readings.

Agreement means |engine - truth| <= TOLERANCE * (1 + |truth|), prompt by prompt, in float32, where
|truth| is the largest number of the reading on that prompt: relative for large numbers, absolute
for small ones, because attention weights near 0 and small entries of a large residual stream have
no digits to be relative to.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
import torch
from drawn_interventions import SORTS, Shape
from hooked_oracle import HookedOracle
from hypothesis import given, settings
from hypothesis import strategies as st
from interventions_oracle import Truth
from tiny import FAMILIES, TWO_LENGTHS

from pytest_circuits import ClaimNotEvaluable, load_model
from pytest_circuits.engine.blocks import Unsupported
from pytest_circuits.engine.engine import Engine
from pytest_circuits.interventions import (
    Ablation,
    EdgeCircuit,
    PathPatch,
    counterpart,
    keep_edges,
    keep_only,
    knock_out,
    mean,
    path_patch,
    resample,
    zero,
)
from pytest_circuits.measures.attention import AttentionTo
from pytest_circuits.measures.attribution import DirectLogits
from pytest_circuits.measures.behaviour import AnswerLogits
from pytest_circuits.nodes import (
    LOGITS,
    Head,
    circuit,
    heads,
    keys,
    mlps,
    patterns,
    queries,
    residual,
    values,
)
from pytest_circuits.readings import Draw, Need, OfHead, Run, Site
from pytest_circuits.tasks.ioi import ABC, FLIP
from pytest_circuits.tasks.positions import END, IO, S1_NEXT, S2
from pytest_circuits.wiring import edges

TOLERANCE = 5e-5
DRAW = Draw(task=TWO_LENGTHS, n=4, seed=3)


@dataclass(frozen=True)
class HeadOutput(OfHead):
    """The output z of a head at a position."""

    at: str

    def sites(self):
        return (Site("z", self.head.layer),)

    def numbers(self, batch):
        z = batch.act(Site("z", self.head.layer))
        return z[batch.rows, batch.at(self.at), self.head.index]


@dataclass(frozen=True)
class FinalStream:
    """The residual stream at END that the final norm reads."""

    def heads(self):
        return ()

    def sites(self):
        return (Site("resid_final"),)

    def numbers(self, batch):
        return batch.act(Site("resid_final"))[batch.rows, batch.at(END)]


class Family:
    """One folder of weights under the engine and under the oracle."""

    def __init__(self, folder):
        self.model = load_model(str(folder), progress=False)
        self.oracle = HookedOracle(folder)
        self.shape = Shape(self.oracle.n_layers, self.oracle.n_heads, self.oracle.group)

    @cached_property
    def truth(self):
        return Truth(
            self.oracle, DRAW.task.draw(self.model.tokenizer, DRAW.n, DRAW.seed), DRAW.seed
        )

    @property
    def writes_directly(self):
        """Whether a head adds z W_O to the stream; otherwise direct logits are refused."""
        return not hasattr(self.oracle.blocks[0], "post_feedforward_layernorm")

    @torch.no_grad()
    def true(self, reading, run):
        """What a reading of a run is, row by row."""
        where = run.under, run.distribution
        if isinstance(reading, AnswerLogits):
            return np.array([self.truth.answers(i, *where) for i in range(DRAW.n)])
        prompts = self.truth.dataset.distribution(run.distribution)
        rows = [self.truth.run(i, *where) for i in range(DRAW.n)]
        return np.array([self._read(reading, row, prompts, i) for i, row in enumerate(rows)])

    def _read(self, reading, row, prompts, i):
        at = {name: indices[i] for name, indices in prompts.positions.items()}
        stream = row.resid[self.oracle.n_layers][at[END]]
        if isinstance(reading, FinalStream):
            return stream.tolist()
        layer, head = reading.head.layer, reading.head.index
        if isinstance(reading, HeadOutput):
            return row.z[layer][at[reading.at], head].tolist()
        if isinstance(reading, AttentionTo):
            return [float(row.pattern[layer][head, at[reading.query], at[reading.key]])]
        write = row.z[layer][at[END], head] @ self.oracle.w_o(layer, head)
        tokens = prompts.answers[i], prompts.foils[i]
        return [self.oracle.frozen_logit(write, stream, token) for token in tokens]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    return Family(FAMILIES[request.param](tmp_path_factory.mktemp("model")))


def ioi(under):
    return Run(draw=DRAW, distribution="IOI", under=under)


def readings_of(family, shape, under):
    """What can be read: away from END, and of weights, where one run is read by all that follows.

    Under paths to the logits and edge circuits every receiver reads a run of its own; that of the
    logits is seen at END.
    """
    one_run = isinstance(under, Ablation) or (isinstance(under, PathPatch) and under.receivers)
    head, position = shape.head(), shape.position
    choices = [st.builds(HeadOutput, head, position if one_run else st.just(END))]
    if family.writes_directly:
        choices.append(st.builds(DirectLogits, head))
    if one_run:
        choices.append(st.builds(AttentionTo, head, position, position))
    return st.lists(st.one_of(choices), max_size=2, unique=True)


def distance(got, true):
    """How far a reading is from the truth, in the units of TOLERANCE."""
    return float((np.abs(got - true) / (1 + np.abs(true).max(axis=1, keepdims=True))).max())


def assert_agrees(family, needs, engine):
    """Hold every reading to the truth; planned together, so that interventions share a sweep."""
    engine.plan(needs)
    for need in needs:
        got, true = engine.numbers(need), family.true(need.reading, need.run)
        got = got[:, : true.shape[1]]  # the two logits that DirectLogits has too are AnswerLogits'
        assert distance(got, true) <= TOLERANCE, f"{need}: {got} is not {true}"


@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_intervention_is_what_the_definition_says(family, sort, data):
    shape = data.draw(family.shape.focused)
    under = data.draw(SORTS[sort](shape))
    distribution = data.draw(st.sampled_from(["IOI", FLIP]))
    readings = data.draw(readings_of(family, shape, under))
    run = Run(draw=DRAW, distribution=distribution, under=under)
    engine = Engine(family.model)
    assert_agrees(family, [Need(run, each) for each in _always(readings)], engine)
    assert engine.description.startswith("light cone")


def _always(readings):
    return [AnswerLogits(), FinalStream(), *readings]


def without_light_cone(family):
    """An engine that takes the model for one it cannot take apart."""

    def unsupported(model):
        raise Unsupported("as a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytest_circuits.engine.engine.Anatomy", unsupported)
        engine = Engine(family.model)
        assert engine.description.startswith("full forward passes (as a test); ")
    return engine


@pytest.mark.parametrize("sort", ["ablation", "ablation given", "circuit"])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_full_forwards_are_what_the_definition_says_or_refused(family, sort, data):
    shape = data.draw(family.shape.focused)
    under = data.draw(SORTS[sort](shape))
    readings = data.draw(readings_of(family, shape, under))
    needs = [Need(ioi(under), each) for each in _always(readings)]
    try:
        assert_agrees(family, needs, without_light_cone(family))
    except ClaimNotEvaluable as error:
        assert "the hook shows a copy" in str(error)  # noqa: PT017


EARLY = heads("0.1", "0.2", at=S2)
MIDDLE = heads("1.0", "1.3", at=S2)
LAST = heads("1.1", "1.2", at=END)
LATE = heads("2.0", "2.3", at=END)
WHOLE = circuit(EARLY, MIDDLE, LAST, LATE)


def every_sort(shape):
    """One of each sort and kind; they share references, positions and layers in part."""
    group = [f"1.{i}" for i in range(shape.group)]
    given = keep_only(WHOLE, to=mean(ABC))
    within = [
        edges(a, getattr(b, channel))
        for a, b in [(EARLY, LAST), (EARLY, LATE), (LAST, LATE)]
        for channel in "qkv"
    ]
    return [
        knock_out(EARLY, to=mean(ABC)),
        knock_out(LATE, to=resample(ABC)),
        knock_out(queries("1.2", at=END), to=zero()),
        knock_out(keys(*group, at=S1_NEXT), to=counterpart(FLIP)),
        knock_out(values(*group, at=IO), to=mean(ABC)),
        knock_out(patterns("2.1", "1.1", at=END), to=mean(ABC)),
        knock_out(mlps(0, 2, at=S2), to=resample(ABC)),
        knock_out(residual(1, at=S2), to=counterpart(ABC)),
        knock_out(residual(3, at=END), to=mean(ABC)),
        given,
        keep_only(circuit(LATE, EARLY, mlps=mlps(0, 1, at=END)), to=resample(ABC)),
        knock_out(LAST, to=zero(), given=given),
        path_patch(EARLY, LATE.k, LATE.v, to=counterpart(ABC)),
        path_patch(LAST, LATE.q, to=mean(ABC), mlps="frozen", given=given),
        path_patch(LAST, LOGITS, to=resample(ABC)),
        keep_edges(*within, edges(LATE, LOGITS), edges(LAST, LOGITS), to=mean(ABC)),
        keep_edges(edges(EARLY, LATE.k), edges(LATE, LOGITS), to=zero()),
        None,
    ]


RECEIVER = heads("2.1", at=END)
CHANNELS = [(RECEIVER.q,), (RECEIVER.k,), (RECEIVER.v,), (RECEIVER.q, RECEIVER.k, RECEIVER.v)]


def changed_already(shape):
    """Worlds in which what a receiver reads, or what it makes of it, is replaced already."""
    first = RECEIVER.heads[0].index // shape.group * shape.group
    group = [f"2.{i}" for i in range(first, first + shape.group)]
    nodes = [
        RECEIVER,
        queries("2.1", at=END),
        keys(*group, at=END),
        values(*group, at=S2),
        patterns("2.1", at=END),
        mlps(0, 1, at=END),
        residual(1, at=END),
        residual(2, at=S2),
    ]
    return [None, *(knock_out(each, to=mean(ABC)) for each in nodes), keep_only(WHOLE, to=zero())]


@pytest.mark.parametrize("mlps", ["live", "frozen"])
def test_a_receiver_that_is_changed_already(family, mlps):
    """What a world has replaced stays replaced, and the rest is what the path brings.

    Also where that is nothing, which path_patch refuses to ask for.
    """
    senders = heads("1.1", "1.2", at=END)
    unders = [
        replace(path_patch(senders, *channels, to=resample(ABC), mlps=mlps), given=given)
        for channels in CHANNELS
        for given in changed_already(family.shape)
    ]
    readings = [
        AnswerLogits(),
        AttentionTo(RECEIVER.heads[0], END, END),
        HeadOutput(RECEIVER.heads[0], END),
    ]
    needs = [Need(ioi(under), reading) for under in unders for reading in readings]
    assert_agrees(family, needs, Engine(family.model))


@pytest.fixture(scope="module")
def needs(family):
    return [Need(ioi(under), AnswerLogits()) for under in every_sort(family.shape)]


@pytest.fixture(scope="module")
def alone(family, needs):
    """Every run in an engine of its own, held to the truth."""
    found = [Engine(family.model).numbers(need) for need in needs]
    for need, got in zip(needs, found, strict=True):
        assert got == pytest.approx(family.true(need.reading, need.run), rel=1e-4, abs=1e-4)
    return found


def test_interventions_planned_together_are_what_each_is_alone(family, needs, alone):
    engine = Engine(family.model)
    engine.plan(needs)
    for need, expected in zip(needs, alone, strict=True):
        assert engine.numbers(need) == pytest.approx(expected, rel=1e-4, abs=5e-5), need.run


def test_interventions_asked_for_in_another_order_are_the_same(family, needs, alone):
    engine = Engine(family.model)
    engine.plan(needs)
    for need, expected in reversed(list(zip(needs, alone, strict=True))):
        assert engine.numbers(need) == pytest.approx(expected, rel=1e-4, abs=5e-5), need.run


def smallest_engine(family, needs):
    """An engine with the smallest power of two of bytes that is enough for every need."""
    for exponent in range(12, 31):
        engine = Engine(family.model, memory=2**exponent)
        engine.plan(needs)
        try:
            return engine, [engine.numbers(need) for need in needs]
        except ClaimNotEvaluable as error:
            assert "memory" in str(error)  # noqa: PT017
    raise AssertionError("no budget is enough")


def test_prompts_split_over_batches_are_the_same(family, needs, alone):
    engine, found = smallest_engine(family, needs)
    assert max(each.batches for each in engine.passes) > 1
    for need, got, expected in zip(needs, found, alone, strict=True):
        assert got == pytest.approx(expected, rel=1e-4, abs=5e-5), need.run


def test_an_intervention_that_is_felt_is_not_taken_for_none(family, alone):
    """So that the agreement above is of numbers that differ."""
    *changed, plain = alone
    felt = [np.abs(each - plain).max() > 1e-4 for each in changed]
    assert all(felt)


@pytest.mark.parametrize("to", [mean(ABC), zero(), resample(ABC), counterpart(FLIP)], ids=str)
def test_all_edges_of_a_circuit_are_the_circuit(family, to):
    roles = WHOLE.roles
    pairs = [(a, b) for a in roles for b in roles if a.heads[0].layer < b.heads[0].layer]
    within = [edges(a, getattr(b, channel)) for a, b in pairs for channel in "qkv"]
    under = keep_edges(*within, *(edges(role, LOGITS) for role in roles), to=to)
    assert isinstance(under, EdgeCircuit)
    got = [
        Engine(family.model).numbers(Need(ioi(each), AnswerLogits()))
        for each in (under, keep_only(WHOLE, to=to))
    ]
    assert got[0] == pytest.approx(got[1], rel=1e-4, abs=5e-5)


@pytest.mark.parametrize("kind", ["k", "v"])
def test_a_key_of_part_of_a_group_is_refused(family, kind):
    if family.shape.group == 1:
        pytest.skip("every head has keys of its own")
    under = knock_out({"k": keys, "v": values}[kind](str(Head(1, 0)), at=S2), to=zero())
    with pytest.raises(ClaimNotEvaluable, match="group"):
        Engine(family.model).numbers(Need(ioi(under), AnswerLogits()))
