"""What a claim contributes to the validity card of its suite, read off what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_circuits.interventions import Ablation, Reference
from pytest_circuits.measures.base import Absolute, Combined, Measure
from pytest_circuits.measures.composed import Listed
from pytest_circuits.nodes import Role
from pytest_circuits.pieces import pieces
from pytest_circuits.report.card import KINDS

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim
    from pytest_circuits.tasks.base import Task

Says = Literal["high", "low", "either"]

BEHAVIOUR = {"LogitDifference", "AnswerPreferred", "AnswerProbability", "FoilPreferred"}

INSTRUMENTS = ("structural plausibility", "attribution", "necessity", "paths", "interchange")

# What a claim must say of a measure to be evidence of a kind. high: it is more than 0, or than
# another; low: it is at most so much; either: it is not 0. The rest depends on ablations: below.
EVIDENCE: tuple[tuple[str, Says, tuple[str, ...]], ...] = (
    ("structural plausibility", "high", ("Attention", "CopyScore", "TokenScore")),
    ("structural plausibility", "either", ("DirectLogitAttribution", "AttentionLogitCorrelation")),
    (
        "attribution",
        "either",
        ("DirectLogitAttribution", "AttentionLogitCorrelation", "SelfRepair"),
    ),
    ("necessity", "high", ("TotalEffect", "TotalAndDirectEffect")),
    ("necessity", "low", ("KnockOutShare",)),
    ("sufficiency", "high", ("CPR",)),
    ("sufficiency", "low", ("CMD", "PerPromptDifference")),
    ("minimality", "high", ("Minimality",)),
    ("completeness", "low", ("GreedyCompleteness",)),
    ("baseline separation", "low", ("AgainstRandom", "RandomRank")),
    ("paths", "either", ("PathEffect", "PathPatch")),
    ("interchange", "either", ("Carries", "InterchangeEffect", "SignalTable", "SignalWeight")),
    ("interchange", "high", ("SignalFit",)),
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one claim contributes, as builtins: kinds, ablations, and by what it speaks of heads.

    `adversarial` are the distributions on which it predicts failure, `controls` those for whose
    control it says that there the model does the task, or fails less.
    """

    kinds: tuple[str, ...]
    ablations: tuple[str, ...]
    instruments: tuple[tuple[str, str], ...]
    adversarial: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as lists, for JSON."""
        return {
            "kinds": list(self.kinds),
            "ablations": list(self.ablations),
            "instruments": [list(each) for each in self.instruments],
            "adversarial": list(self.adversarial),
            "controls": list(self.controls),
        }


@dataclass(frozen=True)
class _Leaf:
    """A measure inside a claim, and whether the claim bounds it from below and from above."""

    measure: Measure
    high: bool
    low: bool


def facts(claim: Claim, task: Task) -> Facts:
    """Return what a claim contributes to the card of its suite."""
    found = set(_kinds(claim, task))
    adversarial, controls = _predictions(claim, task)
    return Facts(
        kinds=tuple(sorted(found & KINDS.keys())),
        ablations=tuple(sorted(_ablations(claim) if "necessity" in found else ())),
        instruments=tuple(
            (head, name)
            for head in sorted(_heads(claim))
            for name in sorted(found & {*INSTRUMENTS})
        ),
        adversarial=tuple(sorted(adversarial)),
        controls=tuple(sorted(controls)),
    )


def _kinds(claim: Claim, task: Task) -> Iterator[str]:
    leaves = list(_leaves(claim.measure, *_bounded(claim)))
    for leaf in leaves:
        yield from (kind for kind, says, known in EVIDENCE if _tells(claim, leaf, says, known))
    yield from _by_removal(claim, leaves)
    yield from _of_behaviour(claim, leaves, task)
    if len(getattr(claim, "seeds", ())) > 1 or len(getattr(claim, "templates", ())) > 1:
        yield "consistency"


def _bounded(claim: Claim) -> tuple[bool, bool]:
    """Return whether a claim bounds its measure from below, and from above."""
    between = claim.relation == "between"
    return between or claim.relation in (">=", ">"), between or claim.relation in ("<=", "<")


def _leaves(measure: Measure, high: bool, low: bool) -> Iterator[_Leaf]:
    """Yield what a measure is made of, with the direction a claim on the whole gives to each."""
    if isinstance(measure, Combined):
        yield from _leaves(measure.left, high, low)
        yield from _leaves(measure.right, low, high)
    elif isinstance(measure, Absolute):  # at most x: from both sides; at least x: from neither
        yield from _leaves(measure.inner, low, low)
    elif isinstance(measure, Listed):
        for _, part in measure.parts:
            yield from _leaves(part, high, low)
    else:
        yield _Leaf(measure, high, low)


def _is_difference(measure: Measure) -> bool:
    return isinstance(measure, Combined) and measure.operation == "-"


def _is_near(measure: Measure) -> bool:
    """Return whether a measure is a difference, with its sign or without."""
    if isinstance(measure, Listed):
        return _is_near(measure.parts[0][1])
    return _is_difference(measure) or isinstance(measure, Absolute)


def _excludes_zero(claim: Claim) -> bool:
    """Return whether no effect, no attention, no difference would break a claim.

    Of two measures, one at least the other: what is claimed is that they differ.
    """
    if isinstance(claim.threshold, tuple):
        low, high = claim.threshold
        return low > 0 or high < 0
    beyond = claim.threshold if claim.relation in (">=", ">") else -claim.threshold
    strict = claim.relation in (">", "<") or _is_difference(claim.measure)
    return beyond > 0 or (beyond == 0 and strict)


def _tells(claim: Claim, leaf: _Leaf, says: Says, known: Collection[str]) -> bool:
    """Return whether a claim says of one of these measures what is evidence."""
    if not {_name(piece) for piece in pieces(leaf.measure)} & set(known):
        return False
    return leaf.low if says == "low" else _excludes_zero(claim) and (leaf.high or says == "either")


def _name(piece: object) -> str:
    """Return the type of a piece of a claim; of an area over sizes which of the two it is."""
    return str(getattr(piece, "area", type(piece).__name__))


def _by_removal(claim: Claim, leaves: Sequence[_Leaf]) -> Iterator[str]:
    """Yield what is tested by which runs the model's behaviour is compared in.

    F(C) is high, or little less than F(M): sufficiency. F(M without K) is low: necessity. F(C
    without K) differs from F(C): minimality, and does not from F(M without K): completeness.
    """
    known = [each for each in leaves if type(each.measure).__name__ in BEHAVIOUR]
    removed = [each for each in known if _is_ablated(each, outside=False, given=False)]
    if any(_is_ablated(each, outside=False, given=True) for each in known):
        if removed and _bounded(claim)[1]:
            yield "completeness"
        if not removed and _excludes_zero(claim):
            yield "minimality"
        return
    if any(leaf.low for leaf in removed) and (_excludes_zero(claim) or not _is_near(claim.measure)):
        yield "necessity"
    kept = [leaf for leaf in known if _is_ablated(leaf, outside=True, given=False) or _keeps(leaf)]
    if any(leaf.high for leaf in kept) and (_excludes_zero(claim) or _is_near(claim.measure)):
        yield "sufficiency"


def _is_ablated(leaf: _Leaf, *, outside: bool, given: bool) -> bool:
    """Return whether a behaviour is that of a model without nodes (or all others), in a circuit."""
    under = getattr(leaf.measure, "under", None)
    if not isinstance(under, Ablation):
        return False
    return (under.outside, bool(under.given and under.given.outside)) == (outside, given)


def _keeps(leaf: _Leaf) -> bool:
    """Return whether a behaviour is that of a circuit of edges, or of a hypothesis."""
    return bool({"EdgeCircuit", "Scrub"} & {type(piece).__name__ for piece in pieces(leaf.measure)})


def _of_behaviour(claim: Claim, leaves: Sequence[_Leaf], task: Task) -> Iterator[str]:
    neutral, adversarial = set(getattr(task, "neutral", ())), set(getattr(task, "adversarial", ()))
    names_no_head = not {type(piece).__name__ for piece in pieces(claim)} & {"Role", "Node"}
    for leaf in leaves:
        on = _on(leaf.measure)
        elsewhere = on in neutral | adversarial
        shown = _excludes_zero(claim) or type(leaf.measure).__name__ == "FoilPreferred"
        if names_no_head and not elsewhere and _does_task(leaf) and shown:
            yield "behaviour"
        if on in neutral and leaf.low:
            yield "specificity"
        if on in adversarial and _fails_at_task(leaf):
            yield "adversarial prediction"


def _predictions(claim: Claim, task: Task) -> tuple[set[str], set[str]]:
    """Return where a claim predicts failure, and for which of these what it predicts of a control.

    A control has what makes the adversarial prompts long or odd, but not what misleads.
    """
    adversarial = set(getattr(task, "adversarial", ()))
    control_of = {control: on for on, control in getattr(task, "controls", {}).items()}
    leaves = list(_leaves(claim.measure, *_bounded(claim)))
    fails = {_on(leaf.measure) for leaf in leaves if _fails_at_task(leaf)} & adversarial
    controls = {_on(leaf.measure) for leaf in leaves if _does_task(leaf)} & control_of.keys()
    return fails, {control_of[each] for each in controls}


def _on(measure: Measure) -> str:
    return str(getattr(measure, "on", None) or "")


def _does_task(leaf: _Leaf) -> bool:
    name = type(leaf.measure).__name__
    return name in BEHAVIOUR and (leaf.low if name == "FoilPreferred" else leaf.high)


def _fails_at_task(leaf: _Leaf) -> bool:
    name = type(leaf.measure).__name__
    return name in BEHAVIOUR and (leaf.high if name == "FoilPreferred" else leaf.low)


def _ablations(claim: Claim) -> set[str]:
    """Return the kinds of ablation a claim makes."""
    swept = getattr(claim, "ablations", ())
    inside = swept or [piece for piece in pieces(claim) if isinstance(piece, Reference)]
    return {str(each.kind) for each in inside if each.kind != "counterpart"}


def _heads(claim: Claim) -> set[str]:
    """Return the heads that a claim is about: of its measures' roles, not of what it keeps."""
    roles = (getattr(piece, name, None) for piece in pieces(claim) for name in ("role", "what"))
    return {str(head) for role in roles if isinstance(role, Role) for head in role.heads}
