"""The indirect object identification task (IOI) of Wang et al. 2022, arXiv 2211.00593.

Two people are named, one of them a second time, and the sentence breaks off where the other
name follows: "One morning, Mary and John met near the lake. John offered a book to" -> " Mary".
Wording, word lists and drawing are this package's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pytest_circuits.arguments import check_text, check_whole, several
from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.tasks.base import Dataset, Tokenizer
from pytest_circuits.tasks.encoding import check_bos
from pytest_circuits.tasks.ioi_prompts import prompts_of
from pytest_circuits.tasks.ioi_rows import (
    ABBA,
    BABA,
    distracted,
    distracted_by_third,
    distracted_without_duplicate,
    draw_rows,
    flipped,
    original,
    renamed,
    renamed_flipped,
    second_is_io,
    swapped,
    without_duplicate,
)
from pytest_circuits.tasks.ioi_stock import read_words, take_stock
from pytest_circuits.tasks.ioi_variations import FEATURES, Variations, variation
from pytest_circuits.tasks.positions import END, S1, S1_NEXT, S2
from pytest_circuits.tasks.positions import IO as IO_POSITION
from pytest_circuits.tasks.templates import DISTRACTORS, TEMPLATES, problem_with

ABC = "ABC"
"""Three different names: no name is duplicated, so there is no task. The neutral reference."""

FLIP = "FLIP"
"""The other order (ABBA <-> BABA) of the same names; same answer. Inverts where S1 stands."""

SWAPPED = "SWAPPED"
"""IO and S exchange roles, all positions stay; the answer is the old S. Inverts who S is."""

S2_IO = "S2_IO"
"""IO in place of S2, nothing else: IO becomes the subject, S the answer. Inverts both."""

RENAMED = "RENAMED"
"""Two other names in the same order; the answer is the new IO."""

RENAMED_FLIP = "RENAMED_FLIP"
"""Two other names, those of RENAMED, in the other order; the answer is the new IO."""

DISTRACTOR = "DISTRACTOR"
"""Adversarial: a sentence in between names IO once more. Longer than the task's own prompts."""

DISTRACTOR_CONTROL = "DISTRACTOR_CONTROL"
"""The same sentence naming a third person; aligned with DISTRACTOR, token for token."""

DISTRACTOR_ABC = "DISTRACTOR_ABC"
"""DISTRACTOR_CONTROL with three fresh names, none twice: its neutral reference, and DISTRACTOR's.

Prompts align where template *and* distractor sentence are the same, so a mean over them is over
few prompts: about one in 128 with the package's 16 templates and 8 sentences.
"""

_COUNTERPARTS = {
    ABC: without_duplicate,
    FLIP: flipped,
    SWAPPED: swapped,
    S2_IO: second_is_io,
    RENAMED: renamed,
    RENAMED_FLIP: renamed_flipped,
    DISTRACTOR: distracted,
    DISTRACTOR_CONTROL: distracted_by_third,
    DISTRACTOR_ABC: distracted_without_duplicate,
}


