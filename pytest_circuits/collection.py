"""Claims as pytest items: which files, which variables, one item per claim and model."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_circuits.options import Settings

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim, Suite
    from pytest_circuits.facts import Facts
    from pytest_circuits.readings import Draw
    from pytest_circuits.rules import Rules


@dataclass(frozen=True, kw_only=True)
class ClaimItem:
    """What an item stands for: a claim, the prompts it is about, the model it is checked on.

    `nodeid` is the item's own: under `--dist loadgroup` xdist appends the group to the item's.
    """

    claim: Claim
    draw: Draw
    rules: Rules
    spec: str | None
    nodeid: str
    facts: Facts

    @property
    def file(self) -> str:
        """The file whose suite the claim belongs to."""
        return self.nodeid.split("::")[0]


CLAIM = pytest.StashKey[ClaimItem]()


def is_claim(value: object) -> bool:
    """Return whether a value is a claim, without importing what claims are made of."""
    claims = sys.modules.get("pytest_circuits.claims")
    return claims is not None and isinstance(value, claims.Claim)


def is_claim_file(path: Path, globs: Iterable[str], *, python_files: Iterable[str]) -> bool:
    """Return whether to collect a file that pytest itself does not: it matches, and mentions us."""
    if path.suffix != ".py" or path.name == "conftest.py":
        return False
    if any(_is_python_file(path, pattern) for pattern in python_files):
        return False
    if not any(path.match(pattern) for pattern in globs):
        return False
    return "pytest_circuits" in path.read_text(encoding="utf-8", errors="replace")


def _is_python_file(path: Path, pattern: str) -> bool:
    """Return whether pytest's own rule for `python_files` takes the file."""
    return fnmatch(path.as_posix(), f"*/{pattern}") if "/" in pattern else path.match(pattern)


def claim_items(
    module: pytest.Module, name: str, claim: Claim, settings: Settings
) -> list[pytest.Item]:
    """Return an item per model: `name`, or `name[model]` for models named on the command line."""
    suite = _suite_of(module)
    specs: Sequence[str | None] = settings.models or (suite.model,)
    labels = [f"[{label}]" for label in model_labels(settings.models)] or [""]
    return [
        _item(module, name + label, claim, suite, settings, spec)
        for spec, label in zip(specs, labels, strict=True)
    ]


def model_labels(specs: Sequence[str]) -> list[str]:
    """Return short, distinct labels for model specs, fit for a node id."""
    short = [_plain(re.split(r"[/\\]", spec.rstrip("/\\"))[-1]) for spec in specs]
    if all(short) and len(set(short)) == len(short):
        return short
    return [f"{_plain(spec)}-{i}".strip("-") for i, spec in enumerate(specs)]


def _plain(text: str) -> str:
    """Return text with everything replaced that node ids or shells might trip over."""
    return re.sub(r"[^A-Za-z0-9_.=,@-]+", "-", text).strip("-")


def _item(
    module: pytest.Module,
    name: str,
    claim: Claim,
    suite: Suite,
    settings: Settings,
    spec: str | None,
) -> pytest.Item:
    from dataclasses import replace

    from pytest_circuits.facts import facts
    from pytest_circuits.readings import Draw
    from pytest_circuits.report.summary import to_json

    item: pytest.Function = pytest.Function.from_parent(module, name=name, callobj=_evaluate)
    _read_label(item)
    draw = Draw(
        task=suite.task,
        n=suite.prompts if settings.prompts is None else settings.prompts,
        seed=suite.seed if settings.seed is None else settings.seed,
    )
    cited = replace(claim, source=claim.source or suite.source)
    item.stash[CLAIM] = ClaimItem(
        claim=cited,
        draw=draw,
        rules=_rules(suite.rules, settings),
        spec=spec,
        nodeid=item.nodeid,
        facts=facts(claim, suite.task),
    )
    item.user_properties += [
        ("circuit_claim", str(claim)),
        ("circuit_nodeid", item.nodeid),
        ("circuit_facts", to_json(item.stash[CLAIM].facts.as_dict())),
    ]
    item.add_marker("circuit")
    if module.config.pluginmanager.hasplugin("xdist"):
        item.add_marker(pytest.mark.xdist_group(name=spec or "circuits"))
    return item


def _read_label(item: pytest.Item) -> None:
    """Let `name[model]` be a name and its parameters, as pytest reads it back from its cache.

    pytest 9.2 compares ids by their parts: otherwise --lf, --ff, --sw and --nf find no item again.
    """
    if hasattr(item, "_id"):
        item._id = type(item._id).parse(item.nodeid)


def _rules(rules: Rules, settings: Settings) -> Rules:
    """Return a suite's rules, as changed on the command line."""
    from dataclasses import replace

    if settings.correction is not None:
        rules = replace(rules, correction=settings.correction)
    return rules if settings.first is None else replace(rules, first=settings.first or None)


def _evaluate(circuit_verdict: Any, request: pytest.FixtureRequest) -> None:
    """Fail unless the claim holds; what could not be evaluated was an error of the fixture."""
    from pytest_circuits.report.text import failure_text
    from pytest_circuits.session import rerun_command

    if circuit_verdict.status != "holds":
        lines = failure_text(
            circuit_verdict, name=request.node.name, rerun=rerun_command(request.node)
        )
        pytest.fail("\n".join(lines), pytrace=False)


def _suite_of(module: pytest.Module) -> Suite:
    from pytest_circuits.claims import Suite

    found = list({value for value in vars(module.obj).values() if isinstance(value, Suite)})
    if len(found) > 1:
        raise module.CollectError(
            f"{module.nodeid} declares {len(found)} suites; the claims of a file share one Suite."
        )
    return found[0] if found else Suite()
