"""Each measure against plain hooks and full forwards, to 1e-4 relative (fp32)."""

import math

import numpy as np
import pytest
import torch
from oracle import difference, knocked_out, mean_over, template_means

from pytest_circuits import (
    ABC,
    END,
    FLIP,
    IO,
    S1,
    S1_NEXT,
    S2,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    circuit,
    copy_score,
    direct_logit_attribution,
    duplicate_token_score,
    faithfulness,
    heads,
    induction_score,
    knock_out,
    knock_out_effect,
    knock_out_share,
    logit_difference,
    mean,
    measure,
    negative_copy_score,
    previous_token_score,
    resample,
    self_repair,
    zero,
)
from pytest_circuits.engine.references import partners
from pytest_circuits.tasks.repeated import RepeatedTokens

N, SEED = 32, 5
MOVERS = heads("2.1", "1.3", "2.2", at=END)
DUPLICATE = heads("0.1", "1.0", at=S2)
PAIRS = [(2, 1), (1, 3), (2, 2)]


@pytest.fixture(scope="module")
def measured(model):
    return lambda m: measure(model, m, prompts=N, seed=SEED)


@pytest.fixture(scope="module")
def traces(oracle, dataset):
    return [oracle.run(ids) for ids in dataset.prompts.ids]


@pytest.fixture(scope="module")
def means(oracle, dataset):
    groups = dataset.distribution(ABC).groups
    by_group = template_means(oracle, dataset.distribution(ABC))
    return [by_group[group] for group in groups]


def agrees(estimate, truth, *, of=1.0):
    """Both round: by up to 1e-5 of a logit, which of a share of a small `of` is more."""
    return estimate.value == pytest.approx(truth, rel=1e-4, abs=1e-5 / abs(of))


def test_behaviour(measured, traces, dataset, oracle):
    prompts = dataset.prompts
    gaps = [difference(trace, prompts, i) for i, trace in enumerate(traces)]
    rows = [t.logits[prompts.positions[END][i]].softmax(0) for i, t in enumerate(traces)]
    flipped = dataset.distribution(FLIP)
    other = [difference(oracle.run(flipped.ids[i]), flipped, i) for i in range(N)]
    assert agrees(measured(logit_difference()), mean_over(gaps))
    assert agrees(measured(answer_preferred()), mean_over([gap > 0 for gap in gaps]))
    probabilities = [float(row[prompts.answers[i]]) for i, row in enumerate(rows)]
    assert agrees(measured(answer_probability()), mean_over(probabilities))
    assert agrees(measured(logit_difference(on=FLIP)), mean_over(other))


@pytest.mark.parametrize(
    ("at", "to"), [(END, IO), (END, S2), (S2, S1), (S2, S1_NEXT), (S1_NEXT, S1)]
)
def test_attention(measured, traces, dataset, at, to):
    role = heads("2.1", "1.3", "0.0", at=at)
    where = dataset.prompts.positions
    per_head = [
        mean_over(
            [
                float(t.pattern[layer][head, where[at][i], where[to][i]])
                for i, t in enumerate(traces)
            ]
        )
        for layer, head in [(2, 1), (1, 3), (0, 0)]
    ]
    assert agrees(measured(attention(role.mean, to=to)), mean_over(per_head))
    assert agrees(measured(attention(role.sum, to=to)), sum(per_head))
    each = measured(attention(role.each, to=to))
    assert [part.label for part in each.parts] == ["2.1", "1.3", "0.0"]
    assert [part.value for part in each.parts] == pytest.approx(per_head, rel=1e-4)


def test_direct_logit_attribution(measured, traces, dataset, oracle):
    prompts, ends = dataset.prompts, dataset.prompts.positions[END]

    def written(i, layer, head, token):
        return oracle.direct_logit(traces[i], layer, head, ends[i], token)

    truth = mean_over(
        sum(
            written(i, layer, head, prompts.answers[i]) - written(i, layer, head, prompts.foils[i])
            for layer, head in PAIRS
        )
        for i in range(N)
    )
    assert agrees(measured(direct_logit_attribution(MOVERS.sum)), truth)


def test_self_repair(measured, traces, dataset, oracle, means):
    prompts, ends = dataset.prompts, dataset.prompts.positions[END]
    after = [knocked_out(oracle, prompts, i, NODES, by) for i, by in enumerate(means)]

    def written(trace, i, layer, head):
        """What the head writes, the final norm's scale that of the run as it is."""
        write = trace.z[layer][ends[i], head] @ oracle.w_o(layer, head)
        residual = traces[i].resid[-1][ends[i]]
        answer, foil = (
            oracle.frozen_logit(write, residual, tokens[i])
            for tokens in (prompts.answers, prompts.foils)
        )
        return answer - foil

    with torch.no_grad():
        per_head = [
            mean_over(written(after[i], i, *pair) - written(traces[i], i, *pair) for i in range(N))
            for pair in PAIRS
        ]
    assert min(map(abs, per_head)) > 1e-3
    assert agrees(measured(self_repair(DUPLICATE, MOVERS, to=mean(ABC))), sum(per_head))
    each = measured(self_repair(DUPLICATE, MOVERS.each, to=mean(ABC)))
    assert [part.value for part in each.parts] == pytest.approx(per_head, rel=1e-3, abs=1e-5)


