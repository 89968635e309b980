"""What heads do along one path: path patching to the logits, or to what other heads read."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_circuits.interventions import Ablation, Intervention, MLPs, Reference, path_patch
from pytest_circuits.measures.effects import Effect, What
from pytest_circuits.measures.of_heads import check_on
from pytest_circuits.nodes import LOGITS, Inputs, Logits, Role, check_role
from pytest_circuits.readings import Draw


@dataclass(frozen=True, kw_only=True)
class PathEffect(Effect):
    """See `path_effect` and `direct_effect`."""

    receivers: tuple[Inputs | Logits, ...]
    to: Reference
    mlps: MLPs = "live"

    def __post_init__(self) -> None:
        check_role("senders", self.what)
        check_on(self.on)
        for part in self._parts():  # refused here, not at evaluation, if it leads nowhere
            self._patched(part)

    def changed(self, part: What, draw: Draw) -> Intervention:
        """Patch the paths from the part to all receivers."""
        return self._patched(part)

    def _patched(self, part: What) -> Intervention:
        assert isinstance(part, Role)  # __post_init__ lets nothing else in
        return path_patch(part, *self.receivers, to=self.to, mlps=self.mlps, given=self.given)

    def __str__(self) -> str:
        given = f"; given {self.given}" if self.given else ""
        return f"{self._path()} [senders -> {self.to}, MLPs {self.mlps}{given}]"

    def _path(self) -> str:
        on = f" on {self.on}" if self.on else ""
        if self.receivers == (LOGITS,):
            return f"direct effect of {self.whose()}{on}"
        ends = " and ".join(map(str, self.receivers))
        return f"effect of the path {self.whose()} -> {ends}{on}"


def direct_effect(
    what: Role,
    *,
    to: Reference,
    mlps: MLPs = "live",
    on: str | None = None,
    given: Ablation | None = None,
) -> PathEffect:
    """Measure the direct effect of heads: F(M) - F(M with the path heads -> logits patched).

    Unit logits; positive where the heads push the answer above the foil, negative where they push
    it down. On the patched path the logits see the heads' output replaced by `to` (the paper
    takes counterpart(over=ABC)), all other heads as they were. MLPs behind the heads are `live`,
    recomputed, as in the paper, and what they make of the heads' output counts; `frozen` leaves
    them out. The heads of a role are patched together; with role.each, role.mean or role.sum one
    by one. `given` is an ablation that holds in both runs.

    Source: Wang et al. 2022, section 3.1. A direct effect is not repaired by later heads, hence
    need not agree with the total effect (`knock_out_effect`), not even in sign. It does not show
    what the heads read. The final norm answers to what is patched: the direct effect of SmolLM2's
    four name movers is 2.19 logits, and 2.43 with the norm's scale held, that of one negative head
    -0.84 and -0.94 (64 prompts, to=mean(ABC)); `direct_logit_attribution` holds it.
    """
    return path_effect(what, LOGITS, to=to, mlps=mlps, on=on, given=given)


def path_effect(
    senders: Role,
    receivers: Inputs | Logits | tuple[Inputs, ...],
    *,
    to: Reference,
    mlps: MLPs = "live",
    on: str | None = None,
    given: Ablation | None = None,
) -> PathEffect:
    """Measure F(M) - F(M with the path senders -> receivers patched).

    Unit logits, any sign; divide by logit_difference() for the share of the logit difference
    (by logit_difference(under=given) where something is given). `receivers` are role.q, role.k
    or role.v, several as a tuple, or LOGITS: all receivers, and all their heads, read the
    senders' output replaced by `to`, other heads frozen; then everything is live. MLPs in
    between are `live` (recomputed, as in the paper) or `frozen`. Senders are patched together;
    with senders.each, .mean or .sum one by one.

    Source: Wang et al. 2022, section 3 (S-inhibition heads -> queries of the name movers). It is
    what the path does to the logits, after heads beyond the receivers have compensated; to see
    what it does to the receivers, measure them under the patch: `attention(name_movers.mean,
    to=IO, under=path_patch(s_inhibition, name_movers.q, to=...))`. A path that matters does not
    show that the receivers' other inputs do not.
    """
    several = receivers if isinstance(receivers, tuple) else (receivers,)
    return PathEffect(what=senders, receivers=several, to=to, mlps=mlps, on=on, given=given)
