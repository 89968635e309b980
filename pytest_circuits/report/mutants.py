"""The account of a suite's mutants in plain text: mutants, then claims against mutants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_circuits.report.summary import counted

if TYPE_CHECKING:
    from pytest_circuits.mutation.account import Account, Trial

WIDTH = 100
COUNTED = ("claims", "refuted", "undecided", "error")
SCOPES = {
    "heads": "heads sabotaged, to be noticed by claims that name them",
    "model": "the whole model sabotaged, to be noticed by any claim",
    "decoy": "decoys, which change nothing that the model does, to be noticed by none",
}
SIGNS = {"holds": ".", "refuted": "R", "undecided": "u", "error": "E"}


def account_lines(account: Account) -> list[str]:
    """Return the account: a line per kind, mutant and claim, and what was not noticed."""
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
    yield f"{account.suite} on {account.model}"
    yield f"{counted(len(account.claims), 'claim')} put to mutants; {account.seconds:.0f} s"
    for scope, title in SCOPES.items():
        tallies = [each for each in account.tallies if each.scope == scope]
        yield f"{title}:{'' if tallies else ' none'}"
        yield from (f"  {each.kind}: noticed {each.noticed} of {each.of}" for each in tallies)
    yield from _listed("not put to mutants, as they do not hold on the model:", account.left_out)


def _mutants(account: Account) -> list[str]:
    """Return the table of mutants: the logit difference, and how many claims gave way, and how.

    Of the claims that may notice: how many those are, and how many are refuted, undecided, without
    a value; beside them how many others are refuted.
    """
    header = ("", "mutant", "logit difference", *COUNTED, "others refuted", "")
    return _aligned([header, *(_row(i, each, account) for i, each in _numbered(account))])


def _row(number: int, trial: Trial, account: Account) -> tuple[str, ...]:
    if trial.reason:
        return (str(number), trial.name, *[""] * 6, "NOT MADE" if trial.failed else "no change")
    counts = [len(trial.asked), *(trial.count(status) for status in COUNTED[1:])]
    others = Counter(trial.statuses.values())["refuted"] - len(trial.refuted)
    moved = f"{_number(account.behaviour)} -> {_number(trial.behaviour)}"
    return (str(number), trial.name, moved, *map(str, counts), str(others), _note(trial))


def _note(trial: Trial) -> str:
    if trial.is_decoy:
        return "FALSELY NOTICED" if trial.noticed else "decoy"
    return "" if trial.noticed else "NOT NOTICED"


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
    for trial in account.falsely_noticed:
        yield from _wrapped(f"FALSELY NOTICED: {trial.name}: {', '.join(trial.refuted)}")
    if not account.tried:
        return
    yield from _listed(
        "never failed on any sabotage (they say that nothing happens, or they say nothing):",
        account.never_failed,
    )
    yield from _listed("never refuted, only undecided or not evaluable:", account.never_refuted)
    unnoticed = [each.name for each in account.survivors]
    yield from _listed(f"{'mutant' if len(unnoticed) == 1 else 'mutants'} not noticed:", unnoticed)


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {title}"
        yield from (f"  {line}" for line in wrap(", ".join(names), WIDTH - 2))


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, subsequent_indent="  ")


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
    return text.ljust(width) if column in (1, 8) else text.rjust(width)
