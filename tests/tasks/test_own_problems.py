"""Mistakes in a user's own task: each is named with its place, its rule and what came."""

import json

import pytest

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.tasks.own import PromptTask, prompt_task

ROW = {
    "text": "Once, Mary met John. John gave a map to",
    "answer": " Mary",
    "foil": " John",
    "positions": {"IO": "Mary", "S2": "John#2", "object": [31, 34]},
    "counterparts": {"ABC": {"text": "Once, Anna met Adam. Paul gave a map to"}},
}


def changed(**fields):
    return {**ROW, **fields}


def problems_of(rows, **arguments):
    with pytest.raises(CircuitUsageError) as caught:
        prompt_task("gift", rows, **arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], "row 0: must be an object with fields; got [1]"),
        (changed(texts="x"), "row 0: unknown field 'texts'. Did you mean 'text'?"),
        (changed(text=""), "row 0, `text`: must be a string, not empty; got ''"),
        ({"text": "Then"}, "row 0, `answer`: must be a string, not empty; got nothing"),
        (changed(foil=5), "row 0, `foil`: must be a string, not empty; got 5"),
        (changed(foil=" Mary"), "row 0, `foil`: must differ from `answer`"),
        (changed(group=3), "row 0, `group`: must be a string, not empty; got 3"),
        (changed(positions=[1]), "row 0, `positions`: must map names to words or spans"),
        (changed(positions={"END": "to"}), "'END': END is implied"),
        (changed(positions={"S": "John"}), "'S': 'John' occurs 2 times in the text, so write"),
        (changed(positions={"S": "John#3"}), "'S': 'John' occurs 2 times"),
        (changed(positions={"S": "Jo"}), "'S': 'Jo' occurs 0 times"),
        (changed(positions={"S": [4, 900]}), "must be 'word', 'word#n' or [start, end]"),
        (changed(positions={"S": [True, 2]}), "must be 'word', 'word#n' or [start, end]"),
        (changed(counterparts=[1]), "row 0, `counterparts`: must map names to prompts; got [1]"),
        (changed(counterparts={"ABC": 1}), "row 0, counterpart 'ABC': must be an object"),
        (changed(counterparts={"ABC": {}}), "row 0, counterpart 'ABC', `text`: must be"),
        (
            changed(counterparts={"ABC": {"text": "Anna", "positions": {"IO": "Anna"}}}),
            "counterpart 'ABC', `positions`: must be those of the row, ['IO', 'S2', 'object']",
        ),
        (
            changed(counterparts={"ABC": {"text": "Anna", "group": "own"}}),
            "counterpart 'ABC', `positions`: must be given where the counterpart has its own",
        ),
        (
            changed(counterparts={"gift": {"text": "Anna"}}),
            "no counterpart may bear the name of the task",
        ),
    ],
)
def test_the_place_and_rule_of_a_mistake_are_named(row, message):
    assert message in problems_of([row])


def test_rows_must_have_the_same_positions_and_counterparts():
    message = problems_of([ROW, changed(positions={"IO": "Mary"}, counterparts={})])
    assert "row 1, `positions`: must be those of row 0, ['IO', 'S2', 'object']; got" in message
    assert "row 1, `counterparts`: must be those of row 0, ['ABC']; got []" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"neutral": ["ABD"]}, "`neutral`: unknown counterpart 'ABD'. Did you mean 'ABC'?"),
        ({"neutral": "ABC"}, "`neutral`: must be a list of counterpart names; got 'ABC'"),
        ({"bos": 1}, "`bos`: must be null (None), 'default' or a token's name; got 1"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    assert message in problems_of([ROW], **arguments)


def test_all_problems_are_raised_at_once_up_to_twenty():
    message = problems_of([{"text": ""}] * 9)
    assert message.startswith("task gift (Python) is badly written:")
    assert "row 0, `text`" in message
    assert "row 6, `answer`" in message
    assert message.endswith("... and 7 more")
    assert "at least one; got none" in problems_of([])


def test_mistakes_in_a_file_name_file_and_line(tmp_path):
    path = tmp_path / "gift.jsonl"
    path.write_text('{"task": "gift", "bso": 1}\n{"text": \n' + json.dumps(ROW), encoding="utf-8")
    with pytest.raises(CircuitUsageError) as caught:
        PromptTask.from_jsonl(path)
    message = str(caught.value)
    assert str(path) in message
    assert "line 1: unknown field of the header 'bso'. Did you mean 'bos'?" in message
    assert "line 2: must be one JSON object" in message
    with pytest.raises(CircuitUsageError, match="`path` must be a readable UTF-8 file"):
        PromptTask.from_jsonl(tmp_path / "absent.jsonl")
