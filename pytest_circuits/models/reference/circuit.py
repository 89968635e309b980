"""Which heads `reference-ioi` has, how strong each is, and which role it plays where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pytest_circuits.models.reference.heads import (
    HeadPlan,
    duplicate_token,
    induction,
    name_copier,
    previous_token,
    s_inhibition,
    uniform,
)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The heads of a role, as (layer, head), and the named position they act at."""

    heads: tuple[tuple[int, int], ...]
    position: str


def plan_heads() -> tuple[HeadPlan, ...]:
    """Return every head that is not inert; all others have zero weights."""
    return (
        previous_token(0, 3, strength=0.55, role="previous token", into="PREVIOUS"),
        previous_token(1, 0, strength=0.45, role="previous token", into="PREVIOUS"),
        duplicate_token(2, 0, strength=0.35),
        duplicate_token(3, 2, strength=0.2),
        induction(2, 3, strength=0.27),
        induction(3, 1, strength=0.18),
        s_inhibition(4, 3, sharpness=6.0, position=0.6, token=0.5),
        s_inhibition(5, 1, sharpness=8.0, position=0.4, token=0.5),
        name_copier(6, 0, role="name mover", gain=5.5, rest=4.0),
        name_copier(6, 2, role="name mover", gain=3.5, rest=4.5),
        name_copier(7, 0, role="backup name mover", gain=5.0, rest=5.2, avoid_output=4.5),
        name_copier(7, 2, role="backup name mover", gain=3.5, rest=5.2, avoid_output=3.5),
        name_copier(7, 1, role="negative name mover", gain=-1.4, rest=4.0),
        name_copier(7, 3, role="negative name mover", gain=-0.9, rest=4.5),
        previous_token(0, 0, strength=0.03, role="previous token decoy", into="UNREAD"),
        uniform(4, 0),
        name_copier(6, 3, role="name mover decoy", gain=1e-5, rest=4.0),
    )


def _place(position_of: Mapping[str, str]) -> Mapping[str, Placement]:
    plans = plan_heads()
    return MappingProxyType(
        {
            role: Placement(
                heads=tuple((p.layer, p.head) for p in plans if p.role == role), position=position
            )
            for role, position in position_of.items()
        }
    )


REFERENCE_ROLES = _place(
    {
        "previous token": "S1+1",
        "duplicate token": "S2",
        "induction": "S2",
        "S-inhibition": "END",
        "name mover": "END",
        "backup name mover": "END",
        "negative name mover": "END",
    }
)
REFERENCE_DECOYS = _place(
    {"previous token decoy": "S1+1", "uniform decoy": "END", "name mover decoy": "END"}
)
