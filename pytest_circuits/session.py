"""The session's claims: what was collected, the model in hand, the evaluation they share."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from os.path import relpath
from typing import TYPE_CHECKING, Any

import pytest

from pytest_circuits.collection import CLAIM, ClaimItem
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.options import Settings
from pytest_circuits.report.summary import to_json

if TYPE_CHECKING:
    from pytest_circuits.deciding import Entry, Outcome
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.forecast import Forecast
    from pytest_circuits.models.base import Model
    from pytest_circuits.verdicts import Verdict

Loader = Callable[[str], "Model"]


class ClaimSession:
    """Everything a session knows about its claims; lives in `config.stash`, one per process.

    One model is alive at a time: claims on the same model stand together, and the next model
    replaces the last.
    """

    def __init__(self, settings: Settings, notify: Callable[[str], None]) -> None:
        self.settings = settings
        self.notify = notify
        self._others_of: dict[tuple[str, str | None], int] = {}
        self._loaders: dict[str, Loader] = {}
        self._collected: dict[str, ClaimItem] = {}
        self._items: Sequence[pytest.Item] = ()
        self._evaluation: tuple[str, Evaluation, Mapping[Entry, Outcome]] | None = None
        self._unavailable: dict[str, ClaimNotEvaluable | CircuitUsageError] = {}
        self._reported = 0

    def collect(self, items: Iterable[pytest.Item]) -> None:
        """Take note of all claims of a file, before anything selects among them."""
        for item in items:
            self._collected[item.stash[CLAIM].nodeid] = item.stash[CLAIM]

    def expect(self, items: Sequence[pytest.Item]) -> None:
        """Take note of all items that will run, so that the first run can read for all claims.

        The first of each file tells the report what was collected there and not selected.
        """
        self._items = [item for item in items if CLAIM in item.stash]
        unselected = self._unselected()
        first = {item.stash[CLAIM].file: item for item in reversed(self._items)}
        for file, item in first.items():
            left = [each.facts.as_dict() for each in unselected if each.file == file]
            if left:
                item.user_properties.append(("circuit_unselected", to_json(left)))

    def entry_of(self, item: pytest.Item) -> Entry:
        """Return an item's claim as a member of its family: the claims of its file, on its model.

        All of them, whichever were selected: a claim run again by itself is no more sure of.
        """
        found = item.stash[CLAIM]
        return replace(_entry(found), others=self._others(found.file, found.spec))

    def _others(self, file: str, spec: str | None) -> int:
        """Return how many different claims of a file are on a model and were not selected."""
        key = (file, spec)
        if key not in self._others_of:
            here = [each for each in self._collected.values() if (each.file, each.spec) == key]
            selected = {item.stash[CLAIM].nodeid for item in self._items}
            chosen = {_entry(each) for each in here if each.nodeid in selected}
            self._others_of[key] = len({*map(_entry, here)} - chosen)
        return self._others_of[key]

    def _unselected(self) -> list[ClaimItem]:
        selected = {item.stash[CLAIM].nodeid for item in self._items}
        return [each for nodeid, each in self._collected.items() if nodeid not in selected]

    def verdict_or_reason(self, item: pytest.Item, load: Loader) -> Verdict | Exception:
        """Return the verdict on an item's claim, or why there is none."""
        try:
            return self._outcomes_on(_spec_of(item), load)[self.entry_of(item)]
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            return error

    def model(self, spec: str) -> Model:
        """Return a model that claims were evaluated on: the one in hand, or loaded once more."""
        if self._evaluation is not None and self._evaluation[0] == spec:
            return self._evaluation[1].model
        self._evaluation = None
        return self._load(spec, self._loaders[spec])

    def forecasts(self, spec: str, load: Loader) -> tuple[Forecast, ...]:
        """Return what the claims on a model would cost; raise if it cannot be loaded."""
        from pytest_circuits.forecast import forecast

        entries = [(item.name, self.entry_of(item)) for item in self._items_on(spec)]
        model = self._load(spec, load)
        return forecast(model, entries, memory=self._memory, notify=self.notify)

    def new_passes(self) -> list[dict[str, Any]]:
        """Return the forward passes made since the last call, as builtins."""
        passes = self._evaluation[1].passes if self._evaluation else ()
        new = [asdict(each) for each in passes[self._reported :]]
        self._reported = len(passes)
        return new

    def _outcomes_on(self, spec: str, load: Loader) -> Mapping[Entry, Outcome]:
        """Return what came of all claims on a model: they are decided together."""
        from pytest_circuits.deciding import decide

        if self._evaluation is None or self._evaluation[0] != spec:
            self._evaluation = None  # let go of the last model before the next is loaded
            self._reported = 0
            self._loaders[spec] = load
            evaluation = self._start(self._load(spec, load))
            entries = [*map(self.entry_of, self._items_on(spec))]
            self._evaluation = (spec, evaluation, decide(evaluation, entries))
        return self._evaluation[2]

    def _items_on(self, spec: str) -> list[pytest.Item]:
        return [item for item in self._items if item.stash[CLAIM].spec == spec]

    def _load(self, spec: str, load: Loader) -> Model:
        """Load a model; one that could not be loaded is not tried again for the next claim."""
        if spec in self._unavailable:
            raise self._unavailable[spec]
        self.notify(f"loading {spec}")
        try:
            return checked_model(load(spec), spec)
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            self._unavailable[spec] = error.with_traceback(None)
            raise

    def _start(self, model: Model) -> Evaluation:
        from pytest_circuits.evaluation import Evaluation

        _share_cores()
        return Evaluation(model, (), memory=self._memory, notify=self.notify)

    @property
    def _memory(self) -> int:
        from pytest_circuits.engine.memory import DEFAULT_MEMORY

        return DEFAULT_MEMORY if self.settings.memory is None else self.settings.memory


