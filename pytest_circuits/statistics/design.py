"""How prompts were drawn, and what that makes of the error of a mean over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.influence import IntArray

Kind = Literal["independent", "stratified", "clustered"]


@dataclass(frozen=True, eq=False)
class Design:
    """How n prompts were drawn; `codes` [prompts] numbers the strata or clusters.

    - `independent`: each for itself. Squared error: mean square of the influence over n - 1.
    - `stratified`: so many from each stratum, by design. What differs between strata is then no
      chance of the draw, and each stratum's own variance counts (Cochran 1977, section 5.4).
      Intervals are for fresh prompts of the same strata.
    - `clustered`: clusters drawn at random, with all of their prompts. Only sums over clusters
      are independent: CR1, G / (G - 1) times the sum of their squares (Liang and Zeger 1986), as in
      statsmodels. Intervals are for fresh clusters, however many prompts each has.
    """

    n: int
    kind: Kind = "independent"
    codes: Any = None

    @property
    def groups(self) -> int:
        """The number of strata or clusters; one for independent prompts."""
        return 1 if self.codes is None else int(self.codes.max()) + 1

    @property
    def units(self) -> int:
        """How many things were drawn independently: prompts, or clusters."""
        return self.groups if self.kind == "clustered" else self.n

    @property
    def df(self) -> int:
        """The degrees of freedom of the error."""
        return self.n - self.groups if self.kind == "stratified" else self.units - 1

    @property
    def words(self) -> str:
        """What the error is over, in words."""
        if self.kind == "clustered":
            return f"{self.groups} clusters"
        return "prompts" + (f" within {self.groups} strata" if self.kind == "stratified" else "")

    def by_unit(self, influence: Array) -> Array:
        """Return the influence [..., units] of what was drawn: of prompts, or of clusters."""
        return self._sums(influence) if self.kind == "clustered" else influence

    def errors(self, influence: Array) -> Array:
        """Return the standard error that an influence [..., prompts] of mean 0 amounts to."""
        import numpy as np

        if self.kind == "clustered":
            squares = (self._sums(influence) ** 2).sum(axis=-1) * self.groups / (self.groups - 1)
        elif self.kind == "stratified":
            sizes = self._sizes()
            squares = (self._within(influence) ** 2 * (sizes / (sizes - 1))).sum(axis=-1)
        else:
            squares = (influence**2).sum(axis=-1) * self.n / (self.n - 1)
        errors: Array = np.sqrt(squares) / self.n
        return errors

    def along(self, influence: Array) -> Array:
        """Return the reweighting [..., prompts] that moves a mean by one standard error.

        That is in the direction in which the value changes most, of those the design allows.
        """
        import numpy as np

        ways = {"clustered": self._spread_out, "stratified": self._within}
        direction = ways[self.kind](influence) if self.kind in ways else influence
        moved = (direction * influence).sum(axis=-1, keepdims=True) / self.n
        step: Array = direction * self.errors(influence)[..., None] / np.where(moved > 0, moved, 1)
        return step

    def resampled(self, count: int, seed: int) -> Array:
        """Return how often each prompt is in each of `count` bootstrap resamples, [count, prompts].

        Clusters are drawn whole; strata are not told apart, which is on the safe side.
        """
        import numpy as np

        random, units = np.random.default_rng([seed, self.n]), self.units
        drawn: Array = random.multinomial(units, np.full(units, 1 / units), count).astype(float)
        return drawn[:, self.codes] if self.kind == "clustered" else drawn

    def _sums(self, influence: Array) -> Array:
        import numpy as np

        sums: Array = influence @ np.eye(self.groups)[self.codes]
        return sums

    def _spread_out(self, influence: Array) -> Array:
        return self._sums(influence)[..., self.codes]

    def _sizes(self) -> Array:
        """Return the size of each prompt's group, [prompts]."""
        import numpy as np

        sizes: Array = np.bincount(self.codes)[self.codes].astype(float)
        return sizes

    def _within(self, influence: Array) -> Array:
        return influence - self._spread_out(influence) / self._sizes()


def independent(n: int) -> Design:
    """Return the design of n prompts drawn each for itself."""
    return Design(n)


def stratified(*labels: Sequence[str]) -> Design:
    """Return the design stratified by the first labels of which each occurs twice or more.

    Labels go from fine to coarse, each of all prompts; without any that do, prompts count as
    independent, which is on the safe side.
    """
    for each in labels:
        codes, sizes = _codes(each)
        if min(sizes) > 1:
            return Design(len(each), "stratified", codes)
    return Design(len(labels[0]))


def clustered(labels: Sequence[str]) -> Design:
    """Return the design of clusters, two or more, each with a label of its own."""
    codes, _ = _codes(labels)
    return Design(len(labels), "clustered", codes)


def _codes(labels: Sequence[str]) -> tuple[IntArray, list[int]]:
    import numpy as np

    number = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    codes = np.array([number[label] for label in labels])
    return codes, np.bincount(codes).tolist()
