"""The session's claims: what was collected, the model in hand, the evaluation they share."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from os.path import relpath
from typing import TYPE_CHECKING

import pluggy
import pytest

from pytest_circuits.collection import CLAIM, ClaimItem
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.in_hand import ModelsInHand
from pytest_circuits.options import Settings
from pytest_circuits.origin import Origin, origin_of
from pytest_circuits.report.summary import file_of, to_json

if TYPE_CHECKING:
    from pytest_circuits.deciding import Entry
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.forecast import Forecast
    from pytest_circuits.models.base import Model
    from pytest_circuits.verdicts import Verdict

Loader = Callable[[str], "Model"]


class ClaimSession:
    """Everything a session knows about its claims; lives in `config.stash`, one per process.

    `running` is the item that runs now, if one does: models are loaded as its folder has it.
    """

    def __init__(self, settings: Settings, notify: Callable[[str], None]) -> None:
        self.settings = settings
        self.notify = notify
        self.running: pytest.Item | None = None
        self.models = ModelsInHand(self._start)
        self._others_of: dict[tuple[str, str | None], int] = {}
        self._collected: dict[str, ClaimItem] = {}
        self._items: Sequence[pytest.Item] = ()
        self._told: set[str] = set()

    def collect(self, items: Iterable[pytest.Item]) -> None:
        """Take note of all claims of a file, before anything selects among them."""
        for item in items:
            self._collected[item.stash[CLAIM].nodeid] = item.stash[CLAIM]

    def expect(self, items: Sequence[pytest.Item]) -> None:
        """Take note of all items that will run, so that the first run can read for all claims."""
        self._items = [item for item in items if CLAIM in item.stash]

    def tell(self, item: pytest.Item) -> None:
        """Let the first claim of a file that runs here tell the report of all others of the file.

        Of those that were selected, which owe a report, and of those that were not.
        """
        file = item.stash[CLAIM].file
        if file in self._told:
            return
        self._told.add(file)
        chosen = {each: named for each, named in self.selected().items() if file_of(each) == file}
        left = [each.facts.as_dict() for each in self.unselected() if each.file == file]
        item.user_properties.append(("circuit_selected", to_json(chosen)))
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

    def selected(self) -> dict[str, str]:
        """Return the node ids of the claims that will run, and what they are reported under."""
        return {item.nodeid: item.stash[CLAIM].nodeid for item in self._items}

    def unselected(self) -> list[ClaimItem]:
        """Return the claims that were collected and will not run."""
        selected = {item.stash[CLAIM].nodeid for item in self._items}
        return [each for nodeid, each in self._collected.items() if nodeid not in selected]

    def verdict_or_reason(self, item: pytest.Item, load: Loader) -> Verdict | Exception:
        """Return the verdict on an item's claim, or why there is none."""
        try:
            origin = claim_origin(item)
            if not self.models.is_decided(origin):
                _stop_timer(item)
            loaded, entries = partial(self._load, item, load), partial(self._entries_on, origin)
            return self.models.outcomes(origin, loaded, entries)[self.entry_of(item)]
        except Exception as error:
            return error

    def settled(self) -> dict[str, Verdict]:
        """Return the verdicts that there are by now, by node id, whichever items ran."""
        found = {}
        for origin in dict.fromkeys(filter(None, map(model_of, self._items))):
            outcomes = self.models.settled(origin)
            for item in self._items_on(origin) if outcomes else ():
                outcome = outcomes.get(self.entry_of(item))
                if outcome is not None and not isinstance(outcome, Exception):
                    found[item.nodeid] = outcome
        return found

    def forecasts(self, first: pytest.Item, load: Loader) -> tuple[Forecast, ...]:
        """Return what the claims on an item's model would cost; raise if it cannot be loaded."""
        from pytest_circuits.forecast import forecast

        origin = claim_origin(first)
        entries = [(item.name, self.entry_of(item)) for item in self._items_on(origin)]
        model = self.models.load(origin, partial(self._load, first, load))
        return forecast(model, entries, memory=self._memory, notify=self.notify)

    def _entries_on(self, origin: Origin) -> list[Entry]:
        return [*map(self.entry_of, self._items_on(origin))]

    def _items_on(self, origin: Origin) -> list[pytest.Item]:
        return [each for each in self._items if model_of(each) == origin]

    def _load(self, item: pytest.Item, load: Loader) -> Model:
        """Load the model of an item as the conftests of its folder want, whatever runs."""
        running, self.running = self.running, item
        spec = str(item.stash[CLAIM].spec)
        self.notify(f"loading {spec}")
        try:
            return checked_model(load(spec), spec)
        finally:
            self.running = running

    def _start(self, model: Model) -> Evaluation:
        from pytest_circuits.evaluation import Evaluation

        _share_cores()
        return Evaluation(model, (), memory=self._memory, notify=self.notify)

    @property
    def _memory(self) -> int:
        from pytest_circuits.engine.memory import DEFAULT_MEMORY

        return DEFAULT_MEMORY if self.settings.memory is None else self.settings.memory


def claim_origin(item: pytest.Item) -> Origin:
    """Return where the model of an item's claim comes from; raise if it names none."""
    spec = item.stash[CLAIM].spec
    if spec is None:
        raise ClaimNotEvaluable(
            "no model: name one in the file with suite = Suite(model=...), or on the command line "
            "with --circuit-model SPEC."
        )
    if ORIGIN not in item.stash:
        item.stash[ORIGIN] = origin_of(item, spec)
    return item.stash[ORIGIN]


def model_of(item: pytest.Item) -> Origin | None:
    """Return where the model of an item's claim comes from; None if it names none."""
    return None if item.stash[CLAIM].spec is None else claim_origin(item)


def _stop_timer(item: pytest.Item) -> None:
    """Charge no claim with what all of them share, should pytest-timeout have set its clock."""
    stop = getattr(item.config.hook, "pytest_timeout_cancel_timer", None)
    if stop is not None:
        stop(item=item)


def _entry(found: ClaimItem) -> Entry:
    from pytest_circuits.deciding import Entry

    return Entry(claim=found.claim, draw=found.draw, rules=found.rules, family=found.file)


SESSION = pytest.StashKey[ClaimSession]()
ORIGIN = pytest.StashKey[Origin]()


def load(hook: pluggy.HookRelay, settings: Settings, spec: str) -> Model:
    """Return the model of a spec: from the first hook that knows it, else by `load_model`."""
    from pytest_circuits.models.load import load_model

    found = hook.pytest_circuits_load_model(spec=spec)
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
