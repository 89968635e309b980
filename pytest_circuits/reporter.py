"""The reporter: gathers verdicts from test reports and sums them up. Runs where pytest reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_circuits.collection import CLAIM
from pytest_circuits.report.summary import (
    NOT_EVALUATED,
    PROPERTY,
    Row,
    as_document,
    cost,
    is_about_claim,
    not_evaluated,
    row_of,
    table,
    to_json,
)
from pytest_circuits.session import SESSION


class Reporter:
    """Reads everything off the properties of reports, which cross xdist's border as builtins."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: dict[str, Row] = {}
        self._reported: set[str] = set()
        self._expected: set[str] = set()
        self._lost: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a report: the call's, or the setup's if it came to no call."""
        self._reported.add(report.nodeid)
        if (report.when != "call" and report.passed) or not is_about_claim(report.user_properties):
            return
        row = row_of(report.nodeid, _status(report), report.user_properties)
        # An error in teardown must not hide the verdict.
        if report.when == "call" or report.nodeid not in self._rows:
            self._rows[report.nodeid] = row

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the claims that owe a report."""
        self._expected |= {item.nodeid for item in session.items if CLAIM in item.stash}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Remember what a worker collected: the controller itself collects nothing."""
        root = self._config.rootpath
        files = {nodeid.split("::")[0] for nodeid in ids}
        ours = {name for name in files if _mentions_circuits(root / name)}
        self._expected |= {nodeid for nodeid in ids if nodeid.split("::")[0] in ours}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the JSON report; refuse to end well if a claim produced no report.

        Under xdist an internal error can lose a failing test and still exit 0 (xdist #1017).
        """
        path = self._config.stash[SESSION].settings.json
        if path and not self._config.option.collectonly:
            rows = list(self._rows.values())
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(to_json(as_document(rows), indent=2) + "\n", encoding="utf-8")
        if exitstatus == 0 and not self._config.option.collectonly:
            self._lost = sorted(self._expected - self._reported)
        if self._lost:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table of claims, worst first, and what they cost."""
        write = terminalreporter.write_line
        if self._rows:
            terminalreporter.write_sep("=", "circuit claims")
        evaluated = [row for row in self._rows.values() if row.status != NOT_EVALUATED]
        if evaluated:
            for line in table(evaluated):
                write(line)
            write(cost(evaluated))
        for line in not_evaluated(self._rows.values()):
            write(line, red=True, bold=True)
        if self._lost:
            write(f"{len(self._lost)} collected claims produced NO REPORT:", red=True, bold=True)
            for nodeid in self._lost:
                write(f"  {nodeid}", red=True)


def _status(report: pytest.TestReport) -> str:
    properties = dict(report.user_properties)
    if report.when == "call" and PROPERTY + "status" in properties:
        return str(properties[PROPERTY + "status"])
    return NOT_EVALUATED if report.skipped else "error"


def _mentions_circuits(path: Path) -> bool:
    try:
        return "pytest_circuits" in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
