"""What a task is: prompts with named positions and answers, and counterparts aligned with them.

Everything here is plain data (text, token ids, indices); no model and no torch. A task draws a
`Dataset` for one tokenizer; a `Dataset` is several distributions of prompts that belong together,
row by row: row i of every distribution is a variation of row i of the task's own prompts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pytest_circuits.errors import ClaimNotEvaluable, unknown_name

VARIED = "~"
"""In a distribution's name, before the features that a variation of it keeps: "IOI~IO+S"."""

CHANGED = "-"
"""Before a feature on which a variation must *not* agree: "IOI~IO+-position"."""


class Tokenizer(Protocol):
    """The part of a Hugging Face fast tokenizer that tasks use."""

    bos_token: str | None
    unk_token_id: int | None
    all_special_ids: list[int]
    added_tokens_decoder: Mapping[int, Any]

    def __len__(self) -> int:
        """Return the size of the vocabulary, added tokens included."""

    def __hash__(self) -> int:
        """Return what tells it from other tokenizers: it stands for what is known of it."""

    def __call__(self, text: Any, **options: Any) -> Any:
        """Tokenize one text or a list; `add_special_tokens`, `return_offsets_mapping`."""

    def convert_tokens_to_ids(self, tokens: str) -> int | None:
        """Return the id of a token given by its name; None or the unknown token's if absent."""

    def convert_ids_to_tokens(self, ids: int) -> str | None:
        """Return the name of a token given by its id."""

    def decode(self, token_ids: list[int]) -> str:
        """Return the text of some tokens."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """One distribution of tokenized prompts; every tuple has one entry per prompt.

    `positions` maps a name such as "S2" to the token index of that position in each prompt
    (the BOS token, where the task has one, counts). `answers` and `foils` are the token ids
    whose logits are compared at "END" (IO and S in IOI). Prompts of one `groups` label align
    token for token: same length, same words but for the varied ones; template-wise means are
    taken within such a group. A named position may differ within a group (IO and S1 trade
    places between the orders ABBA and BABA; S2 and END coincide). A label means the same in all
    distributions of a dataset. `strata` says which template and order a prompt was drawn from,
    for reports.
    """

    name: str
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    positions: Mapping[str, tuple[int, ...]]
    answers: tuple[int, ...]
    foils: tuple[int, ...]
    groups: tuple[str, ...]
    strata: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, position: str) -> tuple[int, ...]:
        """Return the token index of a named position in each prompt."""
        if position not in self.positions:
            raise ClaimNotEvaluable(
                unknown_name(f"position of {self.name} prompts", position, self.positions)
            )
        return self.positions[position]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Prompts of a task drawn for one tokenizer, with their counterparts, aligned row by row.

    `neutral` names the counterparts in which the task is absent, the only ones a mean reference
    may be taken over. `left_out` says, a line each, what the tokenizer could not represent
    (names of several tokens, templates whose prompts do not align). `description` identifies
    the drawing: task, seed, n, BOS policy. `vary` makes the variations that `Task.varied` names,
    when they are asked for; it is no part of the dataset's value.

    `strata` and `clusters` have a label per row, or none at all. Rows of one stratum are drawn
    from one part of the population, and every part gets its share of the rows by design (IOI's
    templates come in turn): what differs between strata is no chance of the draw. Rows of one
    cluster have something in common that another draw could have had otherwise (a wording, a
    country): only other clusters tell how much that matters. `cluster_kind` says what they are.
    """

    prompts: Prompts
    counterparts: Mapping[str, Prompts] = field(default_factory=dict)
    neutral: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    description: str = ""
    strata: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    cluster_kind: str = "clusters"
    vary: Callable[[str], Prompts] | None = field(default=None, compare=False, repr=False)

    def distribution(self, name: str) -> Prompts:
        """Return the task's own prompts, a counterpart or a variation, by name."""
        known = {self.prompts.name: self.prompts, **self.counterparts}
        if self.vary is not None and VARIED in name:
            return self.vary(name)
        if name not in known:
            raise ClaimNotEvaluable(unknown_name("prompt distribution", name, known))
        return known[name]

    def digest(self) -> str:
        """Return a hash over all token ids and positions: equal digests, equal prompts."""
        parts = {
            p.name: [p.ids, sorted(p.positions.items()), p.answers, p.foils]
            for p in (self.prompts, *self.counterparts.values())
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Task(Protocol):
    """A frozen, hashable description of prompts; `draw` makes them for a tokenizer."""

    @property
    def name(self) -> str:
        """The name of the task's own distribution, e.g. "IOI"."""

    @property
    def positions(self) -> tuple[str, ...]:
        """The named positions every prompt has."""

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The names of the counterpart distributions."""

    @property
    def signals(self) -> tuple[str, ...]:
        """What the counterparts of `signal_table` keep or invert; () if there is nothing such."""

    @property
    def signal_table(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Per distribution a sign for each signal: 1 the task's own, -1 inverted, 0 random."""

    @property
    def features(self) -> tuple[str, ...]:
        """What of a prompt a variation can keep; () if the prompts cannot be varied."""

    def varied(self, distribution: str, keep: frozenset[str]) -> str:
        """Return the name of the variation of a distribution that keeps only these features.

        Row by row a prompt that agrees with the row it varies on `keep`, all other features
        drawn afresh. A feature in `keep` with CHANGED before it disagrees for certain. A
        variation may be varied in turn. Raises ClaimNotEvaluable for a feature that the task
        does not know.
        """

    def draw(self, tokenizer: Tokenizer, n: int, seed: int) -> Dataset:
        """Return `n` prompts and their counterparts, the same for the same arguments."""


@runtime_checkable
class Finite(Protocol):
    """A `Task` of so many prompts and no more: another seed draws the same ones again."""

    def beyond(self, n: int) -> Task:
        """Return the task of the prompts that a draw of `n` leaves over, under the same seed.

        Its `draw` raises ClaimNotEvaluable if it has fewer than are asked for.
        """


class NoVariations:
    """What a `Task` without signals and features says of them; a base class for such tasks."""

    @property
    def signals(self) -> tuple[str, ...]:
        """No signals."""
        return ()

    @property
    def signal_table(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """No signals, so no table."""
        return ()

    @property
    def features(self) -> tuple[str, ...]:
        """No features."""
        return ()

    def varied(self, distribution: str, keep: frozenset[str]) -> str:
        """Raise ClaimNotEvaluable: there is nothing to keep or to vary."""
        raise ClaimNotEvaluable(
            f"the prompts of {distribution} have no features that can be kept or drawn afresh; "
            "causal scrubbing needs a task that has, such as IOI"
        )
