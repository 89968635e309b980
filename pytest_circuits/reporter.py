"""The reporter: gathers verdicts from test reports and sums them up. Runs where pytest reports."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_circuits.errors import in_a_line, printable
from pytest_circuits.options import runs_nothing
from pytest_circuits.owed import Owed
from pytest_circuits.report.card import card_lines
from pytest_circuits.report.files import write_whole
from pytest_circuits.report.summary import (
    EXPECTED,
    NOT_EVALUATED,
    PROPERTY,
    Row,
    as_document,
    as_properties,
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

if TYPE_CHECKING:
    from pytest_circuits.verdicts import Verdict

NOT_RUN = "its item did not run"


def forget_last_report(config: pytest.Config) -> None:
    """Remove the JSON report of an earlier run: whatever becomes of this one, it is not its own."""
    known = config.known_args_namespace
    path = known.circuit_json or config.getini("circuit_json")
    if not path or not isfile(path) or runs_nothing(known):
        return
    try:
        Path(path).unlink()
    except OSError as error:
        raise pytest.UsageError(
            f"--circuit-json: what is there now cannot be removed: {in_a_line(error)}"
        ) from None


class Reporter:
    """Reads everything off the properties of reports, which cross xdist's border as builtins."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session = config.stash[SESSION]
        self._owed = Owed(config)
        self._rows: dict[str, Row] = {}
        self._crashed: dict[str, str] = {}
        self._uncollected: list[str] = []
        self._stopped = ""
        self._lost: list[str] = []
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a report: the call's, or the setup's if it came to no call."""
        if report.when != "call" and report.passed:
            return
        self._owed.reported.add(report.nodeid)
        if not is_about_claim(report.user_properties):
            # xdist's own, about an item whose worker died: nobody knows yet whether it is a claim.
            if report.failed and report.when not in ("setup", "call", "teardown"):
                self._crashed[report.nodeid] = _reason(report)
        elif report.when == "call" or report.nodeid not in self._rows:
            # An error in teardown must not hide the verdict.
            self._rows[report.nodeid] = _row(report)
            self._owed.claims(self._rows[report.nodeid].selected)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be collected: nobody knows which claims are there."""
        if report.failed:
            self._uncollected.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Remember the claims that owe a report, once the session knows what was selected."""
        self._owed.claims(self._session.selected())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Remember what a worker collected: the controller itself collects nothing."""
        self._owed.collected_by_worker(ids)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember what ended the session before its end."""
        self._stopped = str(excinfo.value).strip() or excinfo.typename

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember what ended the session before its end."""
        self._stopped = excinfo.exconly(tryshort=True).splitlines()[0]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Account for every claim, write the JSON report; refuse to end well if one is missing.

        Under xdist an internal error can lose a failing test and still exit 0 (xdist #1017).
        """
        if runs_nothing(self._config.option):
            return
        self._stopped = self._stopped or str(session.shouldfail or session.shouldstop or "")
        lost = self._owed.lost
        self._lost = lost if not self._stopped or exitstatus == 0 else []
        decided = self._session.settled() if self._stopped else {}
        for nodeid in [*self._crashed, *lost]:
            self._account_for(nodeid, decided.get(nodeid))
        if exitstatus == 0 and self._lost:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        self._write_json(int(session.exitstatus), complete=not lost)
        if exitstatus == 0 and self._unwritten:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _account_for(self, item: str, verdict: Verdict | None) -> None:
        """Give a claim that did not report a row that says so, with its verdict if there is one."""
        nodeid = self._owed.claim_of(item)
        if nodeid is None:
            return
        if verdict is not None:
            properties = [(PROPERTY + "nodeid", nodeid), *as_properties(verdict.as_dict())]
            self._rows[item] = row_of(verdict.status, properties, note=NOT_RUN)
            return
        status, reason = "error", self._crashed.get(item, "produced no report")
        if self._stopped and item not in self._crashed:
            status, reason = NOT_EVALUATED, f"the session ended before it: {self._stopped}"
        self._rows[item] = row_of(status, [(PROPERTY + "nodeid", nodeid)], reason=reason)

    def _write_json(self, exit_status: int, *, complete: bool) -> None:
        path = self._session.settings.json
        if path is None:
            return
        rows = list(self._rows.values())
        deselected = len(self._session.unselected()) or sum(len(row.unselected) for row in rows)
        document = {
            "exit_status": exit_status,
            "complete": complete and not self._uncollected,
            "stopped": self._stopped,
            "collected": self._owed.selected + deselected,
            "deselected": deselected,
            "reported": len(self._owed.reported & set(self._rows)),
            "not_collected": sorted(self._uncollected),
            **as_document(rows),
        }
        mutation = self._config.pluginmanager.getplugin("circuits-mutation")
        if mutation is not None:
            document["mutation"] = mutation.as_documents()
        try:
            write_whole(Path(path), to_json(document, indent=2) + "\n")
        except OSError as error:
            self._unwritten = f"--circuit-json was NOT WRITTEN: {error}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table of claims, worst first, and what they cost."""

        def write(line: str, **markup: bool) -> None:
            terminalreporter.write_line(printable(line), **markup)

        if self._rows:
            terminalreporter.write_sep("=", "circuit claims")
        evaluated = [row for row in self._rows.values() if row.status != NOT_EVALUATED]
        if evaluated:
            for line in table(evaluated):
                write(line)
            write(cost(evaluated))
        if self._session.settings.card:
            self._write_cards(terminalreporter)
        for line in [*not_evaluated(self._rows.values()), *self._missing()]:
            write(line, red=True, bold=True)
        for nodeid in self._lost:
            write(f"  {nodeid}", red=True)

    def _missing(self) -> list[str]:
        """Return what the report lacks."""
        lines = [self._unwritten] if self._unwritten else []
        if self._stopped and self._rows:
            lines.append(f"the report is INCOMPLETE: {self._stopped}")
        if self._lost:
            lines.append(f"{counted(len(self._lost), 'collected item')} produced NO REPORT:")
        return lines

    def _write_cards(self, terminalreporter: pytest.TerminalReporter) -> None:
        for file, card in cards(self._rows.values()).items():
            terminalreporter.write_sep("-", f"validity card: {file}")
            for line in card_lines(card):
                terminalreporter.write_line(printable(line))


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
