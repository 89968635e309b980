"""Evaluating a whole suite module on a model, outside pytest's collection."""

import importlib.util
from pathlib import Path

import pytest

from pytest_circuits import Claim, Suite
from pytest_circuits.deciding import statuses_alone
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw

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
    """Return each claim's status on the model, decided alone; "error" where it cannot be.

    Decided on as few of the prompts as that takes, as in any run.
    """
    claims, suite = read_suite(name)
    draw = Draw(task=suite.task, n=prompts, seed=seed)
    chosen = {key: (claim, draw) for key, claim in claims.items() if key not in leave_out}
    return statuses_alone(Evaluation(model, ()), chosen)


@pytest.fixture(scope="session")
def evaluate():
    return statuses


@pytest.fixture(scope="session")
def suite_of():
    return read_suite
