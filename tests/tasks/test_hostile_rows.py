"""Task files as nobody should write them: each mistake is told, none is a traceback."""

from __future__ import annotations

import json

import pytest

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.tasks.own import PromptTask

ROW = {
    "text": "Once, Mary met John. John gave a map to",
    "answer": " Mary",
    "foil": " John",
    "positions": {"S2": "John#2"},
    "counterparts": {"ABC": {"text": "Once, Anna met Adam. Paul gave a map to"}},
}
DIGITS = "9" * 5000
DEEP = "[" * 100_000 + "]" * 100_000
SURROGATE = '"\\ud800"'


def row(**fields):
    return json.dumps({**ROW, **fields})


def raw(field, text):
    """A row with a field written as it is, which json.dumps would not write."""
    return row(**{field: "HERE"}).replace('"HERE"', text)


FILES = {
    "empty": "",
    "blank": "\n\n  \n",
    "no JSON": "{",
    "a number": "5",
    "a string": '"text"',
    "null": "null",
    "a list": "[]",
    "a list of rows": f"[{row()}]",
    "deep": DEEP,
    "deep in a field": raw("text", DEEP),
    "many digits": DIGITS,
    "many digits in a field": raw("answer", DIGITS),
    "not a number": raw("answer", "NaN"),
    "infinite": raw("positions", "Infinity"),
    "unhashable task": f'{{"task": ["a"]}}\n{row()}',
    "a task of nothing": f'{{"task": ""}}\n{row()}',
    "a task with an escape": f'{{"task": "\\u001b[31m"}}\n{row()}',
    "a task of half a character": f'{{"task": {SURROGATE}}}\n{row()}',
    "a long task": f'{{"task": "{"x" * 100_000}"}}\n{row()}',
    "unhashable neutral": f'{{"neutral": [["ABC"]]}}\n{row()}',
    "neutral objects": f'{{"neutral": [{{}}, null, 5]}}\n{row()}',
    "neutral of a wrong type": f'{{"neutral": {{"ABC": 1}}}}\n{row()}',
    "a neutral number": f'{{"neutral": 5}}\n{row()}',
    "bos of a wrong type": f'{{"bos": ["<s>"]}}\n{row()}',
    "bos of half a character": f'{{"bos": {SURROGATE}}}\n{row()}',
    "a header alone": '{"task": "gift"}',
    "a header of unknown fields": '{"\\u001b": 1}\n' + row(),
    **{
        f"{field} of half a character": raw(field, SURROGATE)
        for field in ("text", "answer", "foil", "group", "cluster")
    },
    **{
        f"{field} of a wrong type": row(**{field: value})
        for field, value in (
            ("text", ["a"]),
            ("answer", {"a": 1}),
            ("foil", None),
            ("group", ["a"]),
            ("cluster", {"a": 1}),
            ("positions", "S2"),
            ("counterparts", ["ABC"]),
        )
    },
    "a group with an escape": row(group="\x1b[31m"),
    "a cluster with a NUL": row(cluster="a\0b"),
    "a position with an escape": row(positions={"\x1b[31m": "Mary"}),
    "a position without a name": row(positions={"": "Mary"}),
    "a counterpart with an escape": row(counterparts={"\x07": ROW["counterparts"]["ABC"]}),
    "a position at a number of many digits": row(positions={"S2": "John#" + "1" * 5000}),
    "a position at a large number": row(positions={"S2": [0, 10**30]}),
    "a position of lists": row(positions={"S2": [[1], [2]]}),
    "a hundred thousand wrong rows": "5\n" * 100_000,
    "a wrong line of 20 MB": '{"text": [' + "1," * 10_000_000 + "1]}",
    "an unknown field of 20 MB": '{"text": 1, "' + "x" * 20_000_000 + '": 1}',
    "a word of 1 MB": row(positions={"S2": "x" * 1_000_000}),
    "twice the same field": '{"text": "a", "text": 5}',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_wrong(name, tmp_path):
    path = tmp_path / "gift.jsonl"
    path.write_text(FILES[name], encoding="utf-8")
    with pytest.raises(CircuitUsageError) as caught:
        PromptTask.from_jsonl(path)
    said = str(caught.value)
    assert str(path) in said
    assert len(said) < 10_100
    assert not any(ord(c) < 32 and c != "\n" for c in said)


@pytest.mark.parametrize("content", [b"\xff\xfe{", b"\xed\xa0\x80", b"\0" * 100])
def test_bytes_that_are_no_text(content, tmp_path):
    (tmp_path / "gift.jsonl").write_bytes(content)
    with pytest.raises(CircuitUsageError):
        PromptTask.from_jsonl(tmp_path / "gift.jsonl")


@pytest.mark.parametrize("path", [".", "absent", "a\0b", "\ud800", "x" * 5_000, 5, None, b"x"])
def test_a_path_that_is_no_file(path):
    with pytest.raises(CircuitUsageError, match="`path` must be"):
        PromptTask.from_jsonl(path)


@pytest.mark.parametrize(
    "text", ["\0", "\x1b[31m", "\u202e", "\U0010ffff", " ", "\n" * 1000, "a" * 100_000]
)
def test_odd_but_valid_text_is_drawn_or_left_out(text, tmp_path, words):
    path = tmp_path / "gift.jsonl"
    path.write_text(row(text=text, positions={}, counterparts={}), encoding="utf-8")
    with pytest.raises(ClaimNotEvaluable) as caught:
        PromptTask.from_jsonl(path).draw(words, 1, 0)
    assert len(str(caught.value)) < 1_000
