"""The account of a suite's mutants in plain text: mutants, then claims against mutants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_circuits.report.summary import counted

if TYPE_CHECKING:
    from pytest_circuits.mutation.account import Account, Trial

WIDTH = 100
SIGNS = {"holds": ".", "refuted": "R", "undecided": "u", "error": "E"}


def account_lines(account: Account) -> list[str]:
    """Return the account: a line per mutant, a line per claim, and what was not noticed."""
    return [
        *_summary(account),
        "",
        *_mutants(account),
        "",
        *_matrix(account),
        "",
        *_unnoticed(account),
    ]


def _summary(account: Account) -> Iterator[str]:
    tried, noticed = len(account.tried), len(account.noticed)
    share = f" ({noticed / tried:.0%})" if tried else ""
    yield f"{account.suite} on {account.model}"
    yield (
        f"{noticed} of {counted(tried, 'mutant')} noticed{share} by "
        f"{counted(len(account.claims), 'claim')}; {account.seconds:.0f} s"
    )
    yield from _listed("not put to mutants, as they do not hold on the model:", account.left_out)


def _mutants(account: Account) -> list[str]:
    """Return the table of mutants: the logit difference, and how many claims gave way, and how."""
    header = ("", "mutant", "logit difference", "refuted", "undecided", "error", "")
    return _aligned([header, *(_row(i, each, account) for i, each in _numbered(account))])


def _row(number: int, trial: Trial, account: Account) -> tuple[str, ...]:
    if trial.reason:
        return (str(number), trial.name, *[""] * 4, "NOT MADE" if trial.failed else "no change")
    counts = [str(trial.count(status)) for status in ("refuted", "undecided", "error")]
    moved = f"{_number(account.behaviour)} -> {_number(trial.behaviour)}"
    return (str(number), trial.name, moved, *counts, "" if trial.noticed else "NOT NOTICED")


def _matrix(account: Account) -> Iterator[str]:
    """Yield a line per claim, a column per mutant, numbered as in the table of mutants."""
    numbered = [(i, each) for i, each in _numbered(account) if not each.reason]
    if not numbered:
        return
    width = max(len(claim) for claim in account.claims)
    yield "claims x mutants: . holds, R refuted, u undecided, E not evaluable"
    if len(account.trials) > 9:
        yield f"{'':{width}}  {''.join(str(i // 10 or ' ') for i, _ in numbered)}"
    yield f"{'':{width}}  {''.join(str(i % 10) for i, _ in numbered)}"
    for claim in account.claims:
        signs = "".join(SIGNS[trial.statuses[claim]] for _, trial in numbered)
        yield f"{claim:{width}}  {signs}"


def _unnoticed(account: Account) -> Iterator[str]:
    yield from (f"NOT MADE: {trial.name}: {trial.reason}" for trial in account.unmade)
    if not account.tried:
        return
    yield from _listed(
        "never failed on any mutant (they say that nothing happens, or they say nothing):",
        account.never_failed,
    )
    yield from _listed("never refuted, only undecided or not evaluable:", account.never_refuted)
    unnoticed = [each.name for each in account.survivors]
    yield from _listed(f"{'mutant' if len(unnoticed) == 1 else 'mutants'} not noticed:", unnoticed)


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {title}"
        yield from (f"  {line}" for line in wrap(", ".join(names), WIDTH - 2))


def _numbered(account: Account) -> list[tuple[int, Trial]]:
    return list(enumerate(account.trials, start=1))


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows in columns, numbers to the right, words to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(_cell(*each) for each in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def _cell(column: int, cell: tuple[str, int]) -> str:
    text, width = cell
    return text.ljust(width) if column in (1, 6) else text.rjust(width)
