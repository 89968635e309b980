"""The reporter: gathers verdicts from test reports and sums them up. Runs where pytest reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_circuits.claim_files import is_claim_file, mentions_us
from pytest_circuits.collection import CLAIM
from pytest_circuits.report.card import card_lines
from pytest_circuits.report.summary import (
    EXPECTED,
    NOT_EVALUATED,
    PROPERTY,
    Row,
    as_document,
    cards,
    cost,
    counted,
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
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a report: the call's, or the setup's if it came to no call."""
        if report.when != "call" and report.passed:
            return
        self._reported.add(report.nodeid)
        # An error in teardown must not hide the verdict.
        if is_about_claim(report.user_properties) and (
            report.when == "call" or report.nodeid not in self._rows
        ):
            self._rows[report.nodeid] = _row(report)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the claims that owe a report."""
        self._expected |= {item.nodeid for item in session.items if CLAIM in item.stash}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Remember what a worker collected: the controller itself collects nothing.

        Names do not tell which items are claims. Where there may be some, every item owes a report.
        """
        files = {nodeid.split("::")[0] for nodeid in ids}
        paths = [self._config.rootpath / name for name in files]
        if any(is_claim_file(each, self._config) or mentions_us(each) for each in paths):
            self._expected |= set(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the JSON report; refuse to end well if a claim produced no report.

        Under xdist an internal error can lose a failing test and still exit 0 (xdist #1017).
        """
        option, dry_run = self._config.option, self._config.stash[SESSION].settings.dry_run
        if option.collectonly or getattr(option, "setuponly", False) or dry_run:
            return  # --setup-plan implies the second
        self._write_json()
        if exitstatus == 0:
            self._lost = sorted(self._expected - self._reported)
        if exitstatus == 0 and (self._lost or self._unwritten):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _write_json(self) -> None:
        path = self._config.stash[SESSION].settings.json
        if path is None:
            return
        document = as_document(list(self._rows.values()))
        mutation = self._config.pluginmanager.getplugin("circuits-mutation")
        if mutation is not None:
            document["mutation"] = mutation.as_documents()
        text = to_json(document, indent=2)
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            self._unwritten = f"--circuit-json was NOT WRITTEN: {error}"

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
        if self._config.stash[SESSION].settings.card:
            self._write_cards(terminalreporter)
        for line in not_evaluated(self._rows.values()):
            write(line, red=True, bold=True)
        if self._unwritten:
            write(self._unwritten, red=True, bold=True)
        if self._lost:
            lost = counted(len(self._lost), "collected item")
            write(f"{lost} produced NO REPORT:", red=True, bold=True)
            for nodeid in self._lost:
                write(f"  {nodeid}", red=True)

    def _write_cards(self, terminalreporter: pytest.TerminalReporter) -> None:
        for file, card in cards(self._rows.values()).items():
            terminalreporter.write_sep("-", f"validity card: {file}")
            for line in card_lines(card):
                terminalreporter.write_line(line)


def _row(report: pytest.TestReport) -> Row:
    properties = report.user_properties
    if report.skipped and not hasattr(report, "wasxfail"):
        return row_of(NOT_EVALUATED, properties, reason=_reason(report))
    status = str(dict(properties).get(PROPERTY + "status", "error"))
    if report.failed and status == "holds":
        # A strict xfail, or a hook or fixture of someone else's that failed.
        return row_of(status, properties, note=f"but failed: {_reason(report)[:40]}")
    reason = _reason(report) if status == "error" else ""
    return row_of(status, properties, reason=reason, note=EXPECTED if report.skipped else "")


def _reason(report: pytest.TestReport) -> str:
    """Return in a line why an item did not pass: its exception, or what it was failed with."""
    if isinstance(report.longrepr, tuple):  # of a skip: path, line, message
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)  # the last line would be file and line
    if crash is not None and not report.passed:
        return next(iter(str(crash.message).strip().splitlines()), "")
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    return lines[-1].strip() if lines and not report.passed else ""
