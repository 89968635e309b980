"""Random tokens repeated twice: what an induction head completes without any meaning to help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from pytest_circuits.arguments import check_whole
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.base import Dataset, NoVariations, Prompts, Tokenizer
from pytest_circuits.tasks.encoding import bos_ids, check_bos
from pytest_circuits.tasks.positions import END, FIRST, FIRST_NEXT, SECOND

UNREPEATED = "UNREPEATED"
"""Other tokens in place of the first copy: nothing is repeated. The neutral reference."""

LONGEST = 10_000  # tokens of a copy: attention to all of them takes memory by the square


@dataclass(frozen=True, kw_only=True)
class RepeatedTokens(NoVariations):
    """Prompts r1 ... rk r1 ... rk of k = `length` random ordinary tokens, all different.

    END is the last token but one, r(k-1) of the second copy, so that a next token is due there:
    the answer is rk, the foil another token of the prompt. FIRST and SECOND are r1 of either
    copy. `bos` is None, "default" or the name of a token, as in `IOI`. A model that completes
    these prompts has some way of repeating; that this is an induction head is another claim.
    """

    length: int = 24
    bos: str | None = None

    def __post_init__(self) -> None:
        check_whole("length", self.length, 3, LONGEST)  # so that answer, foil and END differ
        check_bos(self.bos)

    @property
    def name(self) -> str:
        """The name of the task's own distribution."""
        return "REPEATED"

    @property
    def positions(self) -> tuple[str, ...]:
        """The named positions of every prompt."""
        return (FIRST, FIRST_NEXT, SECOND, END)

    @property
    def counterparts(self) -> tuple[str, ...]:
        """The names of the counterpart distributions."""
        return (UNREPEATED,)

    def draw(self, tokenizer: Tokenizer, n: int, seed: int) -> Dataset:
        """Return `n` prompts and their counterparts, the same for the same arguments.

        Raises ClaimNotEvaluable if the vocabulary is smaller than two copies' worth of tokens.
        """
        check_whole("n", n, 1)
        vocabulary = _ordinary_tokens(tokenizer)
        if len(vocabulary) < 2 * self.length:
            raise ClaimNotEvaluable(
                f"{2 * self.length} ordinary tokens are needed for prompts of `length` "
                f"{self.length} and their counterparts; the vocabulary has {len(vocabulary)}"
            )
        rng = Random(f"{seed} repeated {self.length}")
        drawn = [rng.sample(vocabulary, 2 * self.length) for _ in range(n)]
        copies = [tokens[: self.length] for tokens in drawn]
        others = [tokens[self.length :] for tokens in drawn]
        # The foil is neither the answer nor the token at END.
        foils = [rng.choice(copy[:-2]) for copy in copies]
        return Dataset(
            prompts=self._prompts(tokenizer, self.name, copies, copies, foils),
            counterparts={UNREPEATED: self._prompts(tokenizer, UNREPEATED, others, copies, foils)},
            neutral=frozenset({UNREPEATED}),
            description=f"REPEATED, length={self.length}, n={n}, seed={seed}, bos={self.bos}",
        )

    def _prompts(
        self,
        tokenizer: Tokenizer,
        name: str,
        first: Sequence[list[int]],
        second: Sequence[list[int]],
        foils: Sequence[int],
    ) -> Prompts:
        head = bos_ids(tokenizer, self.bos)
        start, n = len(head), len(first)
        at = {FIRST: 0, FIRST_NEXT: 1, SECOND: self.length, END: 2 * self.length - 2}
        return Prompts(
            name=name,
            texts=tuple(tokenizer.decode(a + b) for a, b in zip(first, second, strict=True)),
            ids=tuple((*head, *a, *b) for a, b in zip(first, second, strict=True)),
            positions={position: (start + index,) * n for position, index in at.items()},
            answers=tuple(copy[-1] for copy in second),
            foils=tuple(foils),
            groups=(f"{self.length} random tokens twice",) * n,
            strata=("random",) * n,
        )


def _ordinary_tokens(tokenizer: Tokenizer) -> list[int]:
    """Return the ids of the vocabulary but for special, added, unknown and absent tokens."""
    # Special tokens count as added ones, but some tokenizers mark only a few as special.
    left_out = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder, tokenizer.unk_token_id}
    return [
        token
        for token in range(len(tokenizer))
        if token not in left_out and tokenizer.convert_ids_to_tokens(token) is not None
    ]