def test_attention_logit_correlation(measured, traces, dataset, oracle):
    where, ids = dataset.prompts.positions, dataset.prompts.ids

    def points(layer, head):
        for i, trace in enumerate(traces):
            end = where[END][i]
            row = trace.pattern[layer][head, end]
            for name in ([IO], [S1, S2]):
                looked = sum(float(row[where[at][i]]) for at in name)
                token = ids[i][where[name[0]][i]]
                yield looked, oracle.direct_logit(trace, layer, head, end, token)

    per_head = [np.corrcoef(np.array(list(points(*pair))).T)[0, 1] for pair in PAIRS]
    assert agrees(measured(attention_logit_correlation(MOVERS.mean)), mean_over(per_head))


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("reads", ["first block", "own input"])
def test_copy_score(measured, traces, dataset, oracle, negative, reads):
    score = negative_copy_score if negative else copy_score
    where, ids = dataset.prompts.positions[IO], dataset.prompts.ids
    ranks = [
        oracle.copy_rank(
            trace,
            *(layer, head, where[i], ids[i][where[i]]),
            negative=negative,
            first_block=reads == "first block",
        )
        for layer, head in PAIRS
        for i, trace in enumerate(traces)
    ]
    top = sorted(ranks)[len(ranks) // 2] + 1  # so that some are hits and some are not
    truth = mean_over([rank < top for rank in ranks])
    assert 0 < truth < 1
    assert agrees(measured(score(MOVERS.mean, top=top, reads=reads)), truth)


def stripes(model, oracle, k):
    """The three scores of head 1.2 on random tokens that are repeated after k."""
    prompts = RepeatedTokens(length=k).draw(model.tokenizer, N, SEED).prompts
    patterns = [oracle.run(ids).pattern[1][2] for ids in prompts.ids]
    return {
        previous_token_score: mean_over(
            float(p[i, i - 1]) for p in patterns for i in range(1, 2 * k)
        ),
        duplicate_token_score: mean_over(float(p[k + i, i]) for p in patterns for i in range(k)),
        induction_score: mean_over(float(p[k + i, i + 1]) for p in patterns for i in range(k)),
    }


def test_token_scores_on_random_tokens(measured, model, oracle):
    role = heads("1.2", at=S2)
    by_period = {k: stripes(model, oracle, k) for k in (6, 10, 14, 24)}
    for score, truth in by_period[10].items():
        assert agrees(measured(score(role, period=10)), truth)
        assert agrees(measured(score(role)), mean_over(each[score] for each in by_period.values()))


def test_token_scores_on_the_task_are_attention(measured):
    assert (
        measured(induction_score(DUPLICATE.mean, on="task")).value
        == measured(attention(DUPLICATE.mean, to=S1_NEXT)).value
    )


NODES = {(0, 1, S2), (1, 0, S2)}


def gaps_without(oracle, prompts, nodes, replacements, *, outside=False):
    traces = (
        knocked_out(oracle, prompts, i, nodes, by, outside=outside)
        for i, by in enumerate(replacements)
    )
    return [difference(trace, prompts, i) for i, trace in enumerate(traces)]


def test_knock_out_by_mean_and_zero(measured, traces, dataset, oracle, means):
    prompts = dataset.prompts
    full = mean_over(difference(trace, prompts, i) for i, trace in enumerate(traces))
    by_mean = mean_over(gaps_without(oracle, prompts, NODES, means))
    zeros = [[torch.zeros_like(z) for z in each] for each in means]
    by_zero = mean_over(gaps_without(oracle, prompts, NODES, zeros))
    assert agrees(measured(knock_out_effect(DUPLICATE, to=mean(ABC))), full - by_mean)
    assert agrees(measured(knock_out_effect(DUPLICATE, to=zero())), full - by_zero)
    assert agrees(measured(knock_out_share(DUPLICATE, to=mean(ABC))), by_mean / full, of=full)


def test_knock_out_by_resampling(measured, dataset, oracle):
    prompts, source = dataset.prompts, dataset.distribution(ABC)
    chosen = partners(source, SEED)
    assert all(i != j and source.groups[i] == source.groups[j] for i, j in enumerate(chosen))
    others = [oracle.run(source.ids[j]).z for j in chosen]
    truth = mean_over(gaps_without(oracle, prompts, NODES, others))
    assert agrees(measured(logit_difference(under=knock_out(DUPLICATE, to=resample(ABC)))), truth)


def test_attention_under_a_knock_out(measured, dataset, oracle, means):
    prompts = dataset.prompts
    traces = [knocked_out(oracle, prompts, i, NODES, by) for i, by in enumerate(means)]
    where = prompts.positions
    truth = mean_over(
        float(t.pattern[2][1, where[END][i], where[S2][i]]) for i, t in enumerate(traces)
    )
    under = knock_out(DUPLICATE, to=mean(ABC))
    assert agrees(measured(attention(heads("2.1", at=END), to=S2, under=under)), truth)


def test_faithfulness(measured, traces, dataset, oracle, means):
    prompts = dataset.prompts
    whole = circuit(MOVERS, DUPLICATE)
    nodes = NODES | {(layer, head, END) for layer, head in PAIRS}
    full = [difference(trace, prompts, i) for i, trace in enumerate(traces)]
    kept = gaps_without(oracle, prompts, nodes, means, outside=True)
    gap = mean_over(abs(a - b) for a, b in zip(full, kept, strict=True))
    ratio, of = mean_over(kept) / mean_over(full), mean_over(full)
    assert agrees(measured(faithfulness(whole, to=mean(ABC))), ratio, of=of)
    difference_ = measured(faithfulness(whole, to=mean(ABC), form="difference"))
    assert agrees(difference_, abs(mean_over(full) - mean_over(kept)))
    assert agrees(measured(faithfulness(whole, to=mean(ABC), form="per prompt")), gap)
    assert not math.isclose(mean_over(kept), mean_over(full), rel_tol=1e-2)
