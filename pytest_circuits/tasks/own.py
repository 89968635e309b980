"""A user's own task: prompts with named positions, answers and counterparts, as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from pytest_circuits.arguments import check_whole, problem_with_name
from pytest_circuits.errors import (
    CircuitUsageError,
    ClaimNotEvaluable,
    in_a_line,
    shown,
    unknown_name,
)
from pytest_circuits.tasks.base import Dataset, NoVariations, Tokenizer
from pytest_circuits.tasks.encoding import bos_ids
from pytest_circuits.tasks.own_prompts import (
    Tokenized,
    check_alignment,
    collect,
    distinct,
    sharing,
    tokenize_row,
)
from pytest_circuits.tasks.own_rows import OwnRow, read_rows
from pytest_circuits.tasks.positions import END

_SHOWN = 20
_HEADER_FIELDS = ("task", "bos", "neutral")


@dataclass(frozen=True, kw_only=True)
class PromptTask(NoVariations):
    """Prompts written by hand; made by `prompt_task` or `PromptTask.from_jsonl`.

    `neutral` names the counterparts in which the task is absent, `bos` is None, "default" or
    the name of a token, `source` says where the rows come from. Draws pass over the first
    `passed` rows of the order that their seed gives: see `beyond`.
    """

    name: str
    rows: tuple[OwnRow, ...]
    bos: str | None = None
    neutral: tuple[str, ...] = ()
    source: str = field(default="", compare=False)
    passed: int = 0

    @classmethod
    def from_jsonl(cls, path: str | Path) -> PromptTask:
        """Return the task written in a file with one JSON object a line, as for `prompt_task`.

        The first line may be a header, {"task": "name", "bos": null, "neutral": ["ABC"]}; the
        name is otherwise that of the file. Blank lines are skipped. Raises CircuitUsageError
        naming file, line and field of all problems.
        """
        path = _path(path)
        problems: list[str] = []
        lines = _read_lines(path, problems)
        header: Mapping[str, Any] = {}
        if lines and isinstance(lines[0][1], Mapping) and "text" not in lines[0][1]:
            where, header = lines.pop(0)
            problems += [
                f"{where}: {unknown_name('field of the header', field, _HEADER_FIELDS)}"
                for field in header
                if field not in _HEADER_FIELDS
            ]
        name = header.get("task", path.stem)
        return _build(
            name, lines, header.get("bos"), header.get("neutral", ()), str(path), problems
        )

    @property
    def positions(self) -> tuple[str, ...]:
        """The named positions of every prompt."""
        return (*sorted(self.rows[0].position_names), END)

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The names of the counterpart distributions."""
        return tuple(sorted(name for name, _ in self.rows[0].counterparts))

    def beyond(self, n: int) -> PromptTask:
        """Return the task of the rows that a draw of `n` leaves over, under the same seed."""
        return replace(self, passed=self.passed + n)

    def draw(self, tokenizer: Tokenizer, n: int, seed: int) -> Dataset:
        """Return `n` different rows drawn without replacement, or all if there are fewer.

        Rows whose answer or foil is not one token after the prompt, or with words outside the
        vocabulary, are left out and reported, and so are rows that repeat another in all that a
        model reads: they would count as further evidence, and are none. Raises CircuitUsageError
        for counterparts and groups that do not align, ClaimNotEvaluable if no row is left, or if
        fewer than `n` are left `beyond` others.
        """
        check_whole("n", n, 1)
        usable, left_out = self._usable(tokenizer)
        self._check_left(len(usable), n)
        rows = Random(f"{seed} own").sample(usable, len(usable))[self.passed :][:n]
        head = bos_ids(tokenizer, self.bos)
        drawn = {
            name: collect(name, [row.variants[name] for row in rows], head)
            for name in (self.name, *self.counterparts)
        }
        return Dataset(
            prompts=drawn.pop(self.name),
            counterparts=drawn,
            neutral=frozenset(self.neutral),
            left_out=left_out,
            description=self._description(rows, n, seed),
            clusters=tuple(row.cluster for row in rows if row.cluster is not None),
        )

    def _usable(self, tokenizer: Tokenizer) -> tuple[list[Tokenized], tuple[str, ...]]:
        """Return the different rows this tokenizer can represent, and why not the others."""
        results = [tokenize_row(tokenizer, self.name, row) for row in self.rows]
        usable = [result for result in results if not isinstance(result, str)]
        left_out = tuple(result for result in results if isinstance(result, str))
        _raise(f"{self.name} ({self.source})", check_alignment(usable))
        if not usable:
            raise ClaimNotEvaluable(
                f"this tokenizer can represent no row of {self.name}: {'; '.join(left_out[:3])}"
            )
        once, repeated = distinct(usable)
        return once, (*left_out, *repeated)

    def _check_left(self, rows: int, n: int) -> None:
        """Refuse to search on fewer rows than asked for: those passed over are the claim's."""
        left = max(rows - self.passed, 0)
        if not self.passed or left >= n:
            return
        ways = ["write more rows"]
        ways += [f"let the claim take at most {rows - n} (`prompts`)"] if rows - n > 1 else []
        ways += [f"search on at most {left} (`search_prompts`)"] if left > 1 else []
        raise ClaimNotEvaluable(
            f"{self.name} ({self.source}) has {rows} different rows that can be used: the claim "
            f"takes {rows - left}, and {n} others are searched on, so that the search does not "
            f"see the claim's; {left} are left: {', or '.join(ways)}"
        )

    def _description(self, rows: Sequence[Tokenized], n: int, seed: int) -> str:
        clusters = {row.cluster for row in rows} - {None}
        shared = 0 if clusters else sharing(self.name, rows)
        return "".join(
            (
                f"{self.name} from {self.source}, n={len(rows)}",
                f" (all usable rows; {n} asked for)" if n > len(rows) else "",
                f" (beyond the first {self.passed})" if self.passed else "",
                f", seed={seed}, bos={self.bos}",
                f", {len(clusters)} clusters" if clusters else "",
                f", {shared} rows share their prompt with others (give them a `cluster`)"
                if shared
                else "",
            )
        )


