"""Several measures on one model and the same prompts, whatever a claim on them would say."""

from pytest_circuits import IOI
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw


def values(model, *measures, prompts=16, seed=2):
    """Return the values, from shared passes."""
    draw = Draw(task=IOI(), n=prompts, seed=seed)
    evaluation = Evaluation(model, [(measure, draw) for measure in measures])
    return [evaluation.estimate(measure, draw).value for measure in measures]
