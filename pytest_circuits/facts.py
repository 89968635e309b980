"""What a claim contributes to the validity card of its suite, read off what it measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_circuits.interventions import Ablation, Reference
from pytest_circuits.measures.base import PromptMeasure
from pytest_circuits.nodes import Role
from pytest_circuits.pieces import pieces
from pytest_circuits.report.card import KINDS

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim
    from pytest_circuits.tasks.base import Task

INSTRUMENTS = ("structural plausibility", "attribution", "necessity", "paths", "interchange")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one claim contributes, as builtins: kinds, ablations, and by what it speaks of heads."""

    kinds: tuple[str, ...]
    ablations: tuple[str, ...]
    instruments: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as lists, for JSON."""
        return {
            "kinds": list(self.kinds),
            "ablations": list(self.ablations),
            "instruments": [list(each) for each in self.instruments],
        }


def facts(claim: Claim, task: Task) -> Facts:
    """Return what a claim contributes to the card of its suite."""
    found = set(_kinds(claim, task))
    return Facts(
        kinds=tuple(sorted(found & KINDS.keys())),
        ablations=tuple(sorted(_ablations(claim) if "necessity" in found else ())),
        instruments=tuple(
            (head, name)
            for head in sorted(_heads(claim))
            for name in sorted(found & {*INSTRUMENTS})
        ),
    )


def _kinds(claim: Claim, task: Task) -> Iterator[str]:
    inside = list(pieces(claim))
    names = {type(piece).__name__ for piece in inside}
    yield from (kind for kind, known in _BY_TYPE.items() if names & known)
    yield from _by_removal(inside)
    if names & _BEHAVIOUR and not names & {"Role", "Node"}:
        yield "behaviour"
    elsewhere = {str(on) for on in (getattr(piece, "on", None) for piece in inside) if on}
    if elsewhere & set(getattr(task, "adversarial", ())):
        yield "adversarial prediction"
    if elsewhere & set(getattr(task, "neutral", ())):
        yield "specificity"
    if len(getattr(claim, "seeds", ())) > 1 or len(getattr(claim, "templates", ())) > 1:
        yield "consistency"


def _by_removal(inside: Iterable[object]) -> Iterator[str]:
    """Yield what is tested by which runs the model's behaviour is compared in.

    F(C): sufficiency; F(M without K): necessity; F(C without K): minimality; with the last two
    compared, completeness.
    """
    behaviour = [piece for piece in inside if type(piece).__name__ in _BEHAVIOUR]
    under = [piece.under for piece in behaviour if isinstance(piece, PromptMeasure)]
    ablations = [each for each in under if isinstance(each, Ablation)]
    in_circuit = any(each.given and each.given.outside for each in ablations)
    removed = any(not each.outside and not each.given for each in ablations)
    if in_circuit:
        yield "completeness" if removed else "minimality"
    elif removed:
        yield "necessity"
    elif any(each.outside for each in ablations):
        yield "sufficiency"


def _ablations(claim: Claim) -> set[str]:
    """Return the kinds of ablation a claim makes."""
    swept = getattr(claim, "ablations", ())
    inside = swept or [piece for piece in pieces(claim) if isinstance(piece, Reference)]
    return {str(each.kind) for each in inside if each.kind != "counterpart"}


def _heads(claim: Claim) -> set[str]:
    """Return the heads that a claim is about: of its measures' roles, not of what it keeps."""
    roles = (getattr(piece, name, None) for piece in pieces(claim) for name in ("role", "what"))
    return {str(head) for role in roles if isinstance(role, Role) for head in role.heads}


_BEHAVIOUR = {"LogitDifference", "AnswerPreferred", "AnswerProbability", "FoilPreferred"}

_BY_TYPE = {
    "structural plausibility": {
        "Attention",
        "AttentionLogitCorrelation",
        "CopyScore",
        "DirectLogitAttribution",
        "TokenScore",
    },
    "attribution": {"DirectLogitAttribution", "AttentionLogitCorrelation", "SelfRepair"},
    "necessity": {"TotalEffect", "KnockOutShare", "TotalAndDirectEffect"},
    "sufficiency": {"EdgeCircuit", "FaithfulnessArea", "PerPromptDifference", "Scrub"},
    "minimality": {"Minimality"},
    "completeness": {"GreedyCompleteness"},
    "baseline separation": {"AgainstRandom", "RandomRank"},
    "paths": {"PathEffect", "PathPatch"},
    "interchange": {"Carries", "InterchangeEffect", "SignalTable", "SignalWeight", "SignalFit"},
}
