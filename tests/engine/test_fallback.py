"""Full forward passes: what the light cone gives where both can, the truth where it cannot."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hooked_oracle import HookedOracle
from interventions_oracle import Truth
from oracle import Oracle, knocked_out, template_means
from tiny import FAMILIES, TWO_LENGTHS, save_gemma2, save_gptj, save_neox

from pytest_circuits import ClaimNotEvaluable, load_model
from pytest_circuits.engine.anatomy import Anatomy
from pytest_circuits.engine.engine import Engine
from pytest_circuits.engine.full import FullForwards
from pytest_circuits.engine.weights import ModelWeights
from pytest_circuits.interventions import (
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
from pytest_circuits.scrubbing import hypothesis, scrub
from pytest_circuits.tasks.ioi import ABC, FLIP
from pytest_circuits.tasks.positions import END, IO, S1_NEXT, S2
from pytest_circuits.wiring import edges

DRAW = Draw(task=TWO_LENGTHS, n=4, seed=3)
EARLY = heads("0.1", "0.2", at=S2)
LATE = heads("2.0", "2.3", at=END)
GIVEN = keep_only(circuit(EARLY, LATE, heads("1.1", at=END)), to=mean(ABC))


@dataclass(frozen=True)
class HeadOutput(OfHead):
    """The output z of a head at a position, which the run must have."""

    at: str

    def sites(self):
        return (Site("z", self.head.layer),)

    def numbers(self, batch):
        z = batch.act(Site("z", self.head.layer))
        return z[batch.rows, batch.at(self.at), self.head.index]


READINGS = [
    AnswerLogits(),
    HeadOutput(Head(2, 1), END),
    HeadOutput(Head(1, 3), S2),
    AttentionTo(Head(1, 2), END, IO),
]


def ablations(group):
    """Every sort of ablation; `group` query heads share keys and values."""
    shared = [f"1.{i}" for i in range(group)]
    return [
        knock_out(EARLY, to=mean(ABC)),
        knock_out(LATE, to=resample(ABC)),
        knock_out(circuit(EARLY, LATE), to=zero()),
        knock_out(heads("1.2", at=S2), to=counterpart(FLIP)),
        GIVEN,
        keep_only(heads("1.1", at=END), to=zero()),
        keep_only(circuit(LATE, EARLY, mlps=mlps(0, 1, at=END)), to=resample(ABC)),
        knock_out(LATE, to=zero(), given=GIVEN),
        knock_out(LATE, to=counterpart(FLIP), given=knock_out(EARLY, to=mean(ABC))),
        knock_out(queries("1.2", "2.1", at=END), to=mean(ABC)),
        knock_out(keys(*shared, at=S1_NEXT), to=counterpart(FLIP)),
        knock_out(values(*shared, at=IO), to=resample(ABC)),
        knock_out(patterns("2.1", "1.1", at=END), to=mean(ABC)),
        knock_out(mlps(0, 2, at=S2), to=zero()),
        knock_out(mlps(2, at=END), to=mean(ABC), given=knock_out(mlps(2, at=END), to=zero())),
        knock_out(residual(1, at=S2), to=counterpart(ABC)),
        knock_out(residual(3, at=END), to=mean(ABC)),
    ]


def whole(model):
    """An engine that makes full forward passes, whatever the model."""
    engine = Engine(model)
    engine._executor = FullForwards(model, ModelWeights(model), reason="asked to")
    return engine


def needs_of(unders, readings=READINGS):
    return [Need(Run(draw=DRAW, distribution="IOI", under=u), r) for u in unders for r in readings]


def found(engine, needs):
    engine.plan(needs)
    return [engine.numbers(need) for need in needs]


@pytest.fixture(scope="module", params=FAMILIES)
def known(request, tmp_path_factory):
    return load_model(str(FAMILIES[request.param](tmp_path_factory.mktemp("model"))))


def group_of(model):
    block = Anatomy(model).blocks[0]
    return block.heads // block.shared_heads


def test_full_passes_give_what_the_light_cone_gives(known):
    needs = needs_of([None, *ablations(group_of(known))])
    cone, full = found(Engine(known), needs), found(whole(known), needs)
    for need, a, b in zip(needs, cone, full, strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-4), need


def test_what_is_compared_differs_from_the_plain_run(known):
    plain, *changed = found(
        whole(known), needs_of([None, *ablations(group_of(known))], READINGS[:1])
    )
    assert all(np.abs(each - plain).max() > 1e-4 for each in changed)


def test_every_run_is_one_full_pass(known):
    engine = whole(known)
    found(engine, needs_of([None, *ablations(group_of(known))], READINGS[:1]))
    costs = {each.what.split(" with")[0]: each.forwards for each in engine.passes}
    patched = 4  # a run of its own for each counterpart
    assert costs == {ABC: 1.0, "IOI": 1.0 + 17 + patched}


@pytest.fixture(scope="module")
def capped(tmp_path_factory):
    folder = save_gemma2(tmp_path_factory.mktemp("gemma2"))
    model, oracle = load_model(str(folder)), HookedOracle(folder)
    dataset = DRAW.task.draw(model.tokenizer, DRAW.n, DRAW.seed)
    return model, Truth(oracle, dataset, DRAW.seed)


@pytest.mark.parametrize("number", range(17))
def test_ablations_of_a_model_with_capped_scores_are_the_truth(capped, number):
    model, truth = capped
    under = ablations(2)[number]
    engine = Engine(model)
    got = found(engine, needs_of([under], [AnswerLogits()]))[0]
    assert engine.description.startswith("full forward passes (logits are capped); ")
    assert got == pytest.approx(
        np.array([truth.answers(i, under) for i in range(DRAW.n)]), rel=1e-4, abs=1e-5
    )
    assert np.abs(got - [truth.answers(i) for i in range(DRAW.n)]).max() > 1e-4


class SideBySide(Oracle):
    """Attention and MLP in parallel; head outputs and MLPs can be cut."""

    @property
    def inner(self):
        return getattr(self.model, "gpt_neox", None) or self.model.transformer

    @property
    def blocks(self):
        return self.inner.layers if hasattr(self.inner, "layers") else self.inner.h

    @property
    def final_norm(self):
        inner = self.inner
        return inner.final_layer_norm if hasattr(inner, "final_layer_norm") else inner.ln_f

    def out_projection(self, layer):
        block = self.blocks[layer]
        return block.attention.dense if hasattr(block, "attention") else block.attn.out_proj

    def without_mlp(self, ids, layer, pos):
        """The logits with nothing written by an MLP at a position."""

        def cut(module, args, out):
            out = out.clone()
            out[:, pos] = 0
            return out

        handle = self.blocks[layer].mlp.register_forward_hook(cut)
        try:
            return self.run(ids)
        finally:
            handle.remove()


@pytest.fixture(scope="module", params=[save_neox, save_gptj])
def side_by_side(request, tmp_path_factory):
    folder = request.param(tmp_path_factory.mktemp("model"))
    return load_model(str(folder)), SideBySide(folder)


CUT = heads("0.1", "1.2", at=END)


def answers(trace, prompts, i):
    logits = trace.logits[prompts.positions[END][i]]
    return logits[[prompts.answers[i], prompts.foils[i]]].tolist()


@pytest.mark.parametrize("outside", [False, True], ids=["knocked out", "kept"])
def test_heads_beside_their_mlp_are_cut_as_the_truth_says(side_by_side, outside):
    model, oracle = side_by_side
    under = (keep_only if outside else knock_out)(CUT, to=mean(ABC))
    engine = Engine(model)
    got, plain = found(engine, needs_of([under, None], [AnswerLogits()]))
    prompts = engine.dataset(DRAW).distribution("IOI")
    reference = engine.dataset(DRAW).distribution(ABC)
    means = template_means(oracle, reference)
    nodes = {(node.head.layer, node.head.index, node.at) for node in CUT.nodes}
    true = [
        answers(
            knocked_out(oracle, prompts, i, nodes, means[reference.groups[i]], outside=outside),
            prompts,
            i,
        )
        for i in range(DRAW.n)
    ]
    assert got == pytest.approx(np.array(true), rel=1e-4, abs=1e-5)
    assert np.abs(got - plain).max() > 1e-4


def test_an_mlp_beside_its_heads_is_cut_as_the_truth_says(side_by_side):
    model, oracle = side_by_side
    engine = Engine(model)
    got = found(engine, needs_of([knock_out(mlps(0, at=END), to=zero())], [AnswerLogits()]))[0]
    prompts = engine.dataset(DRAW).distribution("IOI")
    true = [
        answers(oracle.without_mlp(prompts.ids[i], 0, prompts.positions[END][i]), prompts, i)
        for i in range(DRAW.n)
    ]
    assert got == pytest.approx(np.array(true), rel=1e-4, abs=1e-5)


NOT_BY_HOOKS = {
    "a path to the logits": path_patch(LATE, LOGITS, to=mean(ABC)),
    "a path to a head": path_patch(EARLY, LATE.k, to=mean(ABC)),
    "edges": keep_edges(edges(EARLY, LATE.q), edges(LATE, LOGITS), to=mean(ABC)),
    "a hypothesis": scrub(
        hypothesis(edges(EARLY, LATE.v), edges(LATE, LOGITS), carries={EARLY: "S", LATE: "IO"}),
        to=mean(ABC),
    ),
}


@pytest.mark.parametrize("bad", NOT_BY_HOOKS)
def test_paths_are_refused_with_the_reason_and_cost_the_others_nothing(capped, bad):
    model, _ = capped
    good = needs_of([None, GIVEN], READINGS[:2])
    alone = Engine(model)
    expected = found(alone, good)
    engine = Engine(model)
    lost = needs_of([NOT_BY_HOOKS[bad]], READINGS[:1])[0]
    engine.plan([lost, *good])
    with pytest.raises(ClaimNotEvaluable, match=r"needs the light-cone engine.*logits are capped"):
        engine.numbers(lost)
    for need, value in zip(good, expected, strict=True):
        assert np.array_equal(engine.numbers(need), value)
    assert [each.forwards for each in engine.passes] == [each.forwards for each in alone.passes]


def test_a_hook_that_shows_a_copy_is_not_taken_for_an_edit(tmp_path):
    """GPT-J attends inside the Hugging Face module: its pattern can be read, not replaced."""
    engine = Engine(load_model(str(save_gptj(tmp_path))))
    read = needs_of([None], [AttentionTo(Head(1, 2), END, IO)])[0]
    replaced = needs_of([knock_out(patterns("1.2", at=END), to=mean(ABC))], READINGS[:1])[0]
    engine.plan([read, replaced])
    with pytest.raises(ClaimNotEvaluable, match=r"replacing .*pattern.* the hook shows a copy"):
        engine.numbers(replaced)
    assert 0 < engine.numbers(read).min()


@pytest.fixture
def deaf(model, monkeypatch):
    """A function that makes one kind of hook of a model's bridge never fire."""
    inner = model.bridge.run_with_hooks

    def silence(kind):
        def heard(tokens, fwd_hooks):
            return inner(tokens, fwd_hooks=[h for h in fwd_hooks if not h[0].endswith(kind)])

        monkeypatch.setattr(model.bridge, "run_with_hooks", heard)
        return model

    return silence


