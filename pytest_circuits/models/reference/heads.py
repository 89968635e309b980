"""The heads of `reference-ioi`, as data: what each attends by and what it moves.

A head is a list of wires. A wire joins a mixture of spaces on one side to a mixture on the other
through its own part of the head's `d_head` dimensions. In `attends` a wire adds
`source(query position) . target(key position)` to the attention score; in `moves` it reads
`source` at the attended position and adds it to `target` at the head's own position.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_circuits.models.reference.layout import (
    CONST_SIZE,
    D_HEAD,
    LOGITS_PER_UNIT,
    SINK_SHRINK,
    SPACES,
)

Mix = tuple[tuple[str, float], ...]

# Points of attention score that the full position and token signals take from a name.
POSITION_INHIBITION = 3.1
TOKEN_INHIBITION = 1.4


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A link between two mixtures of spaces, each a tuple of (space, gain); widths agree."""

    source: Mix
    target: Mix

    @property
    def width(self) -> int:
        """The head dimensions the wire takes."""
        return SPACES[self.target[0][0]]


@dataclass(frozen=True, kw_only=True)
class HeadPlan:
    """One head that is not inert: where it sits, its role, its wires."""

    layer: int
    head: int
    role: str
    attends: tuple[Wire, ...]
    moves: tuple[Wire, ...]

    def __post_init__(self) -> None:
        for wires in (self.attends, self.moves):
            assert sum(wire.width for wire in wires) <= D_HEAD, (self.layer, self.head)


def _wire(source: str, target: str, gain: float = 1.0) -> Wire:
    return Wire(source=((source, gain),), target=((target, 1.0),))


def _prefer(target: Mix, score: float) -> Wire:
    """Return a wire that adds `score` times the target at a key position to its score."""
    return Wire(source=(("CONST", score / CONST_SIZE),), target=target)


def _rest(score: float) -> Wire:
    """Return a wire that gives position 0 that score; only for layers after the sink is written."""
    return _prefer((("FIRST", 1 / SINK_SHRINK),), score)


# 1 at every position but the resting place, where it is 0.
_ELSEWHERE: Mix = (("CONST", 1 / CONST_SIZE), ("FIRST", -1.0))


def previous_token(layer: int, head: int, *, strength: float, role: str, into: str) -> HeadPlan:
    """Return a head that attends one back and moves the token found there."""
    return HeadPlan(
        layer=layer,
        head=head,
        role=role,
        attends=(_wire("BEFORE", "POSITION", 30.0),),
        moves=(_wire("TOKEN", into, strength),),
    )


def duplicate_token(layer: int, head: int, *, strength: float) -> HeadPlan:
    """Return a head that attends to an earlier occurrence of its token, else to position 0.

    A score of gain for the same token, minus gain for the same position; resting at 0.62 gain lies
    half-way between the worst match (0.75) and the best mismatch (0.5).
    """
    gain = 60.0
    return HeadPlan(
        layer=layer,
        head=head,
        role="duplicate token",
        attends=(
            _wire("TOKEN", "TOKEN", gain),
            _wire("POSITION", "POSITION", -gain),
            _rest(0.62 * gain),
        ),
        moves=_duplicate_signal("POSITION", strength),
    )


def induction(layer: int, head: int, *, strength: float) -> HeadPlan:
    """Return a head that attends to the token after an earlier occurrence, else to position 0.

    The pointer is to the position before the attended one. A match scores the gain times what the
    previous-token heads wrote (1 in full), a mismatch at most a quarter of that.
    """
    gain = 40.0
    return HeadPlan(
        layer=layer,
        head=head,
        role="induction",
        attends=(
            _wire("TOKEN", "PREVIOUS", gain),
            _rest(0.5 * gain),
        ),
        moves=_duplicate_signal("BEFORE", strength),
    )


def _duplicate_signal(pointer: str, strength: float) -> tuple[Wire, ...]:
    return (
        _wire(pointer, "POINTER", strength),
        Wire(source=_ELSEWHERE, target=(("DUPLICATE", strength),)),
    )


def s_inhibition(
    layer: int, head: int, *, sharpness: float, position: float, token: float
) -> HeadPlan:
    """Return a head that attends to a name that is a duplicate, else to position 0.

    It moves the position signal (where the name stands, here and before) and the token signal.
    """
    return HeadPlan(
        layer=layer,
        head=head,
        role="S-inhibition",
        attends=(
            _prefer((("NAME", 1.0), ("DUPLICATE", 1.0)), sharpness),
            _rest(1.6 * sharpness),
        ),
        moves=(
            Wire(source=(("POINTER", 1.0), ("POSITION", 1.0)), target=(("NOT_AT", position),)),
            _wire("TOKEN", "NOT_TOKEN", token),
        ),
    )


def name_copier(
    layer: int, head: int, *, role: str, gain: float, rest: float, avoid_output: float = 0.0
) -> HeadPlan:
    """Return a head that attends to names not inhibited and writes `gain` logits of the name.

    `rest` is the score of position 0, against 6 for a name. With `avoid_output` the head keeps off
    names that earlier heads have already written: a backup.
    """
    return HeadPlan(
        layer=layer,
        head=head,
        role=role,
        attends=(
            _prefer((("NAME", 1.0),), 6.0),
            _wire("NOT_AT", "POSITION", -POSITION_INHIBITION),
            Wire(
                source=(("NOT_TOKEN", -TOKEN_INHIBITION), ("OUTPUT", -avoid_output)),
                target=(("TOKEN", 1.0),),
            ),
            _rest(rest),
        ),
        moves=(_wire("TOKEN", "OUTPUT", gain / LOGITS_PER_UNIT),),
    )


def uniform(layer: int, head: int) -> HeadPlan:
    """Return a head that attends to all positions alike and writes where nothing reads."""
    return HeadPlan(
        layer=layer,
        head=head,
        role="uniform decoy",
        attends=(),
        moves=(_wire("TOKEN", "UNREAD", 0.03),),
    )