def prompt_task(
    name: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    bos: str | None = None,
    neutral: Iterable[str] = (),
) -> PromptTask:
    """Return the task of some rows, each a mapping with these fields.

    - "text": the prompt; the next token after it is asked for.
    - "answer", "foil": what follows, with its leading space, one token each: " Mary", " John".
    - "positions": a mapping of names to places in the text: a word that occurs once, "John#2"
      for the second occurrence of a word, or characters [start, end]. Of a place of several
      tokens the last one counts. "END", the last token, is implied. All rows have the same.
    - "group": a label of prompts that align token for token (same length, same words but for
      the varied ones), over which means are taken. Without it a row is a group of its own, and
      so is its mean.
    - "cluster": a label of what rows have in common that another draw could have had otherwise: a
      country, a day, a name, a wording. Rows of one cluster are less evidence than as many rows
      of different ones. All rows have one or none.
    - "counterparts": a mapping of names to variations, each with "text" and optionally
      "positions" (without: the same tokens as in the row), "answer" and "foil" (without: the
      row's), and "group". A counterpart has as many tokens as the row unless it has a group of
      its own. All rows have the same names.

    A row that repeats another counts once. What searches (`minimality`, greedy `completeness`)
    is given rows that the claim does not use.

    `neutral` names the counterparts in which the task is absent: means are taken over these
    only. Raises CircuitUsageError with all problems, each with row, field, rule and what came.
    """
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise CircuitUsageError(
            f"`rows` must be several mappings, a prompt each; got {shown(rows)}"
        )
    numbered = [(f"row {i}", row) for i, row in enumerate(rows)]
    # A string would fall apart into letters; _build refuses it by name, and what has no members.
    several = isinstance(neutral, Iterable) and not isinstance(neutral, str)
    labels = tuple(neutral) if several else neutral
    return _build(name, numbered, bos, labels, "Python", [])


def _path(path: str | Path) -> Path:
    """Return a path that can be looked up."""
    if not isinstance(path, str | Path) or "\0" in str(path):
        raise CircuitUsageError(f"`path` must be the name of a file; got {shown(path)}")
    return Path(path)


def _read_lines(path: Path, problems: list[str]) -> list[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise CircuitUsageError(
            f"`path` must be a readable UTF-8 file; {in_a_line(error)}"
        ) from error
    lines = []
    # Not splitlines(): JSON strings may hold other line separators, such as U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip():
                lines.append((f"line {number}", json.loads(line)))
        except (ValueError, RecursionError) as error:  # too many digits, or nested too deeply
            problems.append(f"line {number}: must be one JSON object; {in_a_line(error)}")
    return lines


def _build(
    name: Any, raw: list[tuple[str, Any]], bos: Any, neutral: Any, source: str, problems: list[str]
) -> PromptTask:
    """Return the task, or raise all problems of its settings and rows at once."""
    if problem := problem_with_name(name):
        problems.append(f"`task`: the name {problem}; got {shown(name)}")
    if bos is not None and problem_with_name(bos):
        problems.append(
            f"`bos`: must be null (None), 'default' or a token's name; got {shown(bos)}"
        )
    rows = read_rows(raw, problems)
    if not raw:
        problems.append("rows: there must be at least one; got none")
    known = {label for row in rows for label, _ in row.counterparts}
    if isinstance(neutral, str) or not isinstance(neutral, (list, tuple)):
        problems.append(f"`neutral`: must be a list of counterpart names; got {shown(neutral)}")
    elif not problems:
        problems += [
            f"`neutral`: {unknown_name('counterpart', label, sorted(known))}"
            for label in neutral
            if not isinstance(label, str) or label not in known
        ]
    if isinstance(name, str) and name in known:
        problems.append(
            f"`counterparts`: no counterpart may bear the name of the task, {shown(name)}"
        )
    _raise(f"{shown(name) if problem_with_name(name) else name} ({source})", problems)
    return PromptTask(name=name, rows=rows, bos=bos, neutral=tuple(neutral), source=source)


def _raise(what: str, problems: list[str]) -> None:
    """Raise all problems as one CircuitUsageError, if there are any."""
    if problems:
        more = len(problems) - _SHOWN
        lines = problems[:_SHOWN] + ([f"... and {more} more"] if more > 0 else [])
        raise CircuitUsageError("\n  ".join([f"task {what} is badly written:", *lines]))
