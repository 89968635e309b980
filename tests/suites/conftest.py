"""Evaluating a whole suite module on a model, outside pytest's collection."""

import importlib.util
from pathlib import Path

import pytest

from pytest_circuits import Claim, Rules, Suite
from pytest_circuits.deciding import Entry, decide
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw
from pytest_circuits.verdicts import Verdict

CIRCUITS = Path(__file__).parents[2] / "circuits"


def read_suite(name):
    """Return a suite file's claims by name, and its Suite."""
    spec = importlib.util.spec_from_file_location(name, CIRCUITS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = vars(module)
    claims = {key: value for key, value in values.items() if isinstance(value, Claim)}
    return claims, next(value for value in values.values() if isinstance(value, Suite))


def statuses(name, model, *, prompts, seed=1, leave_out=()):
    """Return each claim's status on the model, decided alone; "error" where it cannot be."""
    claims, suite = read_suite(name)
    alone = Rules(correction="none", first=None)
    draw = Draw(task=suite.task, n=prompts, seed=seed)
    entries = {
        key: Entry(claim=claim, draw=draw, rules=alone)
        for key, claim in claims.items()
        if key not in leave_out
    }
    found = decide(Evaluation(model, ()), tuple(entries.values()))
    return {key: _status(found[entry]) for key, entry in entries.items()}


def _status(outcome):
    return outcome.status if isinstance(outcome, Verdict) else "error"


@pytest.fixture(scope="session")
def evaluate():
    return statuses


@pytest.fixture(scope="session")
def suite_of():
    return read_suite
