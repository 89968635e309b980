"""Claims as pytest items: one per claim and model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_circuits.claim_files import ClaimFile
from pytest_circuits.declared import (
    VARIABLES,
    Declared,
    Misplaced,
    declared,
    distinct,
    is_iterator,
    plain,
)
from pytest_circuits.options import Settings
from pytest_circuits.report.summary import file_of

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim, Suite
    from pytest_circuits.facts import Facts
    from pytest_circuits.readings import Draw
    from pytest_circuits.rules import Rules


@dataclass(frozen=True, kw_only=True)
class ClaimItem:
    """What an item stands for: a claim, the prompts it is about, the model it is checked on.

    `nodeid` is the item's own: under `--dist loadgroup` xdist appends the group to the item's.
    `name` is what the item is called without its model.
    """

    name: str
    claim: Claim
    draw: Draw
    rules: Rules
    spec: str | None
    nodeid: str
    facts: Facts

    @property
    def file(self) -> str:
        """The file whose suite the claim belongs to."""
        return file_of(self.nodeid)

    @property
    def name_alone(self) -> str:
        """What selects the item where its model is the only one named on the command line."""
        if "[" not in self.name:
            return self.name  # which pytest takes for the name of all its parameters
        return f"{self.name}[{model_labels([str(self.spec)])[0]}]"


CLAIM = pytest.StashKey[ClaimItem]()


def items_of(
    collector: pytest.Collector, name: str, value: object, settings: Settings
) -> list[pytest.Item]:
    """Return the items that a variable stands for; refuse claims that nobody would evaluate."""
    where = f"{collector.nodeid}::{name}"
    try:
        found = declared(value, where)
    except Misplaced as error:
        raise collector.CollectError(str(error)) from None
    if isinstance(collector, ClaimFile) and is_iterator(value):
        raise collector.CollectError(
            f"{where} is a {type(value).__name__}, which can be looked at only once: if claims "
            "come out of it, write list(...)."
        )
    if found and not isinstance(collector, pytest.Module):
        raise collector.CollectError(f"{where} is a claim in a class: {VARIABLES}")
    module: Any = collector
    return [item for each in found for item in _on_models(module, name, each, settings)]


def _on_models(
    module: pytest.Module, name: str, found: Declared, settings: Settings
) -> list[pytest.Item]:
    """Return an item per model: `name`, or `name[model]` for models named on the command line.

    A claim in a list or dict has its label before: `name[label]`, `name[label][model]`.
    """
    suite = _suite_of(module)
    name += f"[{found.label}]" if found.label else ""
    specs: Sequence[str | None] = settings.models or (suite.model,)
    labels = [f"[{label}]" for label in model_labels(settings.models)] or [""]
    return [
        _marked(_item(module, name, label, found.claim, suite, settings, spec), found.marks)
        for spec, label in zip(specs, labels, strict=True)
    ]


def _marked(item: pytest.Item, marks: Iterable[pytest.Mark | pytest.MarkDecorator]) -> pytest.Item:
    for mark in marks:
        if isinstance(mark, pytest.Mark):
            mark = getattr(pytest.mark, mark.name).with_args(*mark.args, **mark.kwargs)
        item.add_marker(mark)
    return item


def model_labels(specs: Sequence[str]) -> list[str]:
    """Return short, distinct labels for model specs, fit for a node id."""
    return distinct([plain(re.split(r"[/\\]", each.rstrip("/\\"))[-1]) for each in specs], specs)


def _item(
    module: pytest.Module,
    name: str,
    label: str,
    claim: Claim,
    suite: Suite,
    settings: Settings,
    spec: str | None,
) -> pytest.Item:
    from dataclasses import replace

    from pytest_circuits.facts import facts
    from pytest_circuits.readings import Draw
    from pytest_circuits.report.summary import to_json

    item: pytest.Function = pytest.Function.from_parent(
        module, name=name + label, callobj=_evaluate
    )
    _read_label(item)
    draw = Draw(
        task=suite.task,
        n=suite.prompts if settings.prompts is None else settings.prompts,
        seed=suite.seed if settings.seed is None else settings.seed,
    )
    cited = replace(claim, source=claim.source or suite.source)
    item.stash[CLAIM] = ClaimItem(
        name=name,
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

    values = vars(module.obj).values()
    found = list({value for value in values if issubclass(type(value), Suite)})
    if len(found) > 1:
        raise module.CollectError(
            f"{module.nodeid} declares {len(found)} suites; the claims of a file share one Suite."
        )
    return found[0] if found else Suite()
