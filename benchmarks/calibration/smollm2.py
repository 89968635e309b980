"""SmolLM2's own suite with a fresh seed per draw: how far values move between seeds."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytest_circuits import IOI, load_model
from pytest_circuits.estimates import Part
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.readings import Draw
from pytest_circuits.statistics.special import student_quantile

CIRCUITS = Path(__file__).parents[2] / "circuits"
PROMPTS = 128
STRATA = 32  # 16 templates, each in both orders
# No seed of these has been looked at for the suite.
FIRST_SEED = 5000

CLAIMS = (
    "io_is_preferred_clearly",
    "io_is_likely",
    "name_movers_write_for_io",
    "negative_name_mover_attends_to_io",
    "s_inhibition_is_needed",
    "s_inhibition_is_needed_not_zero",
    "s_inhibition_is_needed_not_resampled",
    "circuit_is_faithful",
    "circuit_is_faithful_per_prompt",
    "name_movers_write_directly",
    "s_inhibition_acts_through_name_movers_queries",
    "s_inhibition_carries_position",
    "negative_name_mover_repairs",
    "head_20_0_matters",
)


@dataclass(frozen=True)
class Between:
    """A measure of the suite on draws of different seeds.

    `spread` between seeds over the standard error that 95 % intervals come to; `clustered`: how
    many times as wide intervals for other wordings are.
    """

    name: str
    seeds: int
    value: float
    spread: float
    ratio: float
    clustered: float


def between_seeds(seeds: int) -> Iterator[Between]:
    """Yield the measures of some claims, the first part of each."""
    sys.path.insert(0, str(CIRCUITS))
    import ioi_smollm2_135m as suite

    model = load_model("smollm2-135m", progress=False)
    measures = {name: getattr(suite, name).measure for name in CLAIMS}
    found: dict[str, list[tuple[Part, Part]]] = {name: [] for name in measures}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        draw = Draw(task=IOI(), n=PROMPTS, seed=seed)
        evaluation = Evaluation(model, [(measure, draw) for measure in measures.values()])
        for name, measure in measures.items():
            both = (evaluation.estimate(measure, draw, clustered=each) for each in (False, True))
            found[name].append(tuple(each.parts[0] for each in both))  # type: ignore[arg-type]
        print(f"seed {seed}", flush=True)
    yield from (_between(name, pairs) for name, pairs in found.items())


def _between(name: str, pairs: list[tuple[Part, Part]]) -> Between:
    same, other = (np.array([p.high - p.low for p in each]) for each in zip(*pairs, strict=True))
    errors = same / 2 / student_quantile(0.025, PROMPTS - STRATA)
    values = np.array([part.value for part, _ in pairs])
    spread = float(values.std(ddof=1))
    return Between(
        name=name,
        seeds=len(pairs),
        value=float(values.mean()),
        spread=spread,
        ratio=spread / float(np.sqrt((errors**2).mean())),
        clustered=float((other / same).mean()),
    )
