"""Models under the engine and, from the same folders, under the oracle."""

import pytest
from oracle import Oracle
from tiny import save_gpt2, save_llama

from pytest_circuits import IOI, load_model


@pytest.fixture(scope="session", params=[save_gpt2, save_llama], ids=["gpt2", "llama-gqa"])
def folder(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def model(folder):
    return load_model(str(folder), progress=False)


@pytest.fixture(scope="session")
def oracle(folder):
    return Oracle(folder)


@pytest.fixture(scope="session")
def dataset(model):
    return IOI().draw(model.tokenizer, 32, 5)
