"""Each mutant does to the model what its docstring says, no more, and is undone bit for bit."""

import hashlib
import json

import pytest
import torch

from pytest_circuits import CircuitUsageError, ClaimNotEvaluable, load_model
from pytest_circuits.models.reference import REFERENCE_ROLES
from pytest_circuits.mutation.mutants import (
    KnockedOut,
    Noised,
    Quantised,
    Reinitialised,
    Renumbered,
    ShuffledOV,
    ShuffledQK,
    Swapped,
    Turned,
    as_dict,
)
from pytest_circuits.mutation.sabotage import NothingChanged, applied
from pytest_circuits.nodes import Head

HEADS = (Head(0, 1), Head(1, 2))
MUTANTS = (
    KnockedOut(heads=HEADS),
    ShuffledOV(heads=HEADS),
    ShuffledQK(heads=HEADS),
    Swapped(first=Head(1, 0), second=Head(1, 1)),
    Reinitialised(layer=1),
    Noised(amount=0.3),
    Quantised(bits=3),
)
DECOYS = (Turned(heads=HEADS), Renumbered(first=Head(1, 0), second=Head(1, 1)))
TOKENS = torch.randint(2, 60, (3, 12), generator=torch.Generator().manual_seed(1))


def weights(model):
    """Return every parameter, copied."""
    return {name: each.clone() for name, each in model.bridge.named_parameters()}


def digest(model):
    sha = hashlib.sha256()
    for name, each in sorted(model.bridge.named_parameters()):
        sha.update(name.encode() + each.detach().contiguous().numpy().tobytes())
    return sha.hexdigest()


def changed(before, model):
    """Return the names of parameters that are not as they were."""
    return {
        name
        for name, each in model.bridge.named_parameters()
        if not torch.equal(before[name], each)
    }


def cached(model):
    """Return logits, and z and pattern per layer, of the model as it is."""
    found = {}

    def keep(x, hook, key):
        found[key] = x.detach().clone()

    hooks = [
        (f"blocks.{at}.attn.{hook}", lambda x, hook, key=(name, at): keep(x, hook, key))
        for at in range(model.n_layers)
        for name, hook in (("z", "hook_z"), ("pattern", "hook_pattern"))
    ]
    with torch.no_grad():
        return model.bridge.run_with_hooks(TOKENS, fwd_hooks=hooks), found


