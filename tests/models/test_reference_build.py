"""How `reference-ioi` is built: zero where nothing is planned, the same bytes twice, its words."""

import itertools
import os
import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.reference import (
    REFERENCE_DECOYS,
    REFERENCE_ROLES,
    Vocabulary,
    write_reference,
)
from pytest_circuits.models.reference.codes import N_CODES, sign_code
from pytest_circuits.models.reference.layout import D_HEAD, N_HEADS, N_LAYERS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    write_reference(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return AutoModelForCausalLM.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder)


def test_heads_without_a_plan_are_zero(model):
    placed = {h for p in (*REFERENCE_ROLES.values(), *REFERENCE_DECOYS.values()) for h in p.heads}
    assert len(placed) == 17
    for layer, head in set(itertools.product(range(N_LAYERS), range(N_HEADS))) - placed:
        weight = model.transformer.h[layer].attn.c_proj.weight
        assert not weight[head * D_HEAD : (head + 1) * D_HEAD].any()


def test_build_is_deterministic(tmp_path, folder):
    state = torch.random.get_rng_state()
    write_reference(tmp_path)
    assert torch.equal(state, torch.random.get_rng_state())
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()


def test_tokenizer(tokenizer):
    text = "Late on Monday, Mary and John walked"
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    words = [text[start:end] for start, end in encoded["offset_mapping"]]
    assert words == ["Late", "on", "Monday", ",", "Mary", "and", "John", "walked"]
    assert tokenizer.convert_ids_to_tokens(encoded["input_ids"]) == words
    assert tokenizer(text)["input_ids"] == encoded["input_ids"]
    assert tokenizer("xyzzy")["input_ids"] == [tokenizer.unk_token_id]
    assert tokenizer.bos_token == tokenizer.eos_token == "<|bos|>"


def test_codes_are_nearly_orthogonal():
    codes = torch.tensor([sign_code(index) for index in range(N_CODES)])
    cosines = codes @ codes.T
    assert set(cosines.round(decimals=3).unique().tolist()) == {-0.25, 0.0, 0.25, 1.0}
    assert torch.allclose(cosines[:32, :32], torch.eye(32), atol=1e-6)


def test_unknown_role(tmp_path):
    with pytest.raises(CircuitUsageError, match="Did you mean 'name mover'"):
        write_reference(tmp_path, without=frozenset({"name movers"}))


def test_too_many_words():
    words = tuple(f"word{i}" for i in range(N_CODES))
    with pytest.raises(ValueError, match="1126 tokens, more than 1024 codes"):
        Vocabulary(names=("Mary",), others=words[:-1]).tokens()


def test_import_needs_no_torch():
    code = (
        "import sys, pytest_circuits.models.reference as r; r.REFERENCE_ROLES['induction'];"
        "sys.exit(int('torch' in sys.modules or 'transformers' in sys.modules))"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
