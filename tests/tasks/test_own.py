"""A user's own task: rows become aligned prompts; every mistake is named with its place."""

import json

import pytest

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.tasks.own import PromptTask, prompt_task

ROW = {
    "text": "Once, Mary met John. John gave a map to",
    "answer": " Mary",
    "foil": " John",
    "positions": {"IO": "Mary", "S2": "John#2", "object": [31, 34]},
    "counterparts": {"ABC": {"text": "Once, Anna met Adam. Paul gave a map to"}},
}
OTHER = {
    "text": "Late on Monday, Anna met Adam. Adam gave a book to",
    "answer": " Anna",
    "foil": " Adam",
    "positions": {"S2": "Adam#2", "IO": "Anna", "object": "book"},
    "counterparts": {
        "ABC": {
            "text": "Late on Monday, Mary met John. Paul gave a book to",
            "positions": {"IO": "Mary", "S2": "Paul", "object": "book"},
            "answer": " Mary",
            "foil": " John",
        }
    },
}


def changed(**fields):
    return {**ROW, **fields}


def token(tokenizer, prompts, position, row=0):
    return tokenizer.decode([prompts.ids[row][prompts.at(position)[row]]]).strip()


def test_rows_become_prompts_with_positions(tokenizer):
    task = prompt_task("gift", [ROW], neutral=["ABC"])
    dataset = task.draw(tokenizer, 1, 0)
    prompts = dataset.prompts
    assert [token(tokenizer, prompts, p) for p in ("IO", "S2", "object", "END")] == [
        "Mary",
        "John",
        "map",
        "to",
    ]
    assert prompts.at("S2")[0] == prompts.at("IO")[0] + 4
    assert tokenizer.decode([prompts.answers[0]]).strip() == "Mary"
    assert tokenizer.decode([prompts.foils[0]]).strip() == "John"
    assert dataset.neutral == {"ABC"}
    assert set(task.positions) == set(prompts.positions)


def test_counterparts_inherit_tokens_and_answers_or_state_their_own(words):
    dataset = prompt_task("gift", [ROW, OTHER]).draw(words, 2, 0)
    abc = dataset.distribution("ABC")
    inheriting = [text.startswith("Once") for text in abc.texts].index(True)
    stating = 1 - inheriting
    assert token(words, abc, "IO", inheriting) == "Anna"
    assert abc.answers[inheriting] == dataset.prompts.answers[inheriting]
    assert token(words, abc, "S2", stating) == "Paul"
    assert words.decode([abc.answers[stating]]) == "Mary"


def test_the_last_token_of_a_long_word_counts(bytelevel):
    row = {"text": "Once, Mary met Zelda near", "answer": " Mary", "foil": " John"}
    prompts = prompt_task("z", [{**row, "positions": {"Z": "Zelda"}}]).draw(bytelevel, 1, 0).prompts
    assert prompts.at("Z")[0] == prompts.at("END")[0] - 1


def test_the_bos_token_is_counted(words):
    bare, headed = (
        prompt_task("gift", [ROW], bos=bos).draw(words, 1, 0).prompts for bos in (None, "<s>")
    )
    assert headed.ids[0] == (words.bos_token_id, *bare.ids[0])
    assert {p: i[0] - 1 for p, i in headed.positions.items()} == {
        p: i[0] for p, i in bare.positions.items()
    }


def test_drawing_is_without_replacement_and_says_when_rows_run_out(words):
    names = ("Mary", "John", "Anna", "Adam", "Paul", "Carl")
    rows = [{"text": f"Once, {n} met", "answer": " Kevin", "foil": " Peter"} for n in names]
    task = prompt_task("met", rows)
    few, all_of_them = task.draw(words, 3, 1), task.draw(words, 50, 1)
    assert few == task.draw(words, 3, 1)
    assert all_of_them.prompts.texts[:3] == few.prompts.texts
    assert len(set(all_of_them.prompts.texts)) == 6
    assert "n=6 (all usable rows; 50 asked for), seed=1, bos=None" in all_of_them.description
    assert "n=3, seed=1" in few.description


def test_the_task_is_a_value(tmp_path):
    path = tmp_path / "gift.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (ROW, OTHER)) + "\n\n", encoding="utf-8")
    task = PromptTask.from_jsonl(path)
    assert task.name == "gift"
    assert hash(task) == hash(PromptTask.from_jsonl(str(path)))
    assert task.counterparts == ("ABC",)


def test_own_prompts_have_nothing_to_vary():
    task = prompt_task("gift", [ROW])
    assert (task.signals, task.signal_table, task.features) == ((), (), ())
    with pytest.raises(ClaimNotEvaluable, match="prompts of gift have no features"):
        task.varied(task.name, frozenset({"S"}))


def test_a_header_sets_name_bos_and_neutral(tmp_path, words):
    path = tmp_path / "rows.jsonl"
    header = {"task": "gift", "bos": "<s>", "neutral": ["ABC"]}
    path.write_text(f"{json.dumps(header)}\n{json.dumps(ROW)}\n", encoding="utf-8-sig")
    task = PromptTask.from_jsonl(path)
    assert (task.name, task.bos, task.neutral) == ("gift", "<s>", ("ABC",))
    assert task.draw(words, 1, 0).prompts.groups == ("line 2",)


def test_rows_with_answers_of_several_tokens_are_left_out_and_reported(bytelevel):
    dataset = prompt_task("gift", [ROW, changed(foil=" Zelda")]).draw(bytelevel, 2, 0)
    assert len(dataset.prompts) == 1
    assert dataset.left_out[0].startswith("row 1, 'gift': ' Zelda' is not one token after 'Once,")


def test_no_row_left_cannot_be_evaluated(words):
    with pytest.raises(ClaimNotEvaluable, match=r"no row of gift: row 0.*vocabulary lacks"):
        prompt_task("gift", [changed(answer=" Zelda")]).draw(words, 1, 0)


def test_a_counterpart_of_another_length_is_refused_with_its_line(words):
    longer = {"ABC": {"text": "Once, Anna was at school. Adam met Paul and gave a map to"}}
    task = prompt_task("gift", [ROW, changed(counterparts=longer)])
    with pytest.raises(CircuitUsageError) as caught:
        task.draw(words, 2, 0)
    assert "row 1, 'ABC': must have as many tokens as row 1, 'gift'" in str(caught.value)
    assert "11; got 15" in str(caught.value)
    positions = {"IO": "Anna", "S2": "Paul", "object": "map"}
    own = {**longer["ABC"], "group": "long", "positions": positions}
    dataset = prompt_task("gift", [changed(counterparts={"ABC": own})]).draw(words, 1, 0)
    assert dataset.distribution("ABC").groups == ("long",)


def test_rows_of_one_group_must_align(words):
    rows = [{**row, "group": "template"} for row in (ROW, OTHER)]
    with pytest.raises(CircuitUsageError, match="row 1, 'gift': must have as many tokens as row 0"):
        prompt_task("gift", rows).draw(words, 2, 0)


def test_no_prompts_is_a_usage_error(words):
    with pytest.raises(CircuitUsageError, match="`n` must be a whole number of at least 1"):
        prompt_task("gift", [ROW]).draw(words, 0, 0)
