"""A tiny model, and the count of what goes through it."""

import pytest
from tiny import save_llama

from pytest_circuits import load_model
from pytest_circuits.engine.anatomy import Anatomy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_llama(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(folder):
    return load_model(str(folder), progress=False)


@pytest.fixture
def worlds(monkeypatch):
    """The number of prompts in every full run of a batch, in order; the self-check's left out."""
    sizes, embedded, prepare = [], Anatomy.embedded, Anatomy.prepare

    def counted(self, frame):
        sizes.append(len(frame.tokens))
        return embedded(self, frame)

    def uncounted(self, width):
        before = list(sizes)
        prepare(self, width)
        sizes[:] = before

    monkeypatch.setattr(Anatomy, "embedded", counted)
    monkeypatch.setattr(Anatomy, "prepare", uncounted)
    return sizes
