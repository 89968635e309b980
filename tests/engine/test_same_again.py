"""A run that is made again must give the same: what draws, or keeps count, is an error."""

import re
from dataclasses import replace

import pytest
import torch
from tiny import FAMILIES, TWO_LENGTHS, save_gemma2, save_gpt2, save_gptj

from pytest_circuits import ClaimNotEvaluable, load_model, logit_difference, measure
from pytest_circuits.engine import parity
from pytest_circuits.engine.parity import check_parity


class AlwaysDropout(torch.nn.Dropout):
    """Which is active in eval mode, too."""

    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.1, True)


class Noise(torch.nn.Module):
    def forward(self, x):
        return x + 1e-4 * torch.randn_like(x)


class Counting(torch.nn.Module):
    """Its output grows with the runs that were made."""

    runs = 0

    def forward(self, x):
        self.runs += 1
        return x * (1 + 1e-5 * self.runs)


@pytest.fixture
def model(tmp_path):
    return load_model(save_gpt2(tmp_path / "m"), progress=False)


@pytest.mark.parametrize("part", [AlwaysDropout, Noise, Counting])
def test_a_run_that_is_another_when_repeated_is_refused_with_the_difference(part, model):
    model.bridge.original_model.transformer.drop = part().eval()
    with pytest.raises(ClaimNotEvaluable, match=r"two runs .* differ by \d.*\(dropout") as caught:
        measure(model, logit_difference(), task=TWO_LENGTHS, prompts=4)
    assert float(re.search(r"differ by ([\d.e+-]+)", str(caught.value))[1]) > 0


@pytest.mark.parametrize("save", [*FAMILIES.values(), save_gemma2, save_gptj])
def test_on_a_cpu_a_model_is_never_refused_for_how_it_rounds(save, tmp_path):
    """Twenty runs, two threads."""
    model = load_model(save(tmp_path / "m"), progress=False)
    prompts = parity._prompts(model, 19)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, *others = (parity._by_bridge(model, prompts) for _ in range(20))
    finally:
        torch.set_num_threads(before)
    for other in others:
        parity.check_repeated(model, first, other)


def test_it_is_looked_at_again_where_prompts_are_longer(model):
    check_parity(model, 8)
    model.bridge.original_model.transformer.drop = Noise().eval()
    check_parity(model, 8)
    with pytest.raises(ClaimNotEvaluable, match="two runs"):
        check_parity(model, 9)


def test_elsewhere_rounding_is_allowed(model, monkeypatch):
    """Sums in another order: as wide as the dtype rounds, no wider."""
    elsewhere = replace(model, device="elsewhere:0")
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    parity.check_repeated(elsewhere, logits, logits + 1e-6)
    with pytest.raises(ClaimNotEvaluable, match=r"differ by 0\.00"):
        parity.check_repeated(elsewhere, logits, logits + 1e-3)
    with pytest.raises(ClaimNotEvaluable, match="two runs"):
        parity.check_repeated(model, logits, logits + 1e-5)
