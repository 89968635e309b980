"""Every family under the oracle, on a few prompts."""

import pytest
from hooked_oracle import HookedOracle
from interventions_oracle import Truth
from small_circuit import ROW
from tiny import FAMILIES, TWO_LENGTHS, word_tokenizer


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory):
    return FAMILIES[request.param](tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def oracle(folder):
    return HookedOracle(folder)


@pytest.fixture(scope="module")
def truth(oracle):
    return Truth(oracle, TWO_LENGTHS.draw(word_tokenizer(), 4, 3), seed=3)


@pytest.fixture(scope="module")
def ids(truth):
    return truth.dataset.prompts.ids[ROW]


@pytest.fixture(scope="module")
def plain(truth):
    return truth.run(ROW)
