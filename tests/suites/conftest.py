"""Evaluating a whole suite module on a model, outside pytest's collection."""

import importlib.util
from pathlib import Path

import pytest

from pytest_circuits import Claim, ClaimNotEvaluable, Suite
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
    """Return each claim's status on the model: a verdict's, or "error"; but for those left out."""
    claims, suite = read_suite(name)
    claims = {key: claim for key, claim in claims.items() if key not in leave_out}
    draw = Draw(task=suite.task, n=prompts, seed=seed)
    evaluation = Evaluation(model, [(claim.measure, draw) for claim in claims.values()])

    def status(claim):
        try:
            return evaluation.verdict(claim, draw).status
        except ClaimNotEvaluable:
            return "error"

    return {key: status(claim) for key, claim in claims.items()}


@pytest.fixture(scope="session")
def evaluate():
    return statuses


@pytest.fixture(scope="session")
def suite_of():
    return read_suite
