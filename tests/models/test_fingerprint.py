"""The fingerprint follows weights, config and tokenizer, and nothing else."""

from __future__ import annotations

import json
import shutil

import pytest

from pytest_circuits.models.fingerprint import fingerprint_folder
from pytest_circuits.models.load import load_model, wrap_model


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weight(folder):
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["transformer.wpe.weight"][3, 5] += 1e-6
    save_file(weights, file)


def rename_word(folder):
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"Mary"', '"Anna"'))


CHANGES = {
    "weight": edit_weight,
    "config": lambda folder: edit_json(folder / "config.json", layer_norm_epsilon=1e-4),
    "tokenizer": rename_word,
    "tokenizer settings": lambda f: edit_json(f / "tokenizer_config.json", eos_token="John"),
}
NOTES = {
    "transformers_version": "4.0.0",
    "_name_or_path": "/home/someone/runs/step100",
    "torch_dtype": "float32",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_model_changes_it(change, gpt2_folder):
    before = fingerprint_folder(gpt2_folder)
    change(gpt2_folder)
    assert fingerprint_folder(gpt2_folder) != before


@pytest.mark.parametrize("note", NOTES)
def test_a_note_of_the_writer_does_not(note, gpt2_folder):
    before = fingerprint_folder(gpt2_folder)
    edit_json(gpt2_folder / "config.json", **{note: NOTES[note]})
    edit_json(gpt2_folder / "tokenizer_config.json", transformers_version="4.0.0")
    assert fingerprint_folder(gpt2_folder) == before


def test_another_folder_does_not(gpt2_folder, tmp_path):
    copy = shutil.copytree(gpt2_folder, tmp_path / "elsewhere" / "step200")
    loaded = [load_model(folder, progress=False).fingerprint for folder in (gpt2_folder, copy)]
    assert loaded == [fingerprint_folder(gpt2_folder)] * 2


def test_formatting_of_json_does_not(gpt2_folder):
    before = fingerprint_folder(gpt2_folder)
    for file in gpt2_folder.glob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert fingerprint_folder(gpt2_folder) == before


def test_sharding_does_not(checkpoint, tmp_path):
    folder, model = checkpoint()
    before = fingerprint_folder(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="1KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert fingerprint_folder(folder) == before


def test_the_cached_model_has_that_of_a_copy(tmp_path):
    cached = load_model("reference-ioi", cache_dir=tmp_path / "cache", progress=False)
    (folder,) = (tmp_path / "cache").glob("reference-ioi-*")
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert load_model(copy, progress=False).fingerprint == cached.fingerprint


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_wrapped_model_has_that_of_its_folder(kind, checkpoint):
    folder, saved = checkpoint(kind)
    loaded = load_model(folder, progress=False)
    assert wrap_model(saved, loaded.tokenizer).fingerprint == loaded.fingerprint


def test_bridges_of_the_same_weights_have_the_same(gpt2_folder):
    loaded = [load_model(gpt2_folder, progress=False) for _ in range(2)]
    first, second = (wrap_model(model.bridge, model.tokenizer) for model in loaded)
    assert first.fingerprint == second.fingerprint


def test_a_wrapped_bridge_with_a_changed_weight_differs(checkpoint):
    loaded = load_model(checkpoint()[0], progress=False)
    before = wrap_model(loaded.bridge, loaded.tokenizer)
    loaded.bridge.blocks[0].ln1.weight.data[0] += 1
    assert wrap_model(loaded.bridge, loaded.tokenizer).fingerprint != before.fingerprint
