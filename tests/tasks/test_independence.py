"""Rows of a draw know nothing of one another, which errors over prompts take for granted.

By simulation, for every task. Rows *meet* if they have a template (a partner, the draw) in common.
How many rows that meet also agree, feature by feature (the IO of one, a name in the ABC prompt of
the other), is counted per draw and compared with what rows of *different* draws would give, which
certainly are independent: the same average, and the same variance between draws. Names in step with
templates have the right average, all or nothing per draw.
"""

from functools import cache
from itertools import product
from random import Random

import numpy as np
import pytest

from pytest_circuits.engine.references import partners
from pytest_circuits.tasks import ioi_rows
from pytest_circuits.tasks.base import Prompts
from pytest_circuits.tasks.ioi import ABC, IOI
from pytest_circuits.tasks.ioi_stock import Stock, read_words
from pytest_circuits.tasks.own import prompt_task
from pytest_circuits.tasks.positions import FIRST, FIRST_NEXT, IO, S1
from pytest_circuits.tasks.repeated import RepeatedTokens
from pytest_circuits.tasks.templates import DISTRACTORS, TEMPLATES

DRAWS, N = 150, 48
FEW = 20  # agreements in all draws together; fewer say nothing
STOCK = Stock(
    ids={},
    words={kind: read_words(kind) for kind in ("names", "places", "objects")},
    templates=TEMPLATES,
    distractors=DISTRACTORS,
    left_out=(),
)


def coupled(features, meet):
    """Return the pairs of features, [draws, rows] each, that agree unlike rows of other draws.

    `meet`, [draws, rows, rows], says of which rows the first is compared with the second.
    """
    every = {name: np.asarray(values) for name, values in features.items()}
    mixed = {name: _of_many_draws(values) for name, values in every.items()}
    found = {}
    for a, b in product(every, repeat=2):
        own, free = _agree(every[a], every[b], meet), _agree(mixed[a], mixed[b], meet)
        if free.sum() >= FEW and not _alike(own, free):
            found[a, b] = f"{own.mean():.2f} ± {own.std():.2f} agree, "
            found[a, b] += f"of different draws {free.mean():.2f} ± {free.std():.2f}"
    return found


def _agree(first, second, meet):
    return ((first[:, :, None] == second[:, None, :]) & meet).sum(axis=(1, 2))


def _of_many_draws(values):
    """Return as many draws, each made of rows of different draws, every row used once."""
    draws, rows = values.shape
    return values[(np.arange(draws)[:, None] + np.arange(rows)) % draws, np.arange(rows)]


def _alike(own, free):
    """Return whether averages and variances differ by less than 4.5 standard errors."""
    draws = len(own)
    averages = abs(own.mean() - free.mean()) <= 4.5 * np.sqrt((own.var() + free.var()) / draws)
    # Of the logarithm of a variance of counts, which are about Poisson.
    error = np.sqrt(2 * (2 + 1 / free.mean()) / draws)
    return averages and abs(np.log(max(own.var(), 1e-9) / free.var())) <= 4.5 * error


def same(labels):
    """Rows meet that have the same label, but none with itself."""
    labels = np.asarray(labels)
    return (labels[:, :, None] == labels[:, None, :]) & ~np.eye(labels.shape[1], dtype=bool)


def partnered(groups):
    """A row meets the row whose values a resampling ablation gives it."""
    found = np.zeros((len(groups), len(groups[0]), len(groups[0])), dtype=bool)
    for seed, labels in enumerate(groups):
        found[seed, range(N), partners(grouped(labels), seed)] = True
    return found


def grouped(labels):
    blank = dict.fromkeys(("texts", "ids", "answers", "foils", "strata"), labels)
    return Prompts(name="rows", positions={}, groups=tuple(labels), **blank)


def any_two(draws):
    return same(np.zeros((len(draws), len(draws[0]))))


# What IOI draws, before any tokenizer.


@cache
def rows_of(orders=("ABBA", "BABA")):
    return [ioi_rows.draw_rows(STOCK, orders, N, seed) for seed in range(DRAWS)]


