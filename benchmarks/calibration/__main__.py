"""Measure how often intervals cover and claims are decided wrongly; write docs/calibration.*.

`make calibration`. Everything is drawn from the stated seed; about twenty minutes on one core.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from alternatives import alternatives, tails
from covered import Row, coverage
from decisions import at_the_threshold, cost, equivalents, families
from fresh import fresh
from page import (
    alternatives_table,
    between_table,
    cost_table,
    coverage_table,
    equivalence_table,
    family_table,
    filled,
    fresh_table,
    reference_table,
    tails_table,
    threshold_table,
    together_table,
    unvaried_table,
)
from plot import svg
from reference import on_reference
from smollm2 import between_seeds
from together import together
from unvaried import unvaried

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Run all simulations and write what they say."""
    arguments = _arguments()
    if arguments.smollm2:
        _on_smollm2(arguments)
        return
    started = time.monotonic()
    covered: list[Row] = []
    for row in coverage(arguments.suites, arguments.seed):
        covered.append(row)
        print(f"{row.n:4} {row.kind}: {row.name}: {100 * row.coverage:.1f} %", flush=True)
    found = {
        "alternatives": list(alternatives(arguments.decisions, arguments.seed)),
        "tails": list(tails(4 * arguments.suites, arguments.seed)),
        "threshold": list(at_the_threshold(arguments.decisions, arguments.seed)),
        "cost": list(cost(arguments.decisions, arguments.seed)),
        "families": list(families(arguments.decisions, arguments.seed)),
        "equivalence": list(equivalents(arguments.decisions, arguments.seed)),
        "reference": list(on_reference(arguments.decisions, arguments.seed)),
        "together": list(together(40 * arguments.decisions, arguments.seed)),
        "unvaried": list(unvaried(arguments.decisions // 2, arguments.seed)),
        "fresh": list(fresh(arguments.fresh, arguments.seed)),
    }
    results = {
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - started),
        "coverage": [asdict(row) for row in covered],
        **{name: [asdict(row) for row in rows] for name, rows in found.items()},
    }
    _keep(arguments, results)
    (arguments.out / "calibration.svg").write_text(svg(covered))
    page = arguments.out / "calibration.md"
    tables = {
        "coverage": coverage_table(covered),
        "alternatives": alternatives_table(found["alternatives"]),
        "tails": tails_table(found["tails"]),
        "threshold": threshold_table(found["threshold"]),
        "cost": cost_table(found["cost"]),
        "families": family_table(found["families"]),
        "equivalence": equivalence_table(found["equivalence"]),
        "reference": reference_table(found["reference"]),
        "together": together_table(found["together"]),
        "unvaried": unvaried_table(found["unvaried"]),
        "fresh": fresh_table(found["fresh"]),
    }
    page.write_text(filled(page.read_text(), tables))


def _on_smollm2(arguments: argparse.Namespace) -> None:
    rows = list(between_seeds(arguments.smollm2))
    _keep(arguments, {"between": [asdict(row) for row in rows]})
    page = arguments.out / "calibration.md"
    page.write_text(filled(page.read_text(), {"between": between_table(rows)}))


def _keep(arguments: argparse.Namespace, results: dict[str, object]) -> None:
    """Write what was measured, beside what other parts measured before."""
    path = arguments.out / "calibration.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | results, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suites", type=int, default=5000, help="simulated suites per interval")
    parser.add_argument("--decisions", type=int, default=2000, help="per decision rule")
    parser.add_argument("--fresh", type=int, default=100, help="suites of fresh seeds, run anew")
    parser.add_argument("--smollm2", type=int, default=0, help="that part alone, so many seeds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=DOCS, help="holds calibration.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