@pytest.mark.parametrize("kind", ["z", "pattern"])
def test_a_hook_that_never_fires_is_an_error_to_whom_it_concerns(deaf, kind):
    """Without the hook point nothing is read or changed: that must not pass for a result."""
    engine = whole(deaf(f"hook_{kind}"))
    concerned = {
        "z": [
            *needs_of([knock_out(LATE, to=zero())], READINGS[:1]),
            *needs_of([None], [READINGS[1]]),
        ],
        "pattern": needs_of([None], [READINGS[3]]),
    }
    engine.plan(need for needs in concerned.values() for need in needs)
    for need in concerned[kind]:
        with pytest.raises(ClaimNotEvaluable, match=f"never fired for Site.*{kind}"):
            engine.numbers(need)
    for other in concerned.keys() - {kind}:
        assert all(np.isfinite(engine.numbers(need)).all() for need in concerned[other])


def test_a_run_that_fails_amid_others_costs_them_nothing(known, monkeypatch):
    """The hook was there when it was tried out, and is not when it matters."""
    engine = whole(known)
    good, bad = needs_of([None, knock_out(mlps(1, at=END), to=zero())], READINGS[:1])
    inner = known.bridge.run_with_hooks

    def heard(tokens, fwd_hooks):
        some = [h for h in fwd_hooks if len(tokens) == 1 or not h[0].endswith("hook_mlp_out")]
        return inner(tokens, fwd_hooks=some)

    monkeypatch.setattr(known.bridge, "run_with_hooks", heard)
    engine.plan([good, bad])
    with pytest.raises(ClaimNotEvaluable, match="never fired"):
        engine.numbers(bad)
    assert np.isfinite(engine.numbers(good)).all()
    assert len(engine.passes) == 1


def test_logits_at_other_positions_are_never_taken_for_those_at_end(deaf):
    with pytest.raises(ClaimNotEvaluable, match=r"never fired for Site.*logits"):
        found(whole(deaf("unembed.hook_in")), needs_of([None], READINGS[:1]))


def test_out_of_memory_halves_the_batch_here_too(model, monkeypatch):
    needs = needs_of([None, GIVEN], READINGS[:1])
    expected = found(whole(model), needs)
    inner, sizes = model.bridge.run_with_hooks, []

    def starved(tokens, **options):
        sizes.append(len(tokens))
        if len(tokens) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return inner(tokens, **options)

    monkeypatch.setattr(model.bridge, "run_with_hooks", starved)
    for got, value in zip(found(whole(model), needs), expected, strict=True):
        assert got == pytest.approx(value, rel=1e-4, abs=1e-4)
    assert [size for size in sizes if size > 1][:3] == [4, 2, 2]
