"""A model that is not put together as it looks is found out, and run whole instead."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import FAMILIES, save_gemma2, save_gptj, save_neox

from pytest_circuits import END, IOI, heads, knock_out, load_model, zero
from pytest_circuits.engine import anatomy as anatomy_module
from pytest_circuits.engine import attend, sweep
from pytest_circuits.engine.anatomy import Anatomy
from pytest_circuits.engine.blocks import Unsupported
from pytest_circuits.engine.engine import Engine
from pytest_circuits.measures.behaviour import AnswerLogits
from pytest_circuits.readings import Draw, Need, Run

DRAW = Draw(task=IOI(), n=4, seed=0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    strange = {"gemma2": save_gemma2, "neox": save_neox, "gptj": save_gptj}
    return {
        name: save(tmp_path_factory.mktemp(name)) for name, save in {**FAMILIES, **strange}.items()
    }


@pytest.fixture
def loaded(folders):
    """A function that loads a family anew: these tests damage what they are given."""
    return lambda name: load_model(str(folders[name]), progress=False)


@pytest.mark.parametrize("family", [*FAMILIES, "reference-ioi"])
@pytest.mark.parametrize("width", [1, 40])
def test_what_is_recomputed_from_the_parts_is_the_model(folders, family, width):
    model = load_model(str(folders.get(family, family)), progress=False)
    anatomy = Anatomy(model)
    anatomy.prepare(width)
    assert 0 <= anatomy.error < 5e-6


def _attention(model, layer=1):
    return model.bridge.blocks[layer].attn.original_component


def wrong_scale(model):
    _attention(model).scaling *= 1.05


def window_where_there_is_none(model):
    _attention(model).sliding_window = 3


def no_window_where_there_is_one(model):
    _attention(model, 0).sliding_window = None


def wrong_eps(model):
    norm = model.bridge.blocks[1].ln1.original_component
    name = "variance_epsilon" if hasattr(norm, "variance_epsilon") else "eps"
    setattr(norm, name, 0.5)


def norm_with_a_bend(model):
    """Where the stream is large, out of sight of samples drawn from a normal distribution."""
    norm = model.bridge.blocks[1].ln2.original_component
    kind = type(norm)

    class Bent(kind):
        def forward(self, x):
            return kind.forward(self, x.clamp(-3, 3) if float(x.abs().max()) > 4.5 else x)

    norm.__class__ = Bent  # a forward that was replaced on the module itself is refused


# The bridge computes GPT-2's attention and LayerNorm itself and asks none of these attributes; the
# others mask by config. So the parts look otherwise than what runs.
MISLEADING = [
    ("gpt2", wrong_scale),
    ("gpt2", window_where_there_is_none),
    ("gpt2", wrong_eps),
    ("llama-gqa", window_where_there_is_none),
    ("llama-gqa", norm_with_a_bend),
    ("gemma3", window_where_there_is_none),
    ("gemma3", no_window_where_there_is_one),
    ("gemma3", norm_with_a_bend),
]
# Here what is changed is what runs.
CHANGED = [
    ("llama-gqa", wrong_scale),
    ("llama-gqa", wrong_eps),
    ("gemma3", wrong_scale),
    ("gemma3", wrong_eps),
]
UNDER = knock_out(heads("0.1", "1.2", at=END), to=zero())


def hooked(model, prompts, i, *, knocked_out):
    """The two answer logits of one prompt, off the bridge as it is."""
    end = prompts.positions[END][i]

    def cut(layer, head):
        def edit(z, hook):
            z = z.clone()
            z[:, end, head] = 0.0
            return z

        return f"blocks.{layer}.attn.hook_z", edit

    hooks = [cut(0, 1), cut(1, 2)] if knocked_out else []
    with torch.no_grad():
        logits = model.bridge.run_with_hooks(torch.tensor([prompts.ids[i]]), fwd_hooks=hooks)
    return logits[0, end, [prompts.answers[i], prompts.foils[i]]].tolist()


def assert_right(engine):
    """Behaviour, plain and with heads knocked out, is the model's own; the two differ."""
    prompts = engine.dataset(DRAW).distribution("IOI")
    needs = [
        Need(Run(draw=DRAW, distribution="IOI", under=under), AnswerLogits())
        for under in (None, UNDER)
    ]
    engine.plan(needs)
    plain, cut = map(engine.numbers, needs)
    for knocked_out, got in [(False, plain), (True, cut)]:
        true = [hooked(engine.model, prompts, i, knocked_out=knocked_out) for i in range(DRAW.n)]
        assert got == pytest.approx(np.array(true), rel=1e-4, abs=1e-5)
    assert np.abs(plain - cut).max() > 1e-3