def _entry(found: ClaimItem) -> Entry:
    from pytest_circuits.deciding import Entry

    return Entry(claim=found.claim, draw=found.draw, rules=found.rules, family=found.file)


SESSION = pytest.StashKey[ClaimSession]()


def load(config: pytest.Config, settings: Settings, spec: str) -> Model:
    """Return the model of a spec: from the first hook that knows it, else by `load_model`."""
    from pytest_circuits.models.load import load_model

    found = config.hook.pytest_circuits_load_model(spec=spec)
    if found is not None:
        return checked_model(found, spec)
    return load_model(
        spec, device=settings.device, dtype=settings.dtype, cache_dir=settings.cache_dir
    )


def _share_cores() -> None:
    """Give each xdist worker its share of the cores: oversubscribed threads cost up to tenfold."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    torch = sys.modules.get("torch")  # loaded by whatever loaded the model
    if workers > 1 and torch is not None:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def rerun_command(item: pytest.Item) -> str:
    """Return the command that evaluates one claim again, on the same prompts and model."""
    settings, claim = item.config.stash[SESSION].settings, item.stash[CLAIM]
    file, names = claim.nodeid.split("::", 1)
    path = relpath(item.config.rootpath / file, item.config.invocation_params.dir)
    words = [f"{path}::{names}"]
    if settings.models:
        words = [f"{path}::{claim.name_alone}", "--circuit-model", str(claim.spec)]
    return f"pytest {shlex.join(words)} {settings.as_flags()}".rstrip()


def checked_model(found: object, spec: str) -> Model:
    """Return what a user's loader gave if it is a model."""
    from pytest_circuits.models.base import Model

    if isinstance(found, Model):
        return found
    raise CircuitUsageError(
        f"pytest_circuits_load_model({spec!r}), or a `circuit_load_model` fixture, must return a "
        f"Model: wrap your object with pytest_circuits.wrap_model(...); got {type(found).__name__}."
    )


def _spec_of(item: pytest.Item) -> str:
    spec = item.stash[CLAIM].spec
    if spec is None:
        raise ClaimNotEvaluable(
            "no model: name one in the file with suite = Suite(model=...), or on the command line "
            "with --circuit-model SPEC."
        )
    return spec
