"""The validity card: which kinds of evidence a suite's claims give, and which are missing.

A card counts kinds, it does not weigh them: two claims of a kind may both be weak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KINDS = {
    "behaviour": "the model does the task",
    "structural plausibility": "heads attend, copy or write as their role says",
    "necessity": "without a part the task suffers, under two or more ablations",
    "sufficiency": "the circuit alone does the task",
    "specificity": "what is claimed differs on prompts without the task",
    "minimality": "every part of the circuit matters",
    "completeness": "nothing is missing from the circuit",
    "convergence": "heads of one role are named by two or more kinds of instrument",
    "consistency": "a claim holds over several seeds or templates",
    "baseline separation": "random circuits do not do as well",
    "adversarial prediction": "the circuit predicts where the model fails",
}


UNSELECTED = "not selected"
"""The status of a claim that was collected and not selected: it may hold."""


def card_lines(card: Mapping[str, str]) -> list[str]:
    """Return a card as lines of plain text, a kind each, with what it stands for."""
    kinds, said = max(map(len, card)), max(map(len, card.values()))
    return [f"{kind:<{kinds}}  {card[kind]:<{said}}  {KINDS[kind]}" for kind in card]


def card(claims: Sequence[tuple[Mapping[str, Any], str]]) -> dict[str, str]:
    """Return per kind of evidence what the suite has of it, from each claim's facts and status.

    Only claims that hold are evidence; of a kind that is claimed and does not hold, that is said,
    and of one for which there are claims that were not selected.
    """
    held, tried, every = (
        [given for given, status in claims if status in wanted]
        for wanted in (
            {"holds"},
            {status for _, status in claims} - {UNSELECTED},
            {status for _, status in claims},
        )
    )
    return {kind: _said(kind, held, tried, every) for kind in KINDS}


Given = Sequence[Mapping[str, Any]]


def _said(kind: str, held: Given, tried: Given, every: Given) -> str:
    if have := _count(kind, held):
        return _claims(have) + _without_control(kind, held)
    if _count(kind, tried):
        return "claimed, does not hold"
    there = _count(kind, every)
    return f"{_claims(there)}, {UNSELECTED}" if there else "MISSING"


def _claims(number: int) -> str:
    return f"{number} claim{'s' if number > 1 else ''}"


def _without_control(kind: str, held: Given) -> str:
    """Return that failure is predicted without a claim that its control does not fail so."""
    if kind != "adversarial prediction":
        return ""
    predicted = {on for each in held for on in each["adversarial"]}
    controlled = {on for each in held for on in each["controls"]}
    return "" if predicted & controlled else ", without control"


def _count(kind: str, given: Sequence[Mapping[str, Any]]) -> int:
    if kind == "convergence":
        return _converging(given)
    count = sum(kind in each["kinds"] for each in given)
    ablations = {name for each in given for name in each["ablations"]}
    return 0 if kind == "necessity" and len(ablations) < 2 else count


def _converging(given: Sequence[Mapping[str, Any]]) -> int:
    """Return how many claims speak of a head that another kind of instrument speaks of as well."""
    by_head: dict[str, set[str]] = {}
    for each in given:
        for head, instrument in each["instruments"]:
            by_head.setdefault(head, set()).add(instrument)
    several = {head for head, names in by_head.items() if len(names) > 1}
    return sum(any(head in several for head, _ in each["instruments"]) for each in given)
