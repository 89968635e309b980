"""What a claim costs: loading, one forward pass, each measure on top of it. Run by `make bench`.

Every row is to be read as a ratio to `test_plain_forward`, the same prompts through
TransformerLens's own bridge in the same run; the number of our passes stands in `extra_info`.
"""

import pytest
import torch
from transformer_lens.model_bridge import TransformerBridge

from pytest_circuits import (
    ABC,
    END,
    IO,
    IOI,
    S2,
    answer_preferred,
    attention,
    attention_logit_correlation,
    check_all,
    circuit,
    copy_score,
    direct_logit_attribution,
    faithfulness,
    heads,
    induction_score,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    resample,
    zero,
)
from pytest_circuits.engine.hooked import padded
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw

PROMPTS, ROUNDS = 64, 2
MOVERS = heads("21.3", "23.0", at=END)
EARLIER = heads("12.4", at=S2)
ALL_HEADS = heads(*(f"{layer}.{head}" for layer in range(30) for head in range(9)), at=END)
DRAW = Draw(task=IOI(), n=PROMPTS, seed=0)
MEASURES = {
    "logit difference": logit_difference(),
    "share preferred": answer_preferred(),
    "attention": attention(MOVERS.mean, to=IO),
    "attention of all heads": attention(ALL_HEADS.each, to=IO),
    "direct attribution": direct_logit_attribution(MOVERS.sum),
    "direct attribution of all heads": direct_logit_attribution(ALL_HEADS.each),
    "correlation": attention_logit_correlation(MOVERS.mean),
    "copy score": copy_score(MOVERS.each),
    "induction score": induction_score(EARLIER),
    "knock-out, zero": knock_out_effect(EARLIER, to=zero()),
    "knock-out, mean": knock_out_effect(EARLIER, to=mean(ABC)),
    "knock-out, resample": knock_out_effect(EARLIER, to=resample(ABC)),
    "faithfulness": faithfulness(circuit(MOVERS, EARLIER), to=mean(ABC)),
}

OTHER_PASSES = ("knock-out", "faithfulness", "induction")


@pytest.mark.benchmark(group="load")
def test_load(benchmark, model):
    """A later load, torch and transformer_lens imported."""
    benchmark.pedantic(load_model, ("smollm2-135m",), {"progress": False}, rounds=ROUNDS)


@pytest.mark.benchmark(group="forward")
def test_plain_forward(benchmark, model):
    """The yardstick: one forward of the same prompts, TransformerLens alone."""
    assert isinstance(model.bridge, TransformerBridge)
    prompts = DRAW.task.draw(model.tokenizer, PROMPTS, 0).prompts
    tokens = padded(prompts, range(PROMPTS), model.device)

    def forward():
        with torch.no_grad():
            return model.bridge(tokens)

    benchmark.pedantic(forward, rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.benchmark(group="forward")
def test_ten_claims_over_one_cache(benchmark, model):
    """Ten claims that read one pass."""
    names = [name for name in MEASURES if not name.startswith(OTHER_PASSES)]
    claims = [MEASURES[name] >= 0 for name in names]
    claims += [attention(MOVERS.mean, to=S2) >= 0.001, attention(EARLIER, to=IO) >= 0.001]
    assert len(claims) == 10
    benchmark.pedantic(check_all, (claims, model), {"prompts": PROMPTS}, rounds=ROUNDS)


@pytest.mark.benchmark(group="measure, each alone with the passes it needs")
@pytest.mark.parametrize("name", MEASURES)
def test_measure(benchmark, model, name):
    """One measure on its own, nothing shared."""

    def evaluate():
        evaluation = Evaluation(model, [(MEASURES[name], DRAW)])
        evaluation.estimate(MEASURES[name], DRAW)
        return evaluation.passes

    passes = benchmark.pedantic(evaluate, rounds=ROUNDS)
    benchmark.extra_info["passes"] = len(passes)
