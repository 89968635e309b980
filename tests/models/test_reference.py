"""`reference-ioi` does what its docstring says, measured with plain Hugging Face and own hooks."""

import itertools
from dataclasses import dataclass, replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_circuits.models.reference import (
    REFERENCE_DECOYS,
    REFERENCE_ROLES,
    write_reference,
)
from pytest_circuits.models.reference.layout import D_HEAD, D_MODEL, N_HEADS, N_LAYERS
from pytest_circuits.tasks.ioi import IOI

ALL_HEADS = frozenset(itertools.product(range(N_LAYERS), range(N_HEADS)))
NAME_MOVERS = REFERENCE_ROLES["name mover"].heads
BACKUPS = REFERENCE_ROLES["backup name mover"].heads
NEGATIVE = REFERENCE_ROLES["negative name mover"].heads
S_INHIBITION = REFERENCE_ROLES["S-inhibition"].heads


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()


@pytest.fixture(scope="module", autouse=True)
def few_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(min(2, before))
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    write_reference(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


@pytest.fixture(scope="module")
def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def dataset(tokenizer):
    return IOI().draw(tokenizer, 256, 0)


@pytest.fixture(scope="module")
def whole(model, dataset):
    return run(model, dataset.prompts)


@pytest.fixture(scope="module")
def abc(model, dataset):
    return run(model, dataset.distribution("ABC"))


@dataclass(frozen=True)
class Run:
    """A forward pass: `z[layer]` [batch, pos, head, d_head], `patterns[layer]`, END logits."""

    prompts: object
    logits: torch.Tensor
    patterns: tuple
    z: dict
    resid: tuple
    final_scale: torch.Tensor

    @property
    def difference(self):
        answers, foils = (torch.tensor(t) for t in (self.prompts.answers, self.prompts.foils))
        rows = torch.arange(len(answers))
        return self.logits[rows, answers] - self.logits[rows, foils]

    def attention(self, head, query, key):
        rows = torch.arange(len(self.prompts))
        query, key = (torch.tensor(self.prompts.at(p)) for p in (query, key))
        return self.patterns[head[0]][rows, head[1], query, key]


def run(model, prompts, edit=None):
    """Forward right-padded prompts; `edit(layer, z)` may change head outputs in place."""
    width = max(map(len, prompts.ids))
    ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in prompts.ids])
    seen, hooks = {}, []
    for layer, block in enumerate(model.transformer.h):

        def hook(module, args, layer=layer):
            z = args[0].clone().view(*ids.shape, N_HEADS, D_HEAD)
            if edit:
                edit(layer, z)
            seen[layer] = z
            return (z.flatten(2),)

        hooks.append(block.attn.c_proj.register_forward_pre_hook(hook))
    norm = model.transformer.ln_f
    hooks.append(norm.register_forward_pre_hook(lambda _, args: seen.update(final=args[0])))
    out = model(ids, output_attentions=True, output_hidden_states=True)
    for handle in hooks:
        handle.remove()
    rows, end = torch.arange(len(ids)), torch.tensor(prompts.at("END"))
    scale = (seen["final"][rows, end].var(-1, unbiased=False) + norm.eps).sqrt()
    return Run(prompts, out.logits[rows, end], out.attentions, seen, out.hidden_states, scale)


def group_means(z, groups):
    """Return for each row the mean of `z` over the rows of its group, template-wise."""
    labels = sorted(set(groups))
    index = torch.tensor([labels.index(group) for group in groups])
    return torch.stack([z[index == k].mean(0) for k in range(len(labels))])[index]


def knock_out(model, dataset, heads, position, reference=None):
    """Run with head outputs at a position set to zero, or to their mean over `reference`."""
    rows, at = torch.arange(len(dataset.prompts)), torch.tensor(dataset.prompts.at(position))

    def edit(layer, z):
        for _, head in (h for h in heads if h[0] == layer):
            new = torch.zeros_like(z[:, :, head])
            if reference is not None:
                new = group_means(reference.z[layer][:, :, head], dataset.prompts.groups)
            z[rows, at, head] = new[rows, at]

    return run(model, dataset.prompts, edit)


def direct_effect(model, run, head):
    """Return what a head writes at END to the logit difference, the final norm's scale frozen."""
    layer, number = head
    rows, end = torch.arange(len(run.prompts)), torch.tensor(run.prompts.at("END"))
    weight = model.transformer.h[layer].attn.c_proj.weight[number * D_HEAD : (number + 1) * D_HEAD]
    written = run.z[layer][rows, end, number] @ weight
    normed = (written - written.mean(-1, keepdim=True)) / run.final_scale[:, None]
    answers, foils = (torch.tensor(t) for t in (run.prompts.answers, run.prompts.foils))
    direction = model.lm_head.weight[answers] - model.lm_head.weight[foils]
    return (normed * model.transformer.ln_f.weight * direction).sum(-1)