@pytest.mark.parametrize(("family", "tampered"), MISLEADING)
def test_parts_that_mislead_are_found_out_and_the_model_is_run_whole(loaded, family, tampered):
    model = loaded(family)
    tampered(model)
    model.parity.width = 99  # what the bridge runs now is the truth here
    with pytest.raises(Unsupported, match=r"logits differ by \d\.\de-0\d relative"):
        Anatomy(model).prepare(1)
    said = []
    engine = Engine(model, notify=said.append)
    assert_right(engine)
    assert engine.description.startswith("full forward passes (recomputed from its parts")
    assert said[0].startswith("full forward passes instead of the light cone: recomputed")


@pytest.mark.parametrize(("family", "changed"), CHANGED)
def test_a_model_that_was_changed_is_followed(loaded, family, changed):
    model = loaded(family)
    before = Engine(model)
    assert_right(before)
    changed(model)
    after = Engine(model)
    assert_right(after)
    assert after.description.startswith("light cone")
    need = Need(Run(draw=DRAW, distribution="IOI"), AnswerLogits())
    assert np.abs(before.numbers(need) - after.numbers(need)).max() > 1e-4


def _rolled(rotations):
    return replace(
        rotations, tables=tuple((cos.roll(1, 0), sin.roll(1, 0)) for cos, sin in rotations.tables)
    )


def _other_layers(rotations):
    return replace(rotations, tables=(*rotations.tables[1:], rotations.tables[0]))


@pytest.mark.parametrize(
    ("family", "wrong"),
    [("llama-gqa", _rolled), ("gemma3", _rolled), ("gemma3", _other_layers)],
)
def test_a_wrong_table_of_rotations_is_found_out(loaded, monkeypatch, family, wrong):
    right = anatomy_module._rotations
    monkeypatch.setattr(anatomy_module, "_rotations", lambda *args: wrong(right(*args)))
    engine = Engine(loaded(family))
    assert_right(engine)
    assert engine.description.startswith("full forward passes")


def blind(frame, columns, window):
    """Masks under which recomputed columns do not see what lies before them."""
    right = attend.masks(frame, columns, window)
    return replace(right, cached=torch.zeros_like(right.cached))


def doubled(frame, columns, window):
    """Masks under which recomputed columns see each other a second time, as they were."""
    right = attend.masks(frame, columns, window)
    every = torch.arange(frame.width)[None, None]
    seen = (every <= columns.index[:, :, None]) & frame.real[:, None]
    return replace(right, cached=seen)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("wrong", [blind, doubled])
def test_a_suffix_that_is_recomputed_wrongly_is_found_out(loaded, monkeypatch, family, wrong):
    """A full pass has no past to read, and is right."""
    monkeypatch.setattr(sweep, "masks", wrong)
    engine = Engine(loaded(family))
    assert_right(engine)
    assert engine.description.startswith("full forward passes (recomputed from its parts")


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        ("gemma2", "logits are capped"),
        ("neox", "attention and MLP run in parallel"),
        ("gptj", "attention and MLP run in parallel"),
    ],
)
def test_what_is_not_known_is_refused_by_name_and_run_whole(loaded, family, reason):
    said = []
    engine = Engine(loaded(family), notify=said.append)
    assert_right(engine)
    assert engine.description.startswith(f"full forward passes ({reason}); ")
    assert said[0] == f"full forward passes instead of the light cone: {reason}"
    assert engine.passes[0].forwards == 2.0


def test_capped_scores_are_refused_by_layer(loaded):
    model = loaded("gemma2")
    model.bridge.cfg.output_logits_soft_cap = 0
    with pytest.raises(Unsupported, match="attention scores are capped in layer 0"):
        Anatomy(model)


def test_a_part_of_unknown_purpose_is_refused_by_name(loaded):
    model = loaded("gpt2")
    model.bridge.blocks[2].add_module("gate", torch.nn.Linear(2, 2))
    with pytest.raises(Unsupported, match="layer 2 has parts not known here: gate"):
        Anatomy(model)


def test_no_number_is_no_agreement(loaded):
    """NaN is neither above nor below any tolerance, and max(0, NaN) is 0."""
    model = loaded("gpt2")
    anatomy = Anatomy(model)
    with torch.no_grad():
        model.bridge.pos_embed.original_component.weight[30:] = float("nan")
    anatomy.prepare(24)
    assert anatomy.error < 5e-6
    with pytest.raises(Unsupported, match="differ by nan"):
        anatomy.prepare(40)


def test_prompts_longer_than_what_was_checked_are_checked_again(loaded, monkeypatch):
    """The window is further back than the first check reaches."""
    model = loaded("llama-gqa")
    for block in model.bridge.blocks:
        block.attn.original_component.sliding_window = 30
    engine = Engine(model)
    assert_right(engine)
    assert engine.description.startswith("light cone")
    engine._prepare_executor(40)
    assert engine.description.startswith("full forward passes (recomputed from its parts")
