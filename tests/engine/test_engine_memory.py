"""Batches bounded by memory, and what happens when it runs out all the same."""

import gc
import warnings

import pytest
import torch

from pytest_circuits import (
    ABC,
    END,
    FLIP,
    IO,
    IOI,
    ClaimNotEvaluable,
    attention,
    circuit,
    direct_logit_attribution,
    faithfulness,
    heads,
    knock_out_effect,
    logit_difference,
    mean,
    measure,
    previous_token_score,
    resample,
)
from pytest_circuits.engine import memory
from pytest_circuits.engine.anatomy import Anatomy
from pytest_circuits.engine.blocks import Block
from pytest_circuits.engine.references import TemplateMeans
from pytest_circuits.engine.world import World
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.interventions import counterpart, path_patch
from pytest_circuits.nodes import LOGITS
from pytest_circuits.readings import Draw

N = 24
MOVERS = heads("2.1", "1.3", at=END)
DRAW = Draw(task=IOI(), n=N, seed=0)
MEASURES = [
    logit_difference(),
    attention(MOVERS.mean, to=IO),
    direct_logit_attribution(MOVERS.sum),
    previous_token_score(MOVERS.mean, period=24),
    knock_out_effect(MOVERS, to=mean(ABC)),
    knock_out_effect(MOVERS, to=resample(ABC)),
    logit_difference(under=path_patch(MOVERS, LOGITS, to=counterpart(FLIP))),
    faithfulness(circuit(MOVERS), to=mean(ABC), form="per prompt"),
]


def evaluated(model, **options):
    """Return the values of all measures, and the evaluation that made them."""
    evaluation = Evaluation(model, [(each, DRAW) for each in MEASURES], **options)
    found = [evaluation.estimate(each, DRAW) for each in MEASURES]
    return [part.value for each in found for part in each.parts], evaluation


@pytest.fixture(scope="module")
def truth(model):
    return evaluated(model)[0]


def same(values):
    """Up to what other batches round otherwise, on whatever processor."""
    return pytest.approx(values, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("budget", [3_000_000, 2_000_000])
def test_batches_bounded_by_memory_change_no_number(model, truth, worlds, budget):
    whole = evaluated(model)[1]
    assert [each.batches for each in whole.passes] == [1, 1, 1]
    assert max(worlds) == N
    worlds.clear()
    values, split = evaluated(model, memory=budget)
    assert min(each.batches for each in split.passes) > 1
    assert max(worlds) < N
    assert values == same(truth)
    for one, many in zip(whole.passes, split.passes, strict=True):
        assert many.forwards == pytest.approx(one.forwards)


def test_a_smaller_budget_makes_more_batches(model):
    passes = [evaluated(model, memory=budget)[1].passes for budget in (6_000_000, 2_000_000)]
    for roomy, tight in zip(*passes, strict=True):
        assert roomy.batches < tight.batches, roomy.what


def test_a_budget_below_one_prompt_is_said_to_be_too_small(model):
    with pytest.raises(ClaimNotEvaluable, match=r"one prompt needs about .* --circuit-memory"):
        measure(model, logit_difference(), prompts=N, memory=1000)


OUT_OF_MEMORY = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory"),
    "python": MemoryError(),
    "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory"),
}


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_out_of_memory_halves_the_batch_and_goes_on(model, truth, worlds, monkeypatch, error):
    inner, said = Anatomy.embedded, []

    def starved(self, frame):
        result = inner(self, frame)  # counted by `worlds`
        if len(frame.tokens) > 6:
            raise error
        return result

    monkeypatch.setattr(Anatomy, "embedded", starved)
    assert evaluated(model, notify=said.append)[0] == same(truth)
    assert worlds[:4] == [N, N // 2, N // 4, N // 4]
    assert "out of memory: going on with batches of 6" in said


def test_out_of_memory_amid_the_interventions_halves_the_batch_too(model, truth, monkeypatch):
    """The plain run fits, what is worked out beside it does not."""
    inner, starved_at = Block.feed, []

    def starved(self, stream):
        if stream.dim() == 4 and stream.shape[1] > 6:  # [intervention, prompt, column, d_model]
            starved_at.append(stream.shape[1])
            raise MemoryError
        return inner(self, stream)

    monkeypatch.setattr(Block, "feed", starved)
    values, evaluation = evaluated(model)
    assert values == same(truth)
    assert starved_at == [N, N // 2]
    assert [each.batches for each in evaluation.passes] == [1, 4, 1]


def test_out_of_memory_while_a_reference_is_collected_counts_no_row_twice(
    model, truth, monkeypatch
):
    inner, calls = TemplateMeans.add, []

    def failing(self, batch, site):
        calls.append((len(batch.index), site))
        if len(calls) == 2:
            raise MemoryError
        inner(self, batch, site)

    monkeypatch.setattr(TemplateMeans, "add", failing)
    assert evaluated(model)[0] == same(truth)
    assert [size for size, _ in calls[:3]] == [N, N, N // 2]


def test_out_of_memory_with_one_prompt_is_not_evaluable(model, monkeypatch):
    inner = Anatomy.prepare

    def prepared_then_starved(self, width):
        inner(self, width)
        monkeypatch.setattr(Anatomy, "embedded", starved)

    def starved(self, frame):
        raise MemoryError

    monkeypatch.setattr(Anatomy, "prepare", prepared_then_starved)
    with pytest.raises(ClaimNotEvaluable, match="single prompt"):
        measure(model, logit_difference(), prompts=N)


def test_other_errors_are_not_taken_for_lack_of_memory():
    def broken(rows):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        memory.in_batches(range(4), 4, broken, print)


def test_what_a_batch_left_behind_does_not_wait_for_the_garbage_collector(model):
    gc.collect()
    gc.disable()
    try:
        evaluated(model)
        with warnings.catch_warnings():  # other libraries' objects warn when they are looked at
            warnings.simplefilter("ignore")
            assert [each for each in gc.get_objects() if type(each) is World] == []
    finally:
        gc.enable()