def copy_score(model, run, head, sign=1):
    """Return the share of names among the top 5 logits of what the head's OV makes of them.

    Ties count against the name. Of most heads all logits are 0 but for rounding, some 1e-4 at most;
    the smallest that are not are 9e-3 apart, those of the decoy.
    """
    layer, number = head
    attention = model.transformer.h[layer].attn
    columns = slice(2 * D_MODEL + number * D_HEAD, 2 * D_MODEL + (number + 1) * D_HEAD)
    hits = []
    for position in ("IO", "S1"):
        rows, at = torch.arange(len(run.prompts)), torch.tensor(run.prompts.at(position))
        normed = model.transformer.h[layer].ln_1(run.resid[1][rows, at])
        value = normed @ attention.c_attn.weight[:, columns]
        out = value @ attention.c_proj.weight[number * D_HEAD : (number + 1) * D_HEAD]
        logits = model.lm_head(model.transformer.ln_f(sign * out))
        ids = zip(run.prompts.ids, at.tolist(), strict=True)
        names = torch.tensor([row[i] for row, i in ids])
        own = logits.gather(1, names[:, None]) - 1e-3
        hits.append(((logits >= own).sum(-1) <= 5).float())
    return torch.cat(hits).mean().item()


def repeated_scores(model, n_tokens, length, bos):
    """Return previous-token, duplicate-token, induction scores, each [layer, head]."""
    generator = torch.Generator().manual_seed(length)
    drawn = [torch.randperm(n_tokens - 2, generator=generator)[:length] + 2 for _ in range(8)]
    ids = torch.stack([torch.cat([torch.ones(bos, dtype=torch.long), r, r]) for r in drawn])
    patterns = torch.stack(model(ids, output_attentions=True).attentions)
    later = torch.arange(1, ids.shape[1])
    second = torch.arange(bos + length, ids.shape[1])
    pairs = ((later, later - 1), (second, second - length), (second, second - length + 1))
    return [patterns[..., query, key].mean((1, 3)) for query, key in pairs]


def about(value, tolerance=0.27):
    """Near a documented value: four standard errors of a logit difference of 256 prompts."""
    return pytest.approx(value, abs=tolerance)


def test_behaviour(whole):
    rows = torch.arange(len(whole.prompts))
    p_io = whole.logits.softmax(-1)[rows, torch.tensor(whole.prompts.answers)]
    assert whole.difference.mean().item() == about(5.39)
    assert whole.difference.min() > 3
    assert p_io.mean().item() == about(0.6, 0.05)


@pytest.mark.parametrize("order", ["ABBA", "BABA"])
def test_behaviour_in_each_order_with_bos(model, tokenizer, order):
    data = IOI(orders=(order,), bos="<|bos|>").draw(tokenizer, 64, 5)
    difference = run(model, data.prompts).difference
    assert difference.mean().item() == about(5.4, 0.3)
    assert difference.min() > 3


def test_without_duplicate_there_is_no_preference(abc):
    assert abc.difference.mean().item() == about(0)
    assert abc.difference.abs().mean().item() == about(0.29, 0.1)


def test_distractors(model, dataset):
    distracted, control = (
        run(model, dataset.distribution(d)).difference for d in ("DISTRACTOR", "DISTRACTOR_CONTROL")
    )
    assert (distracted > 0).float().mean().item() == about(0.5)
    assert control.mean().item() == about(4.25, 0.3)
    assert control.min() > 0


@pytest.mark.parametrize(
    ("role", "query", "key", "expected"),
    [
        ("previous token", "S1+1", "S1", (1.0, 1.0)),
        ("previous token decoy", "S1+1", "S1", (1.0,)),
        ("duplicate token", "S2", "S1", (1.0, 1.0)),
        ("induction", "S2", "S1+1", (1.0, 1.0)),
        ("S-inhibition", "END", "S2", (0.91, 0.96)),
        ("name mover", "END", "IO", (0.82, 0.76)),
        ("name mover", "END", "S1", (0.01, 0.01)),
        ("name mover", "END", "S2", (0.01, 0.01)),
        ("name mover decoy", "END", "IO", (0.82,)),
        ("negative name mover", "END", "IO", (0.82, 0.76)),
        ("backup name mover", "END", "IO", (0.08, 0.13)),
    ],
)
def test_attention(whole, role, query, key, expected):
    heads = {**REFERENCE_ROLES, **REFERENCE_DECOYS}[role].heads
    found = [whole.attention(head, query, key).mean().item() for head in heads]
    assert found == about(list(expected), 0.02)


@pytest.mark.parametrize("length", [12, 24, 50])
@pytest.mark.parametrize("bos", [0, 1])
def test_scores_on_repeated_tokens(model, tokenizer, length, bos):
    scores = repeated_scores(model, len(tokenizer), length, bos)
    having = (
        {*REFERENCE_ROLES["previous token"].heads, *REFERENCE_DECOYS["previous token decoy"].heads},
        {*REFERENCE_ROLES["duplicate token"].heads},
        {*REFERENCE_ROLES["induction"].heads},
    )
    for score, heads in zip(scores, having, strict=True):
        assert min(score[head] for head in heads) > 0.998
        assert max(score[head] for head in ALL_HEADS - heads) < 0.2