def logits(model):
    with torch.no_grad():
        return model.bridge(TOKENS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_every_family_is_sabotaged_and_restored(any_model, mutant):
    model, before, plain = any_model, digest(any_model), logits(any_model)
    if (
        isinstance(mutant, Swapped)
        and model.n_heads // model.bridge.blocks[0].attn.W_K.shape[0] < 2
    ):
        mutant = Swapped(first=Head(0, 0), second=Head(1, 1))  # in a layer nothing would come of it
    with applied(mutant, model) as sabotaged:
        assert digest(model) != before
        if not isinstance(mutant, Swapped) or mutant.first.layer != mutant.second.layer:
            assert not torch.allclose(logits(sabotaged), plain, atol=1e-3)
    assert digest(model) == before
    assert torch.equal(logits(model), plain)


@pytest.mark.parametrize("decoy", DECOYS, ids=str)
def test_a_decoy_changes_weights_and_no_output_and_is_undone(any_model, decoy):
    model, before, plain = any_model, digest(any_model), logits(any_model)
    with applied(decoy, model) as changed_model:
        assert digest(model) != before
        torch.testing.assert_close(logits(changed_model), plain, atol=1e-4, rtol=1e-4)
    assert digest(model) == before
    assert torch.equal(logits(model), plain)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_turned_values_are_others_and_write_the_same(family, request):
    model, head = request.getfixturevalue(family), Head(1, 2)
    plain, before = cached(model)
    with applied(Turned(heads=(head,)), model):
        got, after = cached(model)
    torch.testing.assert_close(got, plain, atol=1e-4, rtol=1e-4)
    moved = (after["z", 1] - before["z", 1]).abs().amax((0, 1, 3)) > 1e-3
    together = [0, 1, 2] if family == "llama" else [2]  # who shares values turns along
    assert moved.nonzero().flatten().tolist() == together
    sizes = [each["z", 1][:, :, 2].norm(dim=-1) for each in (before, after)]
    torch.testing.assert_close(*sizes)


def test_heads_of_one_group_turn_once(llama):
    with applied(Turned(heads=(Head(1, 0),)), llama):
        once = digest(llama)
    with applied(Turned(heads=(Head(1, 0), Head(1, 2))), llama):
        assert digest(llama) == once


def test_it_is_restored_after_an_error(any_model):
    before = digest(any_model)
    with pytest.raises(KeyError), applied(Noised(amount=1), any_model):
        raise KeyError
    assert digest(any_model) == before


def test_what_was_changed_before_an_error_is_restored(gpt2):
    before = digest(gpt2)
    with (
        pytest.raises(ClaimNotEvaluable, match=r"no head 7\.0"),
        applied(KnockedOut(heads=(Head(0, 0), Head(7, 0))), gpt2),
    ):
        raise AssertionError
    assert digest(gpt2) == before


def test_the_sabotaged_model_says_so(gpt2):
    names = set()
    for mutant in MUTANTS[:3]:
        with applied(mutant, gpt2) as sabotaged:
            assert str(mutant) in sabotaged.spec
            assert str(mutant) in sabotaged.provenance
            names.add(sabotaged.fingerprint)
    assert len(names | {gpt2.fingerprint}) == 4


def test_knocked_out_heads_write_nothing(any_model):
    def without(z, hook):
        z = z.clone()
        z[:, :, [head.index for head in HEADS if f".{head.layer}." in hook.name]] = 0
        return z

    hooks = [(f"blocks.{head.layer}.attn.hook_z", without) for head in HEADS]
    with torch.no_grad():
        truth = any_model.bridge.run_with_hooks(TOKENS, fwd_hooks=hooks)
    with applied(KnockedOut(heads=HEADS), any_model):
        torch.testing.assert_close(logits(any_model), truth, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("role", REFERENCE_ROLES)
def test_a_role_knocked_out_is_the_reference_built_without_it(reference, role):
    heads = tuple(Head(*each) for each in REFERENCE_ROLES[role].heads)
    truth = weights(load_model(f"reference-ioi:without={role}", progress=False))
    with applied(KnockedOut(heads=heads), reference):
        assert changed(truth, reference) == set()
    assert changed(truth, reference) != set()


def test_a_shuffled_ov_leaves_attention_as_it_is(gpt2):
    (plain, before) = cached(gpt2)
    with applied(ShuffledOV(heads=(Head(1, 2),)), gpt2):
        got, after = cached(gpt2)
    assert not torch.allclose(got, plain, atol=1e-3)
    for name in ("z", "pattern"):
        torch.testing.assert_close(after[name, 1], before[name, 1])
    assert not torch.allclose(after["z", 2], before["z", 2], atol=1e-3)


def test_a_shuffled_qk_changes_the_attention_of_its_heads_alone(any_model):
    head = Head(1, 2)
    _, before = cached(any_model)
    with applied(ShuffledQK(heads=(head,)), any_model):
        _, after = cached(any_model)
    distance = (after["pattern", 1] - before["pattern", 1]).abs().amax((0, 2, 3))
    assert distance[head.index] > 1e-3
    assert distance[[i for i in range(any_model.n_heads) if i != head.index]].max() < 1e-6


def test_a_shuffle_moves_every_dimension_and_keeps_the_values(gpt2):
    place = gpt2.bridge.blocks[1].attn.W_O[2]
    before = place.clone()
    with applied(ShuffledOV(heads=(Head(1, 2),)), gpt2):
        assert not (place == before).all(-1).any()
        torch.testing.assert_close(place.sum(0), before.sum(0))


def test_heads_of_one_layer_trade_places(gpt2):
    plain, before = cached(gpt2)
    with applied(Swapped(first=Head(1, 0), second=Head(1, 3)), gpt2):
        got, after = cached(gpt2)
    torch.testing.assert_close(got, plain, atol=1e-4, rtol=1e-4)
    order = [3, 1, 2, 0]
    torch.testing.assert_close(after["z", 1], before["z", 1][:, :, order])


def test_heads_of_two_layers_trade_all_their_weights(gpt2):
    names = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V")
    first, second = Head(0, 1), Head(2, 3)

    def parts(head):
        attn = gpt2.bridge.blocks[head.layer].attn
        return [getattr(attn, name)[head.index].clone() for name in names]

    one, other = parts(first), parts(second)
    with applied(Swapped(first=first, second=second), gpt2):
        assert all(map(torch.equal, parts(first), other))
        assert all(map(torch.equal, parts(second), one))


def test_heads_that_share_keys_trade_places_within_their_group(llama):
    plain, before = cached(llama)
    with applied(Swapped(first=Head(1, 3), second=Head(1, 5)), llama):
        got, after = cached(llama)
    torch.testing.assert_close(got, plain, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after["z", 1], before["z", 1][:, :, [0, 1, 2, 5, 4, 3]])


@pytest.mark.parametrize("second", [Head(1, 2), Head(0, 3)])
def test_heads_of_two_groups_cannot(llama, second):
    mutant = Swapped(first=Head(1, 3), second=second)
    with pytest.raises(ClaimNotEvaluable, match="groups of 3 query heads"), applied(mutant, llama):
        raise AssertionError


def test_one_layer_is_drawn_anew(any_model):
    before = weights(any_model)
    layer = [id(each) for each in any_model.bridge.blocks[1].parameters()]
    with applied(Reinitialised(layer=1), any_model):
        touched = changed(before, any_model)
        for name, each in any_model.bridge.named_parameters():
            if name not in touched:
                continue
            assert id(each) in layer
            assert each.dim() > 1
            spread = float(each.std() / before[name].std())
            assert 0.9 < spread < 1.1, name
    assert len(touched) >= 5


def test_noise_has_the_size_it_says(gpt2):
    before = weights(gpt2)
    with applied(Noised(amount=0.1), gpt2):
        for name in changed(before, gpt2):
            now = dict(gpt2.bridge.named_parameters())[name]
            size = float((now - before[name]).std() / before[name].std())
            assert 0.08 < size < 0.12, name
        assert not any(word in name for name in changed(before, gpt2) for word in ("wte", "ln"))


@pytest.mark.parametrize(("bits", "levels"), [(2, 3), (3, 7)])
def test_so_many_levels_per_output(any_model, bits, levels):
    with applied(Quantised(bits=bits), any_model):
        queries = any_model.bridge.blocks[1].attn.W_Q
        per_output = [each.unique().numel() for each in queries[1].unbind(-1)]
    assert max(per_output) <= levels
    assert max(per_output) > levels // 2


def test_rounding_keeps_the_largest_weight_and_errs_by_half_a_step(gpt2):
    out = gpt2.bridge.blocks[1].attn.W_O
    before = out.clone()
    top = before.abs().amax((0, 1))
    with applied(Quantised(bits=3), gpt2):
        torch.testing.assert_close(out.abs().amax((0, 1)), top)
        assert ((out - before).abs() <= top / 3 / 2 * 1.001).all()


@pytest.mark.parametrize("kind", [ShuffledOV, ShuffledQK])
def test_a_seed_decides(gpt2, kind):
    def made(seed):
        with applied(kind(heads=HEADS, seed=seed), gpt2):
            return digest(gpt2)

    assert made(0) == made(0) != made(1)


def test_a_mutant_that_changes_nothing_is_refused(reference):
    heads = (Head(0, 1), Head(1, 2))  # all zero
    with pytest.raises(NothingChanged), applied(KnockedOut(heads=heads), reference):
        raise AssertionError


def test_a_layer_that_the_model_lacks_is_refused(gpt2):
    with (
        pytest.raises(ClaimNotEvaluable, match="no layer 3"),
        applied(Reinitialised(layer=3), gpt2),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Noised, "amount", 0),
        (Noised, "amount", float("nan")),
        (Quantised, "bits", 1),
        (Quantised, "bits", 2.5),
        (Quantised, "bits", True),
    ],
)
def test_mutants_that_are_none(kind, name, value):
    with pytest.raises(CircuitUsageError, match=f"`{name}`.*{value!r}"):
        kind(**{name: value})


def test_a_head_cannot_trade_places_with_itself():
    with pytest.raises(CircuitUsageError, match=r"`second`: 0\.0"):
        Swapped(first=Head(0, 0), second=Head(0, 0))


@pytest.mark.parametrize("mutant", [*MUTANTS, *DECOYS], ids=str)
def test_mutants_are_plain_data(mutant):
    assert hash(mutant) == hash(type(mutant)(**vars(mutant)))
    assert json.loads(json.dumps(as_dict(mutant)))["name"] == str(mutant)
