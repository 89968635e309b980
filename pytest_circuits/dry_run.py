"""`--circuit-dry-run` in a session: what the claims would cost, and none evaluated."""

from __future__ import annotations

import pytest

from pytest_circuits.collection import CLAIM
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.report.forecast import forecast_lines
from pytest_circuits.session import SESSION, load


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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the pilots; no test of the session runs."""
        if self._config.option.collectonly or session.testsfailed:
            return None
        specs = dict.fromkeys(
            item.stash[CLAIM].spec for item in session.items if CLAIM in item.stash
        )
        for spec in specs:
            self._lines.append((str(spec), self._of_model(session, spec)))
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables."""
        for spec, lines in self._lines:
            terminalreporter.write_sep("=", f"circuit claims, dry run on {spec}")
            for line in lines:
                terminalreporter.write_line(line)

    def _of_model(self, session: pytest.Session, spec: str | None) -> list[str]:
        found = self._config.stash[SESSION]
        try:
            if spec is None:
                raise ClaimNotEvaluable("no model: name one with --circuit-model SPEC.")
            return forecast_lines(
                found.forecasts(spec, lambda spec: load(self._config, found.settings, spec))
            )
        except (ClaimNotEvaluable, CircuitUsageError) as error:
            session.testsfailed += 1
            return [f"not evaluable: {error}"]