def test_copy_scores(model, whole):
    copying = {*NAME_MOVERS, *BACKUPS, *REFERENCE_DECOYS["name mover decoy"].heads}
    for head in ALL_HEADS:
        assert copy_score(model, whole, head) == float(head in copying), head
        assert copy_score(model, whole, head, -1) == float(head in NEGATIVE), head


def test_direct_effects(model, whole):
    expected = dict(zip(NAME_MOVERS, (4.31, 2.55), strict=True))
    expected |= zip(NEGATIVE, (-1.10, -0.66), strict=True)
    expected |= zip(BACKUPS, (0.02, 0.26), strict=True)
    for head in ALL_HEADS:
        effect = direct_effect(model, whole, head).mean().item()
        tolerance = 0.15 if head in expected else 1e-4
        assert effect == about(expected.get(head, 0.0), tolerance), head


def test_direct_effects_add_up_to_the_logit_difference(model, whole):
    total = sum(direct_effect(model, whole, head) for head in ALL_HEADS)
    assert torch.allclose(total, whole.difference, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "expected", "each"),
    [
        ("previous token", 1.38, (2.72, 5.15)),
        ("duplicate token", 0.27, (2.81, 4.49)),
        ("induction", 1.38, (3.84, 4.64)),
        ("S-inhibition", -1.06, (2.18, 3.07)),
        ("name mover", 3.30, (3.62, 4.05)),
        ("backup name mover", 5.06, (5.34, 5.11)),
        ("negative name mover", 7.16, (6.49, 6.05)),
    ],
)
def test_knock_out(model, dataset, whole, abc, role, expected, each):
    place = REFERENCE_ROLES[role]
    mean, zero = (
        knock_out(model, dataset, place.heads, place.position, reference).difference
        for reference in (abc, None)
    )
    assert mean.mean().item() == about(expected)
    assert zero.mean().item() == about(expected, 0.35)
    assert abs(zero.mean() - whole.difference.mean()) > 0.25
    singly = [
        knock_out(model, dataset, [head], place.position, abc).difference.mean().item()
        for head in place.heads
    ]
    assert singly == about(list(each))


@pytest.mark.parametrize("ablation", ["mean", "zero"])
def test_backup_heads_take_over(model, dataset, abc, ablation):
    after = knock_out(model, dataset, NAME_MOVERS, "END", abc if ablation == "mean" else None)
    effects = [direct_effect(model, after, head).mean().item() for head in BACKUPS]
    attention = [after.attention(head, "END", "IO").mean().item() for head in BACKUPS]
    assert effects == about([3.05, 2.15], 0.2)
    assert attention == about([0.64, 0.64], 0.05)


def test_circuit_alone_is_faithful(model, dataset, whole, abc):
    rows = torch.arange(len(dataset.prompts))

    def edit(layer, z):
        own = z.clone()
        z[:] = group_means(abc.z[layer], dataset.prompts.groups)
        for place in REFERENCE_ROLES.values():
            at = torch.tensor(dataset.prompts.at(place.position))
            for _, head in (h for h in place.heads if h[0] == layer):
                z[rows, at, head] = own[rows, at, head]

    difference = run(model, dataset.prompts, edit).difference
    assert (difference - whole.difference).abs().max() < 0.005


@pytest.mark.slow
def test_position_signal_outweighs_token_signal(model, dataset, whole):
    flip, prompts = dataset.distribution("FLIP"), dataset.prompts
    rows, end = torch.arange(len(prompts)), torch.tensor(prompts.at("END"))

    def patched(source):
        def edit(layer, z):
            for _, head in (h for h in S_INHIBITION if h[0] == layer):
                z[rows, end, head] = source.z[layer][rows, end, head]

        return run(model, prompts, edit).difference.mean().item()

    whole_ld = whole.difference.mean().item()
    position = patched(run(model, flip))
    token = patched(run(model, names_exchanged(prompts)))
    both = patched(run(model, names_exchanged(flip)))
    assert (whole_ld + token - position - both) / 4 == about(3.88)
    assert (whole_ld + position - token - both) / 4 == about(1.74)


def names_exchanged(prompts):
    """Return the prompts with IO and S exchanged wherever they stand."""
    ids = []
    for row, io, s in zip(prompts.ids, prompts.answers, prompts.foils, strict=True):
        ids.append(tuple({io: s, s: io}.get(token, token) for token in row))
    return replace(prompts, ids=tuple(ids))


@pytest.mark.parametrize("role", [*REFERENCE_ROLES, *REFERENCE_DECOYS])
def test_without_a_role(tmp_path, whole, role):
    write_reference(tmp_path, without=frozenset({role}))
    less = run(load(tmp_path), whole.prompts)
    change = (less.logits - whole.logits).abs().max().item()
    if role in REFERENCE_DECOYS:
        assert change < 1e-4
    else:
        lower = (less.difference - whole.difference).mean().item()
        assert lower > 1.5 if role == "negative name mover" else lower < -0.25
