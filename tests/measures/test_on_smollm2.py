"""The real model (RMSNorm, rotary, grouped queries) against plain hooks, to 1e-4 relative."""

import pytest
from oracle import Oracle, difference, knocked_out, mean_over, template_means

from pytest_circuits import (
    ABC,
    END,
    IO,
    IOI,
    S2,
    attention,
    check_all,
    circuit,
    copy_score,
    direct_logit_attribution,
    faithfulness,
    heads,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
)
from pytest_circuits.models.source import find_source

pytestmark = pytest.mark.slow

N, SEED = 4, 3
MOVERS = heads("21.3", "25.7", at=END)
EARLIER = heads("12.4", at=S2)


@pytest.fixture(scope="module")
def model():
    return load_model("smollm2-135m", progress=False)


@pytest.fixture(scope="module")
def oracle(model):
    return Oracle(find_source("smollm2-135m", cache_dir=None, progress=False).folder)


def test_one_evaluation_agrees_with_the_oracle(model, oracle):
    dataset = IOI().draw(model.tokenizer, N, SEED)
    prompts, abc = dataset.prompts, dataset.distribution(ABC)
    traces = [oracle.run(ids) for ids in prompts.ids]
    by_group = template_means(oracle, abc)
    means = [by_group[group] for group in abc.groups]
    where = prompts.positions

    def written(i, layer, head, token):
        return oracle.direct_logit(traces[i], layer, head, where[END][i], token)

    def gaps(nodes, *, outside=False):
        for i, by in enumerate(means):
            yield difference(
                knocked_out(oracle, prompts, i, nodes, by, outside=outside), prompts, i
            )

    pairs = [(21, 3), (25, 7)]
    full = mean_over(difference(trace, prompts, i) for i, trace in enumerate(traces))
    nodes = {(12, 4, S2), (21, 3, END), (25, 7, END)}
    ranks = [
        oracle.copy_rank(
            trace, 25, 7, where[IO][i], prompts.answers[i], negative=False, first_block=False
        )
        for i, trace in enumerate(traces)
    ]
    top = sorted(ranks)[N // 2]
    effect = knock_out_effect(EARLIER, to=mean(ABC))
    truths = {
        logit_difference(): full,
        attention(MOVERS.mean, to=IO): mean_over(
            float(t.pattern[layer][head, where[END][i], where[IO][i]])
            for i, t in enumerate(traces)
            for layer, head in pairs
        ),
        direct_logit_attribution(MOVERS.sum): mean_over(
            sum(
                written(i, *pair, prompts.answers[i]) - written(i, *pair, prompts.foils[i])
                for pair in pairs
            )
            for i in range(N)
        ),
        effect: full - mean_over(gaps({(12, 4, S2)})),
        faithfulness(circuit(MOVERS, EARLIER), to=mean(ABC)): mean_over(gaps(nodes, outside=True))
        / full,
        copy_score(heads("25.7", at=END), top=max(top, 1), reads="own input"): mean_over(
            rank < max(top, 1) for rank in ranks
        ),
    }
    claims = [measure > -9 if measure.bounds()[0] < -9 else measure > 0 for measure in truths]
    verdicts = check_all(claims, model, prompts=N, seed=SEED)
    for verdict, truth in zip(verdicts, truths.values(), strict=True):
        # A difference of two numbers near 5 is known no better than either.
        slack = 1e-5 * abs(full) if verdict.claim.measure == effect else 1e-6
        assert verdict.estimate.value == pytest.approx(truth, rel=1e-4, abs=slack), verdict
