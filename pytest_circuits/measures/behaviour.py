"""What the model does at END: logit difference, preferred answer, probability of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.interventions import Intervention
from pytest_circuits.measures.base import weighted_means
from pytest_circuits.measures.of_heads import PromptMeasure
from pytest_circuits.nodes import Head
from pytest_circuits.readings import Draw, Need, Read, Reading, Site, Weights

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array


@dataclass(frozen=True)
class AnswerLogits:
    """At END: the logit of the answer and of the foil."""

    def heads(self) -> tuple[Head, ...]:
        """Read no head."""
        return ()

    def sites(self) -> tuple[Site, ...]:
        """Read the two logits."""
        return (Site("answers"),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 2]: answer logit, foil logit."""
        return batch.act(Site("answers")).float()


@dataclass(frozen=True)
class AnswerLogProbability:
    """At END: the log-probability of the answer over the whole vocabulary."""

    def heads(self) -> tuple[Head, ...]:
        """Read no head."""
        return ()

    def sites(self) -> tuple[Site, ...]:
        """Read all logits."""
        return (Site("logits"),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 1]."""
        logits = batch.act(Site("logits")).float().log_softmax(dim=1)
        return logits.gather(1, batch.answers[:, None])


@dataclass(frozen=True, kw_only=True)
class _Behaviour(PromptMeasure):
    """A mean over prompts of something made of the answer logits."""

    words: ClassVar[str]
    reading: ClassVar[Reading] = AnswerLogits()

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits of one run."""
        return (Need(self.run(draw), self.reading),)

    def column(self, numbers: Array) -> Array:
        """Return one number per prompt, [prompts, 1], from what was read."""
        raise NotImplementedError

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the weighted mean over prompts, [1, draws]."""
        column = self.column(read(self.needs(draw)[0]))
        return weighted_means([column], weights)[..., 0]

    def __str__(self) -> str:
        return self.words + self.circumstances()


@dataclass(frozen=True, kw_only=True)
class LogitDifference(_Behaviour):
    """See `logit_difference`."""

    unit: ClassVar[str] = "logits"
    words: ClassVar[str] = "logit difference"

    def column(self, numbers: Array) -> Array:
        """Return answer logit minus foil logit."""
        return numbers[:, :1] - numbers[:, 1:2]


@dataclass(frozen=True, kw_only=True)
class AnswerPreferred(_Behaviour):
    """See `answer_preferred`."""

    kind: ClassVar[Literal["mean", "share"]] = "share"
    unit: ClassVar[str] = "share of prompts"
    words: ClassVar[str] = "share of prompts with the answer's logit above the foil's"

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1."""
        return 0.0, 1.0

    def column(self, numbers: Array) -> Array:
        """Return 1 where the answer's logit is strictly the larger."""
        return (numbers[:, :1] > numbers[:, 1:2]).astype(float)


@dataclass(frozen=True, kw_only=True)
class FoilPreferred(_Behaviour):
    """See `foil_preferred`."""

    kind: ClassVar[Literal["mean", "share"]] = "share"
    unit: ClassVar[str] = "share of prompts"
    words: ClassVar[str] = "share of prompts with the foil's logit above the answer's"

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1."""
        return 0.0, 1.0

    def column(self, numbers: Array) -> Array:
        """Return 1 where the foil's logit is strictly the larger."""
        return (numbers[:, 1:2] > numbers[:, :1]).astype(float)


@dataclass(frozen=True, kw_only=True)
class AnswerProbability(_Behaviour):
    """See `answer_probability`."""

    unit: ClassVar[str] = "probability"
    words: ClassVar[str] = "probability of the answer"
    reading: ClassVar[Reading] = AnswerLogProbability()

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1."""
        return 0.0, 1.0

    def column(self, numbers: Array) -> Array:
        """Return softmax(logits)[answer]."""
        import numpy as np

        return np.exp(numbers)


def logit_difference(
    *, on: str | None = None, under: Intervention | None = None
) -> LogitDifference:
    """Measure F = mean over prompts of logit[answer] - logit[foil] at END (for IOI: IO - S).

    Unit logits, any sign; 0 is no preference. `on` names a counterpart distribution instead of
    the task's own prompts, `under` an ablation. Source: Wang et al. 2022, section 2 (GPT-2
    small: 3.56). A high value does not show that the answer is likely: both logits can be low.
    """
    return LogitDifference(on=on, under=under)


def answer_preferred(
    *, on: str | None = None, under: Intervention | None = None
) -> AnswerPreferred:
    """Measure the share of prompts with logit[answer] > logit[foil] at END; 0 to 1, ties are no.

    Interval: Clopper and Pearson. Source: Wang et al. 2022, section 2 (GPT-2 small: 0.993). It says
    nothing about how much larger, nor about other tokens.
    """
    return AnswerPreferred(on=on, under=under)


def foil_preferred(*, on: str | None = None, under: Intervention | None = None) -> FoilPreferred:
    """Measure the share of prompts with logit[foil] > logit[answer] at END; 0 to 1, ties are no.

    For predictions of failure: a distractor that repeats IO makes the model prefer S. Interval:
    Clopper and Pearson; of a difference between distributions from theirs, paired by prompt.
    Source: Wang et al. 2022, section 4 (GPT-2 small: 0.007, with the distractor 0.234). A
    distractor lowers the logit difference whomever it names: claim it for a control as well.
    """
    return FoilPreferred(on=on, under=under)


def answer_probability(
    *, on: str | None = None, under: Intervention | None = None
) -> AnswerProbability:
    """Measure the mean probability of the answer at END, softmax over the vocabulary; 0 to 1.

    Source: Wang et al. 2022, section 2 (GPT-2 small: 0.49).
    """
    return AnswerProbability(on=on, under=under)
