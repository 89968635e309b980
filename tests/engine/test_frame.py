"""Rows of different lengths side by side: where a token, a suffix, a named column is."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits.engine.frame import framed, named, suffix

tokens = st.lists(st.integers(1, 99), min_size=1, max_size=7)
rows = st.lists(tokens, min_size=1, max_size=5)


@st.composite
def frames(draw):
    ids = draw(rows)
    return ids, framed(ids, max(map(len, ids)) + draw(st.integers(0, 3)), "cpu")


@st.composite
def chosen(draw, some=1):
    """A frame, and some columns in each of its rows: [columns][rows]."""
    ids, frame = draw(frames())
    column = st.tuples(*[st.integers(frame.width - len(row), frame.width - 1) for row in ids])
    return ids, frame, draw(st.lists(column, min_size=some, max_size=4))


@given(frames())
def test_every_token_stands_where_its_position_says(drawn):
    ids, frame = drawn
    for b, row in enumerate(ids):
        real = frame.real[b]
        assert frame.tokens[b][real].tolist() == row
        assert frame.positions[b][real].tolist() == list(range(len(row)))
        assert int(frame.shift[b]) == frame.width - len(row) == int((~real).sum())


@given(frames())
def test_last_tokens_share_the_last_column(drawn):
    ids, frame = drawn
    assert frame.tokens[:, -1].tolist() == [row[-1] for row in ids]
    assert bool(frame.real[:, -1].all())


@given(chosen())
def test_a_suffix_has_every_later_token_and_no_padding(drawn):
    ids, frame, (start, *_) = drawn
    columns = suffix(frame, torch.tensor(start))
    for b, row in enumerate(ids):
        got = columns.of(frame.tokens)[b][columns.valid[b]].tolist()
        wanted = row[start[b] - (frame.width - len(row)) :]
        assert got[len(got) - len(wanted) :] == wanted
        assert got == row[len(row) - len(got) :], "more than asked for, but real tokens"
    assert columns.slots == frame.width - min(start), "no more than the first start needs"


@given(chosen())
def test_named_columns_count_once_in_a_row(drawn):
    ids, frame, picked = drawn
    columns = named([torch.tensor(each) for each in picked])
    for b, row in enumerate(ids):
        wanted = list(dict.fromkeys(column[b] for column in picked))
        assert columns.index[b][columns.valid[b]].tolist() == wanted
        shift = frame.width - len(row)
        got = columns.of(frame.tokens)[b][columns.valid[b]].tolist()
        assert got == [row[column - shift] for column in wanted]


@given(chosen(), st.data())
def test_a_slot_is_found_where_its_column_is_and_only_there(drawn, data):
    ids, frame, picked = drawn
    columns = named([torch.tensor(each) for each in picked])
    asked = torch.tensor([data.draw(st.integers(0, frame.width - 1)) for _ in ids])
    slot, present = columns.slot(asked)
    for b in range(len(ids)):
        assert bool(present[b]) == (int(asked[b]) in [column[b] for column in picked])
        if present[b]:
            assert int(columns.index[b, slot[b]]) == int(asked[b])
            assert bool(columns.valid[b, slot[b]]), "a repeated column is found at its first slot"


@given(chosen())
def test_active_columns_are_those_in_hand(drawn):
    ids, frame, picked = drawn
    for columns in (
        named([torch.tensor(each) for each in picked]),
        suffix(frame, torch.tensor(picked[0])),
    ):
        active = columns.active(frame.width)
        for b in range(len(ids)):
            in_hand = columns.index[b][columns.valid[b]].tolist()
            assert active[b].nonzero()[:, 0].tolist() == sorted(set(in_hand))
            assert not bool(active[b][~frame.real[b]].any())


def test_a_suffix_asked_for_in_padding_begins_with_the_row():
    frame = framed([[7, 8, 9], [5]], 4, "cpu")
    columns = suffix(frame, torch.tensor([1, 1]))
    assert columns.index.tolist() == [[1, 2, 3]] * 2
    assert columns.valid.tolist() == [[True, True, True], [False, False, True]]
    assert columns.slot(torch.tensor([1, 1]))[1].tolist() == [True, False]
