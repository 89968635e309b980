"""What the benchmarks share: the model, the unit of cost, and how a row is timed."""

from __future__ import annotations

from statistics import median

import pytest
import torch
from clock import BESIDE_CACHES, Plain
from rows import MODEL
from theirs import Theirs

from pytest_circuits import load_model


def pytest_addoption(parser):
    parser.addoption(
        "--full", action="store_true", help="run TransformerLens's sweeps whole, not on a sample"
    )


@pytest.fixture(scope="session")
def model():
    return load_model(MODEL, progress=False)


@pytest.fixture(scope="session")
def theirs(model):
    theirs = Theirs(model)
    theirs.forward()  # the first is slower than all others
    return theirs


@pytest.fixture
def plain(theirs):
    return Plain(theirs.bridge, theirs.tokens)


@pytest.fixture
def clock(monkeypatch):
    """The clock of our rows, made to stop where caches are made."""
    BESIDE_CACHES.install(monkeypatch)
    return BESIDE_CACHES


@pytest.fixture
def timed(benchmark, plain):
    """Time work, a plain forward before each round; `times` scales a sample to the whole."""

    def timed(work, *, row, who, rounds, times=1.0, prepare=None, **info):
        def setup():
            plain()
            return None if prepare is None else ((prepare(),), {})

        result = benchmark.pedantic(work, setup=setup, rounds=rounds)
        data = benchmark.stats.stats.data
        ratios = [took / unit for took, unit in zip(data, plain.seconds, strict=True)]
        benchmark.extra_info |= {
            "row": row,
            "who": who,
            "seconds": median(data) * times,
            "forwards": median(ratios) * times,
            "plain": median(plain.seconds),
            "scaled": times,
            **info,
        }
        return result

    return timed


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["threads"] = torch.get_num_threads()
