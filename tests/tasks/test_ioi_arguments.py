"""What the IOI task is made with: a value; what breaks a rule is named; nothing heavy is loaded."""

import subprocess
import sys

import pytest

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.tasks.ioi import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_ABC,
    DISTRACTOR_CONTROL,
    FLIP,
    IOI,
    RENAMED,
    RENAMED_FLIP,
    S2_IO,
    SWAPPED,
    vocabulary,
)


@pytest.mark.parametrize(
    ("bos", "message"),
    [("nope", "this tokenizer has no token 'nope'"), ("default", "this tokenizer has none")],
)
def test_a_missing_bos_token_is_named(make_words, bos, message):
    names, others = vocabulary()
    with pytest.raises(ClaimNotEvaluable, match=message):
        IOI(bos=bos).draw(make_words([*names, *others]), 4, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"orders": ("ABAB",)}, "`orders` must be 'ABBA', 'BABA' or both"),
        ({"orders": ()}, "`orders` must be"),
        ({"orders": "ABBA"}, "`orders` must be several strings"),
        ({"names": ("Mary", "Mary")}, "some name is listed twice"),
        ({"templates": ()}, "at least one template"),
        ({"templates": ("Then, {A} ran. {S} gave a {OBJECT} to",)}, "slots are"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(CircuitUsageError, match=message):
        IOI(**arguments)


def test_no_prompts_is_a_usage_error(words):
    with pytest.raises(CircuitUsageError, match="`n` must be a whole number of at least 1; got 0"):
        IOI().draw(words, 0, 0)


def test_the_task_is_a_value():
    templates = ["Then, {A} met {B} there. {S} gave a {OBJECT} to"]
    assert len({IOI(templates=templates), IOI(templates=tuple(templates)), IOI()}) == 2
    assert IOI().name == "IOI"
    assert IOI().counterparts == (
        *(ABC, FLIP, SWAPPED, S2_IO, RENAMED, RENAMED_FLIP),
        *(DISTRACTOR, DISTRACTOR_CONTROL, DISTRACTOR_ABC),
    )
    assert IOI().positions == ("IO", "S1", "S1+1", "S2", "END")


def test_importing_tasks_imports_nothing_heavy():
    code = (
        "import sys, pytest_circuits.tasks.ioi, pytest_circuits.tasks.own;"
        "import pytest_circuits.tasks.repeated;"
        "sys.exit(bool({'torch', 'numpy', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
