"""Reading and validating the rows of a user's own task, as written in Python or JSONL.

All problems are collected as lines of text; `own.py` raises them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_circuits.arguments import problem_with_name
from pytest_circuits.errors import shown, unknown_name
from pytest_circuits.tasks.positions import END

Span = tuple[int, int]
"""A character range [start, end) of a text."""

_NUMBERED = re.compile(r"#[0-9]{1,9}$")  # the second occurrence of a word: "John#2"

_ROW_FIELDS = ("text", "answer", "foil", "positions", "group", "cluster", "counterparts")
_COUNTERPART_FIELDS = ("text", "answer", "foil", "positions", "group")


@dataclass(frozen=True, kw_only=True)
class OwnPrompt:
    """One text; `positions` are (name, span) pairs, or None for the tokens of the original."""

    text: str
    answer: str
    foil: str
    positions: tuple[tuple[str, Span], ...] | None
    group: str | None


@dataclass(frozen=True, kw_only=True)
class OwnRow:
    """A prompt and its counterparts; `where` is the line or row it was written at."""

    where: str
    prompt: OwnPrompt
    counterparts: tuple[tuple[str, OwnPrompt], ...]
    cluster: str | None = None

    @property
    def position_names(self) -> tuple[str, ...]:
        """The named positions of the row but for END, which is implied."""
        return tuple(name for name, _ in self.prompt.positions or ())


def read_rows(raw: Iterable[tuple[str, Any]], problems: list[str]) -> tuple[OwnRow, ...]:
    """Return the rows that can be read, given as (where, mapping); append to `problems`.

    The first row says which positions and counterparts every row must have, and if a cluster.
    """
    read = [_read_row(where, fields, problems) for where, fields in raw]
    rows = tuple(row for row in read if row is not None)
    for row in rows[1:]:
        _compare(row, rows[0], problems)
    return rows


def _read_row(where: str, fields: Any, problems: list[str]) -> OwnRow | None:
    before = len(problems)
    if not _has_fields(where, fields, _ROW_FIELDS, problems):
        return None
    prompt = _read_prompt(where, {"positions": {}, **fields}, problems)
    cluster = fields.get("cluster")
    if cluster is not None:
        _check_name(f"{where}, `cluster`", cluster, problems)
    given = fields.get("counterparts", {})
    if not isinstance(given, Mapping):
        problems.append(f"{where}, `counterparts`: must map names to prompts; got {shown(given)}")
        given = {}
    inherited = {"positions": None, **{k: fields.get(k) for k in ("answer", "foil")}}
    counterparts = []
    for name, own in given.items():
        place = f"{where}, counterpart {shown(name)}"
        if not _check_name(place, name, problems):
            continue
        if not _has_fields(place, own, _COUNTERPART_FIELDS, problems):
            continue
        other = _read_prompt(place, {**inherited, **own}, problems)
        if prompt is not None and other is not None:
            _compare_positions(place, other, prompt, problems)
            counterparts.append((name, other))
    if prompt is None or len(problems) > before:
        return None
    return OwnRow(where=where, prompt=prompt, counterparts=tuple(counterparts), cluster=cluster)


def _has_fields(where: str, fields: Any, known: Iterable[str], problems: list[str]) -> bool:
    if not isinstance(fields, Mapping):
        problems.append(f"{where}: must be an object with fields; got {shown(fields)}")
        return False
    for field in fields:
        if field not in known:
            problems.append(f"{where}: {unknown_name('field', field, known)}")
    return True


def _read_prompt(where: str, fields: Mapping[str, Any], problems: list[str]) -> OwnPrompt | None:
    before = len(problems)
    for field in ("text", "answer", "foil"):
        if problem := _problem_with_text(fields.get(field)):
            got = shown(fields[field]) if field in fields else "nothing"
            problems.append(f"{where}, `{field}`: {problem}; got {got}")
    group = fields.get("group")
    if group is not None and group != "":
        _check_name(f"{where}, `group`", group, problems)
    if len(problems) > before:
        return None
    if fields["answer"] == fields["foil"]:
        twice = shown(fields["foil"])
        problems.append(f"{where}, `foil`: must differ from `answer`; got {twice} twice")
    spans = _read_positions(where, fields["text"], fields["positions"], problems)
    return OwnPrompt(
        text=fields["text"],
        answer=fields["answer"],
        foil=fields["foil"],
        positions=spans,
        group=group,
    )


def _read_positions(
    where: str, text: str, given: Any, problems: list[str]
) -> tuple[tuple[str, Span], ...] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        problems.append(
            f"{where}, `positions`: must map names to words or spans; got {shown(given)}"
        )
        return None
    found = []
    for name, place in given.items():
        here = f"{where}, `positions`, {shown(name)}"
        span = "END is implied: the last token" if name == END else find_span(text, place)
        if isinstance(span, str):
            problems.append(f"{here}: {span}; got {shown(place)}")
        elif _check_name(here, name, problems):
            found.append((name, span))
    return tuple(found)


def _problem_with_text(value: Any) -> str:
    """Return which rule the text of a prompt or of an answer breaks, empty if none."""
    if not isinstance(value, str) or not value:
        return "must be a string, not empty"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must be Unicode text, but has half of a surrogate pair"
    return ""


def _check_name(where: str, name: Any, problems: list[str]) -> bool:
    """Return whether a value can be a name or label, which reports show."""
    problem = problem_with_name(name)
    if problem:
        problems.append(f"{where}: {problem}; got {shown(name)}")
    return not problem


def find_span(text: str, place: Any) -> Span | str:
    """Return the characters a position names, or the rule that it breaks.

    `place` is a word that occurs once, "word#2" for its second occurrence, or [start, end].
    """
    if isinstance(place, str):
        word, _, count = place.rpartition("#") if _NUMBERED.search(place) else (place, "", "")
        hits = [m.span() for m in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text) if word]
        if count:
            return hits[int(count) - 1] if 0 < int(count) <= len(hits) else _occurs(word, hits)
        return hits[0] if len(hits) == 1 else _occurs(word, hits)
    if isinstance(place, (list, tuple)) and [type(end) for end in place] == [int, int]:
        start, end = place
        if 0 <= start < end <= len(text):
            return (start, end)
    return f"must be 'word', 'word#n' or [start, end] with 0 <= start < end <= {len(text)}"


def _occurs(word: str, hits: list[Span]) -> str:
    return (
        f"{shown(word)} occurs {len(hits)} times in the text, so write {shown(word + '#n')} with n "
        "of these"
    )


def _compare_positions(
    where: str, other: OwnPrompt, prompt: OwnPrompt, problems: list[str]
) -> None:
    """Check the positions of a counterpart against those of its original."""
    wanted = {name for name, _ in prompt.positions or ()}
    if other.positions is not None and {name for name, _ in other.positions} != wanted:
        got = sorted(name for name, _ in other.positions)
        problems.append(
            f"{where}, `positions`: must be those of the row, {shown(sorted(wanted))}; "
            f"got {shown(got)}"
        )
    if other.positions is None and wanted and other.group is not None:
        problems.append(
            f"{where}, `positions`: must be given where the counterpart has its own `group`, "
            f"since it need not align with the row; got nothing"
        )


def _compare(row: OwnRow, first: OwnRow, problems: list[str]) -> None:
    """Check that a row has what the first row has: positions, counterparts, perhaps a cluster."""
    pairs = {
        "positions": (row.position_names, first.position_names),
        "counterparts": tuple([name for name, _ in r.counterparts] for r in (row, first)),
    }
    for field, (got, wanted) in pairs.items():
        if set(got) != set(wanted):
            problems.append(
                f"{row.where}, `{field}`: must be those of {first.where}, {shown(sorted(wanted))}; "
                f"got {shown(sorted(got))}"
            )
    if (row.cluster is None) != (first.cluster is None):
        has = [shown(r.cluster) if r.cluster else "none" for r in (first, row)]
        problems.append(
            f"{row.where}, `cluster`: must be given in all rows or in none; "
            f"{first.where} has {has[0]}, {row.where} {has[1]}"
        )
