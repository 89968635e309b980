"""A tiny model, files with claims about it, and two ways to run pytest on them."""

import os
import subprocess
import sys

import pytest

HEADER = """\
from pytest_circuits import END, IO, Suite, attention, heads, logit_difference

suite = Suite(model={model!r}, prompts=8, source="this test")
look = attention(heads("0.1", at=END), to=IO)
"""

# Stands in for measuring, in processes of their own: 0.5 [0.4, 0.6], without loading torch.
CANNED = """\
import pytest

import pytest_circuits.evaluation
from pytest_circuits.estimates import Part
from pytest_circuits.models.base import Model
from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.verdicts import Estimate, Method


class Canned(Interval):
    method = "canned"
    point = 0.5

    def at(self, alpha):
        return 0.4, 0.6

    def p_above(self, bound):
        return 0.0 if bound <= 0.4 else 1.0

    def p_below(self, bound):
        return 0.0 if bound >= 0.6 else 1.0


class Evaluation:
    passes = ()

    def __init__(self, model, planned, **options):
        self.model = model

    def focus(self, wanted):
        pass

    def notes(self, claim, draw, prompts):
        return ()

    def fitted(self, draw):
        return draw

    def look(self, measure, draw, prompts, alpha, *, clustered=None):
        method = Method(
            task="canned", left_out=(), prompts_digest="0" * 16, n=draw.n, seed=draw.seed,
            runs=("IOI",),
            interval="95 % interval", model=self.model.spec, fingerprint="0" * 64,
            provenance=self.model.provenance, dtype="float32", device="cpu", engine="canned",
        )
        part = Part(label="", value=0.5, low=0.4, high=0.6)
        estimate = Estimate(
            measure=measure, parts=(part,), unit="attention", n=draw.n,
            by_head=(), texts=(), contributions=(), method=method,
        )
        return estimate, (Canned(),)


pytest_circuits.evaluation.Evaluation = Evaluation


def load(spec):
    return Model(
        spec=spec, bridge=None, tokenizer=None, fingerprint="0" * 64,
        provenance="canned", dtype="float32", device="cpu",
    )


@pytest.fixture(scope="session")
def circuit_load_model():
    return load
"""


class Provider:
    """Gives the tiny model for every spec, and remembers what it was asked for."""

    def __init__(self, model):
        self.model = model
        self.asked = []

    def pytest_circuits_load_model(self, spec):
        self.asked.append(spec)
        return self.model


# Other plugins of this environment; one of them imports a library anew at the end of each session.
OTHERS = "hypothesispytest jaxtyping typeguard anyio benchmark platformdirs"


@pytest.fixture(autouse=True)
def _without_other_plugins(request, monkeypatch):
    if "pytester" in request.fixturenames:
        request.getfixturevalue("pytester")  # which takes PYTEST_ADDOPTS away
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in OTHERS.split()))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    from tiny import save_gpt2

    return save_gpt2(tmp_path_factory.mktemp("models") / "tiny", layers=2, heads=2)


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    from pytest_circuits import load_model

    return load_model(tiny_folder, progress=False)


@pytest.fixture(scope="session")
def measured(tiny_model):
    """What `look` is on the tiny model with the prompts of HEADER's suite."""
    from pytest_circuits import END, IO, attention, heads, measure

    return measure(tiny_model, attention(heads("0.1", at=END), to=IO), prompts=8)


@pytest.fixture
def claims(pytester):
    """Return a function that writes a file of claims."""

    def write(text, *, model="tiny", file="circuits/x.py"):
        path = pytester.path / file
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(HEADER.format(model=model) + text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def provider(tiny_model, measured):
    return Provider(tiny_model)


@pytest.fixture
def run(pytester, provider):
    """Return a function that runs pytest in this process, where torch is loaded already."""
    return lambda *args: pytester.runpytest_inprocess(*args, plugins=[provider])


@pytest.fixture
def canned(pytester):
    """Let claims be judged on canned numbers, and return a function that runs a new process."""
    pytester.makeconftest(CANNED)
    return lambda *args, **options: run_process(pytester.path, *args, **options)


@pytest.fixture(scope="session")
def process():
    """Return the function that runs pytest in a process of its own."""
    return run_process


def run_process(folder, *args, **environment):
    """Return a finished `python -m pytest`: `returncode` and `stdout` (stderr included)."""
    kept = {key: value for key, value in os.environ.items() if "XDIST" not in key}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *map(str, args)],
        cwd=folder,
        env={**kept, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
