"""`--circuit-dry-run` in a session: what the claims would cost, and none evaluated."""

from __future__ import annotations

from functools import partial

import pytest

from pytest_circuits.collection import CLAIM
from pytest_circuits.errors import ClaimNotEvaluable, reason_of
from pytest_circuits.origin import overridden_at
from pytest_circuits.report.forecast import forecast_lines
from pytest_circuits.session import SESSION, load, model_of


def check_alone(config: pytest.Config) -> None:
    """Refuse xdist and --circuit-mutate: nothing is evaluated, by nobody."""
    if config.getoption("dist", "no") != "no":
        raise pytest.UsageError("--circuit-dry-run runs in one process; got xdist: use -n0")
    if config.stash[SESSION].settings.mutate:
        raise pytest.UsageError("--circuit-dry-run evaluates nothing; got --circuit-mutate as well")


class DryRun:
    """Stands in for running the items: a pilot of the claims, model by model."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._lines: list[tuple[str, list[str]]] = []
        self._failed = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the pilots; no test of the session runs."""
        if self._config.option.collectonly or session.testsfailed:
            return None
        claims = [item for item in session.items if CLAIM in item.stash]
        models = dict.fromkeys(map(model_of, claims))
        for first in (next(c for c in claims if model_of(c) == each) for each in models):
            self._lines.append((str(first.stash[CLAIM].spec), self._on_model_of(first)))
        session.testsfailed += self._failed
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables."""
        for spec, lines in self._lines:
            terminalreporter.write_sep("=", f"circuit claims, dry run on {spec}")
            for line in lines:
                terminalreporter.write_line(line)

    def _on_model_of(self, item: pytest.Item) -> list[str]:
        session, folder = self._config.stash[SESSION], overridden_at(item)
        try:
            if folder:
                raise ClaimNotEvaluable(_NO_FIXTURE.format(folder=folder))
            loader = partial(load, item.ihook, session.settings)
            return forecast_lines(session.forecasts(item, loader))
        except Exception as error:
            self._failed += 1
            return [f"not evaluable: {reason_of(error)}"]


_NO_FIXTURE = (
    "--circuit-dry-run asks no fixture for models, and {folder!r} overrides the fixture "
    "`circuit_load_model`: load the model in a hook there, pytest_circuits_load_model(spec)."
)
