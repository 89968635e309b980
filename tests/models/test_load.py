"""Folders and packaged models load into a read-only bridge that computes what HF computes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.load import load_model


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_folder_computes_what_the_saved_model_computes(kind, checkpoint):
    import torch

    folder, saved = checkpoint(kind)
    model = load_model(folder, progress=False)
    tokens = torch.tensor([[2, 3, 4, 5, 6]])
    torch.testing.assert_close(model.bridge(tokens), saved(tokens).logits, atol=1e-5, rtol=0)


def test_the_loaded_model_is_read_only(gpt2_folder):
    model = load_model(str(gpt2_folder), progress=False)
    assert not model.bridge.training
    assert not any(parameter.requires_grad for parameter in model.bridge.parameters())
    assert (model.n_layers, model.n_heads) == (2, 2)


def test_the_tokenizer_adds_nothing_of_its_own(gpt2_folder):
    model = load_model(gpt2_folder, progress=False)
    assert model.tokenizer("Mary gave")["input_ids"] == [2, 4]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_come_in_the_asked_dtype(dtype, gpt2_folder):
    import torch

    model = load_model(gpt2_folder, dtype=dtype, progress=False)
    assert {parameter.dtype for parameter in model.bridge.parameters()} == {getattr(torch, dtype)}
    assert model.dtype == dtype


def test_the_dtype_is_no_part_of_the_fingerprint(gpt2_folder):
    half = load_model(gpt2_folder, dtype="bfloat16", progress=False)
    assert half.fingerprint == load_model(gpt2_folder, progress=False).fingerprint


def test_provenance_names_the_folder(gpt2_folder):
    assert load_model(gpt2_folder, progress=False).provenance == f"local folder {gpt2_folder}"


def test_nothing_is_printed_without_progress(gpt2_folder, capfd):
    load_model(gpt2_folder, progress=False)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_dtype_names_the_known_ones(gpt2_folder):
    with pytest.raises(CircuitUsageError, match="Known: float32, bfloat16, float16"):
        load_model(gpt2_folder, dtype="float64")


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99"])
def test_an_unusable_device_names_the_usable_ones(device, gpt2_folder):
    with pytest.raises(CircuitUsageError, match=f"unknown device '{device}'.*Known: cpu"):
        load_model(gpt2_folder, device=device)


@pytest.mark.slow
def test_smollm2_loads_from_its_package():
    import torch

    model = load_model("smollm2-135m")
    assert (model.n_layers, model.n_heads) == (30, 9)
    assert "dequantised" in model.provenance
    assert "Q4_1" in model.provenance
    prompt = "When Mary and John went to the store, John gave a drink to"
    tokens = torch.tensor([model.tokenizer(prompt)["input_ids"]])
    best = int(model.bridge(tokens)[0, -1].argmax())
    assert model.tokenizer.decode([best]) == " Mary"


def test_the_reference_and_a_sabotaged_one_differ(tmp_path):
    whole = load_model("reference-ioi", cache_dir=tmp_path, progress=False)
    spec = "reference-ioi:without=name mover,backup name mover"
    broken = load_model(spec, cache_dir=tmp_path, progress=False)
    assert whole.fingerprint != broken.fingerprint
    assert "without backup name mover, name mover" in broken.provenance


_LIGHT = (
    "import sys, {module}; print(sorted({{'torch', 'numpy', 'transformers'}} & {{*sys.modules}}))"
)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("pytest_circuits.models.load, pytest_circuits.models.wrap", "[]"),
        ("numpy", "['numpy']"),  # the check itself can fail
    ],
)
def test_importing_the_loader_imports_nothing_heavy(module, heavy):
    code = _LIGHT.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == heavy