@dataclass(frozen=True, kw_only=True)
class IOI:
    """The IOI task: templates, their orders, names and the BOS policy.

    `bos` is None for no BOS token, "default" for the tokenizer's own, or the name of a token of
    the vocabulary. `templates` and `names` replace the package's own (None); a template reads
    "Then, {A} and {B} went to the {PLACE}. {S} gave a {OBJECT} to", and opens with two tokens or
    more so that no name stands on the attention sink. `orders` are "ABBA" (IO first), "BABA"
    (subject first), or both. Raises CircuitUsageError for templates, orders or names that break
    a rule.
    """

    bos: str | None = None
    templates: tuple[str, ...] | None = None
    orders: tuple[str, ...] = (ABBA, BABA)
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for argument in ("templates", "orders", "names"):
            given = getattr(self, argument)
            # Lists are welcome, but the task must stay hashable.
            object.__setattr__(self, argument, _strings(argument, given))
        check_bos(self.bos)
        problems = [*_order_problems(self.orders), *_template_problems(self.templates)]
        if self.names is not None and len(set(self.names)) != len(self.names):
            problems.append("`names` must differ; some name is listed twice")
        if problems:
            raise CircuitUsageError("\n".join(problems))

    @property
    def name(self) -> str:
        """The name of the task's own distribution."""
        return "IOI"

    @property
    def positions(self) -> tuple[str, ...]:
        """The named positions of every prompt."""
        return (IO_POSITION, S1, S1_NEXT, S2, END)

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The names of the counterpart distributions."""
        return tuple(_COUNTERPARTS)

    @property
    def neutral(self) -> tuple[str, ...]:
        """The counterparts in which the task is absent."""
        return (ABC, DISTRACTOR_ABC)

    @property
    def adversarial(self) -> tuple[str, ...]:
        """The counterparts on which the model, if it works by the paper's circuit, goes wrong."""
        return (DISTRACTOR,)

    @property
    def controls(self) -> dict[str, str]:
        """For each of these the counterpart that is as long and odd, and does not mislead."""
        return {DISTRACTOR: DISTRACTOR_CONTROL}

    @property
    def signals(self) -> tuple[str, ...]:
        """What S-inhibition heads say of S: where it stands first, and who it is."""
        return ("position", "token")

    @property
    def signal_table(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Per distribution the sign of the position and of the token signal.

        1: as in the task's own prompt of the row; -1: for IO in place of S; 0: for neither.
        Source: Wang et al. 2022, appendix on the signals of the S-inhibition heads.
        """
        return (
            (self.name, (1, 1)),
            (FLIP, (-1, 1)),
            (SWAPPED, (1, -1)),
            (S2_IO, (-1, -1)),
            (RENAMED, (1, 0)),
            (RENAMED_FLIP, (-1, 0)),
        )

    @property
    def features(self) -> tuple[str, ...]:
        """What a variation can keep: the order of the names, the name S, the name IO."""
        return FEATURES

    def varied(self, distribution: str, keep: frozenset[str]) -> str:
        """Return the name of the variation of a distribution that keeps only these features.

        Row by row a prompt with the same template, place and object, token for token aligned
        with the row it varies. Of `features` it agrees with that row on `keep`; a name not kept
        is another than the row's two, drawn from the names; an order not kept is a fair coin
        over ABBA and BABA (whatever `orders` are), so it agrees on half the rows, and with
        "-position" on none. Keeping all is the distribution itself. The prompts stand in the
        dataset under the name returned; those of equal names are equal. ABC, having no S,
        cannot be varied.
        """
        return variation(distribution, keep)

    def draw(self, tokenizer: Tokenizer, n: int, seed: int) -> Dataset:
        """Return `n` prompts and their counterparts, the same for the same arguments.

        The prompts of a smaller `n` are the first ones of a larger `n`. In each counterpart the
        positions, answers and foils are those of the counterpart's own prompts: the answer is
        the name at IO, the foil the name at S1. Raises ClaimNotEvaluable if the tokenizer lacks
        the names, the BOS token, or aligned templates.
        """
        check_whole("n", n, 1)
        stock = take_stock(
            tokenizer,
            read_words("names") if self.names is None else self.names,
            TEMPLATES if self.templates is None else self.templates,
        )
        rows = draw_rows(stock, self.orders, n, seed)
        sentences = {self.name: [original(row) for row in rows]}
        sentences |= {name: [make(row) for row in rows] for name, make in _COUNTERPARTS.items()}
        prompts = prompts_of(tokenizer, sentences, stock.ids, self.bos)
        variations = Variations(
            tokenizer=tokenizer, stock=stock, bos=self.bos, seed=seed, sentences=sentences
        )
        return Dataset(
            prompts=prompts[self.name],
            counterparts={name: prompts[name] for name in _COUNTERPARTS},
            neutral=frozenset(self.neutral),
            left_out=stock.left_out,
            description=(
                f"IOI, n={n}, seed={seed}, bos={self.bos}, orders {'+'.join(self.orders)}, "
                f"{len(stock.templates)} templates, {len(stock.words['names'])} names"
            ),
            strata=prompts[self.name].strata,
            clusters=prompts[self.name].groups,
            cluster_kind="templates",
            vary=cache(variations.prompts),
        )


def vocabulary() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names, and all other words and marks, that the package's own prompts use.

    Words are what a tokenizer splitting at `\\w+|[^\\w\\s]` sees; both parts are sorted, and a
    word-level reference model needs no others.
    """
    names = read_words("names")
    text = re.sub(r"\{\w+\}", " ", " ".join((*TEMPLATES, *DISTRACTORS)))
    others = {*re.findall(r"\w+|[^\w\s]", text), *read_words("places"), *read_words("objects")}
    return tuple(sorted(names)), tuple(sorted(others - set(names)))


def _strings(argument: str, given: object) -> tuple[str, ...] | None:
    """Return several strings as a tuple, None as it is unless `argument` is "orders"."""
    if given is None and argument != "orders":
        return None
    strings = several(argument, given, "strings")
    for each in strings:
        check_text(argument, each)
    return strings


def _order_problems(orders: tuple[str, ...]) -> list[str]:
    if orders and set(orders) <= {ABBA, BABA} and len(set(orders)) == len(orders):
        return []
    return [f"`orders` must be 'ABBA', 'BABA' or both, each once; got {shown(orders)}"]


def _template_problems(templates: tuple[str, ...] | None) -> list[str]:
    if templates is None:
        return []
    if not templates:
        return ["`templates` must hold at least one template; got none"]
    found = {template: problem_with(template) for template in templates}
    return [f"`templates`: {rule}; got {shown(t)}" for t, rule in found.items() if rule]