def of_rows(draws):
    """Return what was drawn for each row, and its template, as numbers."""
    fields = ("io", "s", "new_io", "new_s", "third", "place", "object", "distractor")
    read = {field: [[getattr(row, field) for row in rows] for rows in draws] for field in fields}
    read |= {f"ABC {i}": [[row.fresh[i] for row in rows] for rows in draws] for i in range(3)}
    return {name: _numbered(values) for name, values in read.items()}


def templates_of(draws):
    return [[row.template for row in rows] for rows in draws]


def _numbered(values):
    return np.unique(values, return_inverse=True)[1].reshape(np.shape(values))


@pytest.mark.parametrize(
    "meet",
    [lambda d: same(templates_of(d)), lambda d: partnered(templates_of(d)), any_two],
    ids=["in a template", "as partners", "in a draw"],
)
def test_what_ioi_draws_for_a_row_says_nothing_of_another(meet):
    assert coupled(of_rows(rows_of()), meet(rows_of())) == {}


def in_lockstep(seed):
    """Draw names as they once were: one deck, shifted by a constant for each part of a row."""
    rng = Random(f"{seed} names")
    deck = rng.sample(STOCK.words["names"], len(STOCK.words["names"]))
    shifts = rng.sample(range(len(deck)), ioi_rows.CAST)
    return [[deck[(i + shift) % len(deck)] for i in range(N)] for shift in shifts]


def test_names_in_step_with_templates_would_be_noticed():
    parts = zip(*(in_lockstep(seed) for seed in range(DRAWS)), strict=True)
    names = ("io", "s", "ABC 0", "ABC 1", "ABC 2")
    features = dict(zip(names, map(_numbered, parts), strict=False))
    templates = [[i % len(TEMPLATES) for i in range(N)]] * DRAWS
    found = coupled(features, same(templates))
    assert {(own, "ABC 0") for own in ("io", "s")} <= found.keys()
    assert ("io", "io") in found  # no name twice until all were used


# Any task, by what stands at its positions: a new one takes a line.


def own_task():
    names = read_words("names")
    rng = Random("own")
    rows = [
        {
            "text": f"{when}, {a} met {b} near the lake. {b} offered a book to",
            "answer": f" {a}",
            "foil": f" {b}",
            "positions": {"IO": a, "S1": f"{b}#1"},
            "group": when,
        }
        for when in ("Late", "Once", "Soon", "After") * 60
        for a, b in [rng.sample(names, 2)]
    ]
    return prompt_task("own", rows)


TASKS = {
    "IOI": (IOI(templates=TEMPLATES[:4]), ("IOI", ABC, "IOI~", "IOI~IO+position"), (IO, S1)),
    "REPEATED": (RepeatedTokens(length=4), ("REPEATED", "UNREPEATED"), (FIRST, FIRST_NEXT)),
    "own": (own_task(), ("own",), (IO, S1)),
}


@pytest.mark.parametrize(("task", "distributions", "positions"), TASKS.values(), ids=TASKS)
def test_what_stands_in_a_prompt_says_nothing_of_another(task, distributions, positions, words):
    few = 30
    drawn = [task.draw(words, N, seed) for seed in range(few)]
    features = {
        f"{name} {position}": [at(data.distribution(name), position) for data in drawn]
        for name in distributions
        for position in positions
    }
    groups = _numbered([data.prompts.groups for data in drawn])
    assert coupled(features, same(groups)) == {}
    assert coupled(features, partnered(groups)) == {}


def at(prompts, position):
    return [ids[i] for ids, i in zip(prompts.ids, prompts.at(position), strict=True)]


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_prompt_is_the_partner_of_one_other(size):
    """One given to several moves them together; on each draw all of a group are given away."""
    groups = [label for label in "abcd" for _ in range(size)] + ["alone"]
    for seed in range(50):
        chosen = partners(grouped(groups), seed)
        assert sorted(chosen) == list(range(len(groups)))
        assert all(groups[i] == groups[j] for i, j in enumerate(chosen))
        assert [i for i, j in enumerate(chosen) if i == j] == [len(groups) - 1]
