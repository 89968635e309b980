"""How many passes are made, in what batches, and what is refused instead of measured wrongly."""

import pytest
import torch
from tiny import save_llama

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    END,
    FLIP,
    IO,
    IOI,
    S1,
    S2,
    ClaimNotEvaluable,
    PromptTask,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    check_all,
    circuit,
    copy_score,
    direct_logit_attribution,
    faithfulness,
    heads,
    knock_out,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    measure,
    negative_copy_score,
    previous_token_score,
    prompt_task,
    resample,
    zero,
)
from pytest_circuits.engine import memory
from pytest_circuits.engine.references import TemplateMeans
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw

N = 24
MOVERS = heads("2.1", "1.3", at=END)
DRAW = Draw(task=IOI(), n=N, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_llama(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(folder):
    return load_model(str(folder), progress=False)


class Calls:
    """Counts the batches that enter the model."""

    def __init__(self, model, monkeypatch):
        self.sizes = []
        inner = model.bridge.run_with_hooks

        def counted(tokens, **options):
            self.sizes.append(len(tokens))
            return inner(tokens, **options)

        monkeypatch.setattr(model.bridge, "run_with_hooks", counted)


@pytest.fixture
def calls(model, monkeypatch):
    # The check that heads add up is made once per evaluation, on one prompt; not counted here.
    monkeypatch.setattr("pytest_circuits.engine.weights.ModelWeights._head_sum_error", 0.0)
    return Calls(model, monkeypatch)


TEN = [
    logit_difference() >= 0,
    answer_preferred() >= 0.5,
    answer_probability() >= 0,
    attention(MOVERS.mean, to=IO) >= 0,
    attention(MOVERS.each, to=S1) >= 0,
    attention(heads("0.1", at=S2), to=S1) >= 0,
    direct_logit_attribution(MOVERS.sum) >= 0,
    attention_logit_correlation(MOVERS.mean) >= 0,
    copy_score(MOVERS.mean) >= 0,
    negative_copy_score(MOVERS.mean, reads="own input") >= 0,
]


def test_ten_claims_over_one_cache_cost_one_forward(model, calls):
    evaluation = Evaluation(model, [(claim.measure, DRAW) for claim in TEN])
    verdicts = [evaluation.verdict(claim, DRAW) for claim in TEN]
    assert len(verdicts) == 10
    assert [each.prompts for each in evaluation.passes] == [N]
    assert calls.sizes == [N]


def test_one_more_intervention_costs_one_more_forward(model, calls):
    under = knock_out(MOVERS, to=zero())
    claims = [
        *TEN,
        logit_difference(under=under) >= 0,
        attention(MOVERS.mean, to=IO, under=under) >= 0,
    ]
    check_all(claims, model, prompts=N)
    assert calls.sizes == [N, N]


def test_a_reference_is_collected_in_the_pass_its_distribution_makes_anyway(model, calls):
    claims = [
        logit_difference(on=ABC) >= 0,  # asked for first, so that ABC runs before it is needed
        knock_out_effect(MOVERS, to=mean(ABC)) >= 0,
        knock_out_effect(MOVERS, to=resample(ABC)) >= 0,
        faithfulness(circuit(MOVERS), to=mean(ABC)) >= 0,
    ]
    check_all(claims, model, prompts=N)
    assert len(calls.sizes) == 1 + 1 + 3  # ABC, IOI, three ablations


def test_a_reference_is_collected_once_whoever_comes_first(model, calls):
    claims = [knock_out_effect(MOVERS, to=mean(ABC)) >= 0, logit_difference(on=ABC) >= 0]
    check_all(claims, model, prompts=N)
    assert len(calls.sizes) == 3


def values(verdicts):
    return [part.value for verdict in verdicts for part in verdict.estimate.parts]


ABLATIONS = [
    knock_out_effect(MOVERS, to=mean(ABC)) >= 0,
    knock_out_effect(MOVERS, to=resample(ABC)) >= 0,
    faithfulness(circuit(MOVERS), to=mean(ABC), form="per prompt") >= 0,
    previous_token_score(MOVERS.mean) >= 0,
]


def test_batches_bounded_by_memory_change_no_number(model, calls):
    whole = values(check_all([*TEN, *ABLATIONS], model, prompts=N))
    assert max(calls.sizes) == N
    calls.sizes.clear()
    small = values(check_all([*TEN, *ABLATIONS], model, prompts=N, memory=2_500_000))
    assert max(calls.sizes) < N
    assert small == pytest.approx(whole, rel=1e-5, abs=1e-6)


def test_a_budget_below_one_prompt_is_said_to_be_too_small(model):
    with pytest.raises(ClaimNotEvaluable, match=r"one prompt needs about .* --circuit-memory"):
        measure(model, logit_difference(), prompts=N, memory=1000)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["cuda", "python", "cpu"],
)
def test_out_of_memory_halves_the_batch_and_goes_on(model, monkeypatch, error):
    claims = [logit_difference() >= 0, *ABLATIONS]
    truth = values(check_all(claims, model, prompts=N))
    inner, sizes = model.bridge.run_with_hooks, []

    def starved(tokens, **options):
        sizes.append(len(tokens))
        if len(tokens) > 6:
            raise error
        return inner(tokens, **options)

    monkeypatch.setattr(model.bridge, "run_with_hooks", starved)
    assert values(check_all(claims, model, prompts=N)) == pytest.approx(truth, rel=1e-5, abs=1e-6)
    assert sizes[:4] == [N, N // 2, N // 4, N // 4]


def test_out_of_memory_while_a_reference_is_collected_counts_no_row_twice(model, monkeypatch):
    claim = knock_out_effect(MOVERS, to=mean(ABC)) >= 0
    truth = values(check_all([claim], model, prompts=N))
    inner, calls_ = TemplateMeans.add, []

    def failing(self, batch, layer):
        calls_.append((len(batch.index), layer))
        if len(calls_) == 2:
            raise MemoryError
        inner(self, batch, layer)

    monkeypatch.setattr(TemplateMeans, "add", failing)
    assert values(check_all([claim], model, prompts=N)) == pytest.approx(truth, rel=1e-5)
    assert [size for size, _ in calls_[:3]] == [N, N, N // 2]


def test_out_of_memory_with_one_prompt_is_not_evaluable(model, monkeypatch):
    def starved(tokens, **options):
        raise MemoryError

    monkeypatch.setattr(model.bridge, "run_with_hooks", starved)
    with pytest.raises(ClaimNotEvaluable, match="single prompt"):
        measure(model, logit_difference(), prompts=N)


def test_other_errors_are_not_taken_for_lack_of_memory():
    def broken(rows):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        memory.in_batches(range(4), 4, broken, print)


@pytest.mark.parametrize(("role", "named"), [("40.0", "40.0"), ("0.6", "0.6")])
def test_a_head_the_model_lacks_is_refused(model, role, named):
    lacking = heads(role, at=END)
    measures = (
        attention(lacking, to=IO),
        logit_difference(under=knock_out(lacking, to=zero())),
    )
    for each in measures:
        with pytest.raises(ClaimNotEvaluable, match=f"no head {named}: .* layers 0 to 2"):
            measure(model, each, prompts=N)


def test_a_position_nobody_knows_is_refused_with_the_known_ones(model):
    lost = heads("1.1", at="S3")
    for each in (
        attention(MOVERS.mean, to="S3"),
        logit_difference(under=knock_out(lost, to=zero())),
    ):
        with pytest.raises(ClaimNotEvaluable, match=r"'S3'.*Known: IO, S1, S1\+1, S2, END"):
            measure(model, each, prompts=N)


def test_a_claim_that_cannot_be_evaluated_costs_the_others_nothing(model, calls):
    bad = attention(MOVERS.mean, to="S3") >= 0
    worse = attention(heads("40.0", at=END), to=IO) >= 0
    evaluation = Evaluation(model, [(c.measure, DRAW) for c in (bad, worse, *TEN)])
    for claim in (bad, worse):
        with pytest.raises(ClaimNotEvaluable):
            evaluation.verdict(claim, DRAW)
    for claim in TEN:
        evaluation.verdict(claim, DRAW)
    assert calls.sizes == [N]


@pytest.mark.parametrize("over", ["IOI", FLIP])
@pytest.mark.parametrize("reference", [mean, resample], ids=["mean", "resample"])
def test_a_reference_that_still_carries_the_task_is_refused(model, over, reference):
    with pytest.raises(ClaimNotEvaluable, match=f"{over} still carries the task.*: ABC"):
        measure(model, knock_out_effect(MOVERS, to=reference(over)), prompts=N)


def test_a_reference_that_does_not_align_is_refused(model):
    under = knock_out(MOVERS, to=mean(ABC))
    with pytest.raises(ClaimNotEvaluable, match="do not align token for token"):
        measure(model, logit_difference(on=DISTRACTOR, under=under), prompts=N)


def test_an_unknown_distribution_lists_the_known_ones(model):
    with pytest.raises(
        ClaimNotEvaluable, match=r"'ABD'. Did you mean 'ABC'\? Known: IOI, ABC, FLIP"
    ):
        measure(model, logit_difference(on="ABD"), prompts=N)


def test_logits_that_are_not_finite_are_an_error(folder):
    broken = load_model(str(folder), progress=False)
    with torch.no_grad():
        broken.bridge.blocks[1].attn.o.original_component.weight[0, 0] = float("nan")
    with pytest.raises(ClaimNotEvaluable, match=f"not finite .* on {N} of {N} prompts of IOI"):
        measure(broken, attention(MOVERS.mean, to=IO), prompts=N)


@pytest.mark.parametrize("dead", ["z", "pattern"])
def test_a_hook_that_never_fires_is_an_error(model, monkeypatch, dead):
    """Without the hook point nothing is read or changed: that must not pass for a result."""
    inner = model.bridge.run_with_hooks

    def deaf(tokens, fwd_hooks):
        heard = [hook for hook in fwd_hooks if not hook[0].endswith(f"hook_{dead}")]
        return inner(tokens, fwd_hooks=heard)

    monkeypatch.setattr(model.bridge, "run_with_hooks", deaf)
    needs_z = logit_difference(under=knock_out(MOVERS, to=zero()))
    with pytest.raises(ClaimNotEvaluable, match=f"never fired for Site.*{dead}"):
        measure(model, needs_z if dead == "z" else attention(MOVERS.mean, to=IO), prompts=N)


def test_logits_at_other_positions_are_never_taken_for_those_at_end(model, monkeypatch):
    inner = model.bridge.run_with_hooks
    monkeypatch.setattr(model.bridge, "run_with_hooks", lambda tokens, fwd_hooks: inner(tokens))
    with pytest.raises(ClaimNotEvaluable, match=r"never fired for Site.*logits"):
        measure(model, logit_difference(), prompts=N)


def test_a_bos_token_shifts_every_position_and_no_meaning(model):
    with_bos = measure(model, attention(MOVERS.mean, to=IO), task=IOI(bos="default"), prompts=N)
    without = measure(model, attention(MOVERS.mean, to=IO), prompts=N)
    assert "bos=default" in with_bos.method.task
    assert with_bos.value != without.value


def test_a_users_own_task_is_measured_like_any_other(model):
    rows = [
        {
            "text": f"One morning, {a} and {b} met near the lake. {b} offered a book to",
            "answer": f" {a}",
            "foil": f" {b}",
            "positions": {"IO": f"{a}#1", "S1": f"{b}#1", "S2": f"{b}#2"},
        }
        for a, b in [("Mary", "John"), ("Anna", "Peter"), ("Laura", "David")]
    ]
    task = prompt_task("calls", rows)
    assert isinstance(task, PromptTask)
    found = measure(model, attention(heads("1.1", at=S2), to=S1), task=task, prompts=3)
    assert found.n == 3
    assert "calls" in found.method.task
    with pytest.raises(ClaimNotEvaluable, match=r"'ABC'. Known: calls"):
        measure(
            model, logit_difference(under=knock_out(MOVERS, to=mean(ABC))), task=task, prompts=3
        )


def test_the_method_says_everything(model):
    found = measure(model, knock_out_effect(MOVERS, to=mean(ABC)), prompts=N, seed=7)
    method = found.method
    assert (method.n, method.seed, method.dtype, method.device) == (N, 7, "float32", "cpu")
    assert method.fingerprint == model.fingerprint
    assert "seed=7" in method.task
    assert "n=24" in method.task
    assert method.runs[0] == "IOI"
    assert "2.1, 1.3 -> mean over ABC per template and position" in method.runs[1]
    assert "bootstrap" in method.interval
