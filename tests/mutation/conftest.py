"""Tiny models of every family that can be sabotaged, each loaded once."""

import pytest
import tiny

from pytest_circuits import load_model

FAMILIES = {**tiny.FAMILIES, "neox": tiny.save_neox, "gptj": tiny.save_gptj}


@pytest.fixture(scope="session", params=FAMILIES)
def any_model(request, tmp_path_factory):
    return load_model(FAMILIES[request.param](tmp_path_factory.mktemp("any") / "m"), progress=False)


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory):
    return load_model(tiny.save_gpt2(tmp_path_factory.mktemp("gpt2") / "m"), progress=False)


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    """Six query heads in two groups."""
    return load_model(tiny.save_llama(tmp_path_factory.mktemp("llama") / "m"), progress=False)


@pytest.fixture(scope="session")
def reference():
    return load_model("reference-ioi", progress=False)
