"""What interventions cost, in plain forward passes counted by multiplications: no clocks."""

import pytest
from tiny import save_gpt2

from pytest_circuits import load_model
from pytest_circuits.engine.engine import Engine
from pytest_circuits.interventions import (
    counterpart,
    keep_only,
    knock_out,
    mean,
    patch,
    path_patch,
    zero,
)
from pytest_circuits.measures.behaviour import AnswerLogits
from pytest_circuits.nodes import LOGITS, circuit, heads, mlps, residual
from pytest_circuits.readings import Draw, Need, Run
from pytest_circuits.tasks.ioi import ABC, FLIP, IOI
from pytest_circuits.tasks.positions import END, S2

LAYERS, HEADS = 12, 2
ONE_LENGTH = IOI(
    templates=("One morning, {A} and {B} met near the {PLACE}. {S} offered a {OBJECT} to",)
)


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deep")
    return load_model(str(save_gpt2(folder, layers=LAYERS, heads=HEADS, width=16)), progress=False)


def forwards(model, unders, *, prompts=4):
    """The cost of the one pass on IOI that makes all of these, the plain run among them."""
    draw = Draw(task=ONE_LENGTH, n=prompts, seed=0)
    needs = [Need(Run(draw=draw, distribution="IOI", under=u), AnswerLogits()) for u in unders]
    engine = Engine(model)
    engine.plan(needs)
    for need in needs:
        engine.numbers(need)
    assert engine.description.startswith("light cone")
    (only,) = [each for each in engine.passes if each.what.startswith("IOI")]
    assert only.interventions == sum(under is not None for under in unders)
    return only.forwards


@pytest.fixture(scope="module")
def token(deep):
    """The share of a forward that one of the prompts' tokens is."""
    prompts = ONE_LENGTH.draw(deep.tokenizer, 4, 0).distribution("IOI")
    (length,) = {len(row) for row in prompts.ids}
    return 1 / length


def each_head(at):
    return [heads(f"{layer}.{i}", at=at) for layer in range(LAYERS) for i in range(HEADS)]


def beside(model, unders, **options):
    """What interventions cost beside the plain run."""
    return forwards(model, [None, *unders], **options) - 1


def test_every_head_at_end_costs_the_layers_above_it_for_one_token(deep, token):
    cost = beside(deep, [knock_out(head, to=zero()) for head in each_head(END)])
    above = HEADS * sum(LAYERS - layer - 1 for layer in range(LAYERS)) / LAYERS
    of_their_own = HEADS  # at most the whole of the layer they stand in
    assert above * token < cost < (above + of_their_own) * token
    assert cost < LAYERS * HEADS / 20, "full forwards cost one each"


def test_a_head_further_left_costs_every_token_from_there_on(deep, token):
    cost = beside(deep, [knock_out(heads("0.0", at=S2), to=zero())])
    prompts = ONE_LENGTH.draw(deep.tokenizer, 4, 0).distribution("IOI")
    (tokens,) = {
        end - s2 + 1 for end, s2 in zip(prompts.positions[END], prompts.positions[S2], strict=True)
    }
    assert tokens > 2
    assert tokens * token * (LAYERS - 1) / LAYERS < cost <= tokens * token


@pytest.mark.parametrize("layer", [0, 5, LAYERS - 1])
def test_what_lies_below_an_intervention_is_not_computed_again(deep, token, layer):
    stream = beside(deep, [knock_out(residual(layer, at=END), to=zero())])
    assert stream == pytest.approx((LAYERS - layer) / LAYERS * token, rel=1e-6)
    mlp = beside(deep, [knock_out(mlps(layer, at=END), to=zero())])
    assert mlp <= stream
    assert mlp >= (LAYERS - layer - 1) / LAYERS * token


def test_a_path_to_the_logits_past_frozen_mlps_is_all_but_free(deep, token):
    paths = [
        path_patch(head, LOGITS, to=counterpart(FLIP), mlps="frozen") for head in each_head(END)
    ]
    other = 1  # the counterpart prompts take one forward, however many paths there are
    assert beside(deep, paths) - other < len(paths) * 0.1 * token / LAYERS


def test_a_path_to_the_logits_past_live_mlps_costs_mlps_alone(deep, token):
    last, first = (
        beside(deep, [path_patch(heads(f"{layer}.0", at=END), LOGITS, to=zero())])
        for layer in (LAYERS - 1, 0)
    )
    mlp, write = 8 / 12, 1 / 12  # of a layer's weights; queries, keys, values are not made
    assert 0 < last < first <= (mlp + write) * token * (1 + 1e-6)


@pytest.mark.parametrize("layer", [1, 6, LAYERS - 1])
def test_a_path_to_a_head_costs_every_layer_at_most_once(deep, token, layer):
    """Up to the receiver what the senders bring, from there on what it makes of it."""
    receiver = heads(f"{layer}.0", at=END).q
    path = beside(deep, [path_patch(heads("0.0", at=END), receiver, to=zero())])
    mlp, write = 8 / 12, 1 / 12
    up_to, behind = (mlp + write) * layer, LAYERS - layer
    assert path == pytest.approx((up_to + behind) / LAYERS * token, rel=0.05)


def test_a_circuit_costs_its_own_positions_and_one_ground(deep, token):
    """However many circuits are opened, every head is closed once, at the cost of the MLPs."""
    opened = [keep_only(circuit(head), to=zero()) for head in each_head(END)[-6:]]
    one, six = beside(deep, opened[:1]), beside(deep, opened)
    assert one < 1
    assert six - one < 5 * token


def test_all_patches_share_one_forward_of_the_counterparts(deep, token):
    patched = beside(deep, [patch(head, over=FLIP) for head in each_head(END)])
    zeroed = beside(deep, [knock_out(head, to=zero()) for head in each_head(END)])
    assert patched == pytest.approx(zeroed + 1)


def test_a_mean_costs_no_more_than_zeros_in_the_pass_it_is_put_into(deep):
    to_mean, to_zero = (
        beside(deep, [knock_out(head, to=to) for head in each_head(END)])
        for to in (mean(ABC), zero())
    )
    assert to_mean == pytest.approx(to_zero)


def test_cost_grows_with_the_number_of_interventions(deep):
    """Twice as many heads of a layer cost twice as much, and so do those of two layers."""
    of_layer = [[heads(f"{layer}.{i}", at=END) for i in range(HEADS)] for layer in (2, 7)]
    alone = [beside(deep, [knock_out(head, to=zero()) for head in some]) for some in of_layer]
    single = [beside(deep, [knock_out(some[0], to=zero())]) for some in of_layer]
    together = beside(deep, [knock_out(head, to=zero()) for some in of_layer for head in some])
    for one, both in zip(single, alone, strict=True):
        assert both == pytest.approx(HEADS * one, rel=0.05)
    assert together == pytest.approx(sum(alone), rel=0.05)


def test_cost_grows_with_the_number_of_prompts(deep):
    """`forwards` is per prompt: in equal prompts it stays the same."""
    unders = [knock_out(head, to=mean(ABC)) for head in each_head(END)]
    few, many = (forwards(deep, [None, *unders], prompts=n) for n in (4, 16))
    assert many == pytest.approx(few, rel=1e-6)
