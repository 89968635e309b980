"""Whatever is passed to a public function: a value that can be used, or a CircuitUsageError."""

from __future__ import annotations

from collections import Counter
from functools import reduce

import pytest

import pytest_circuits as pc
from pytest_circuits import ABC, END, IO, LOGITS, S2
from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.tasks.repeated import RepeatedTokens

ONE = pc.heads("2.1", at=END)
LOW = pc.heads("0.1", "0.2", at=END)
AT_S2 = pc.heads("0.1", at=S2)
TO = pc.mean(over=ABC)
WHOLE = pc.circuit(LOW, ONE, name="c")
UNDER = pc.knock_out(ONE, to=TO)
EDGES = pc.edges(LOW, ONE.q)
CHAIN = (EDGES, pc.edges(ONE, LOGITS))
SAID = pc.hypothesis(*CHAIN, carries={LOW: "S", ONE: "IO"})
LOOK = pc.logit_difference()
ROW = {"text": "Once, Mary met John. John gave a map to", "answer": " Mary", "foil": " John"}

DEEP = reduce(lambda inner, _: [inner], range(100_000), [])


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no words for it")


HOSTILE = {
    "none": None,
    "true": True,
    "list": ["ABC"],
    "dict": {"a": 1},
    "set": {1},
    "tuple": (1, [2]),
    "empty": "",
    "word": "no such thing",
    "escape": "\x1b[31mred\x07",
    "nul": "a\0b",
    "surrogate": "\ud800",
    "bytes": b"x",
    "zero": 0,
    "negative": -1,
    "huge": 10**5000,
    "float": 0.5,
    "nan": float("nan"),
    "deep": DEEP,
    "long": "x" * 10_000_000,
    "object": object(),
    "unprintable": Unprintable(),
    "type": int,
    "role": ONE,
    "circuit": WHOLE,
    "measure": LOOK,
}

# Per function: good arguments. Each is replaced in turn by everything above.
GOOD = {
    "heads": (pc.heads, ("1.2",), {"at": END, "name": "n"}),
    "circuit": (pc.circuit, (LOW,), {"name": "c", "mlps": pc.mlps(1, at=END)}),
    "circuit.without": (WHOLE.without, (ONE,), {}),
    "queries": (pc.queries, ("1.2",), {"at": END}),
    "keys": (pc.keys, ("1.2",), {"at": END}),
    "values": (pc.values, ("1.2",), {"at": END}),
    "patterns": (pc.patterns, ("1.2",), {"at": END}),
    "mlps": (pc.mlps, (1,), {"at": END}),
    "residual": (pc.residual, (1,), {"at": END}),
    "edges": (pc.edges, (LOW, ONE.q), {}),
    "mean": (pc.mean, (ABC,), {}),
    "resample": (pc.resample, (ABC,), {}),
    "counterpart": (pc.counterpart, (ABC,), {}),
    "knock_out": (pc.knock_out, (ONE,), {"to": TO, "given": None}),
    "patch": (pc.patch, (ONE,), {"over": ABC, "given": None}),
    "keep_only": (pc.keep_only, (WHOLE,), {"to": TO}),
    "keep_edges": (pc.keep_edges, CHAIN, {"to": TO, "name": "n"}),
    "path_patch": (
        pc.path_patch,
        (LOW, ONE.q),
        {"to": TO, "mlps": "live", "given": None},
    ),
    "hypothesis": (
        pc.hypothesis,
        CHAIN,
        {"carries": {LOW: "S", ONE: ("IO",)}, "name": "n"},
    ),
    "hypothesis.without": (SAID.without, (LOW, "S"), {}),
    "scrub": (pc.scrub, (SAID,), {"to": TO}),
    "attention": (pc.attention, (ONE,), {"to": IO, "on": ABC, "under": UNDER}),
    "direct_logit_attribution": (pc.direct_logit_attribution, (ONE,), {"on": ABC, "under": UNDER}),
    "attention_logit_correlation": (
        pc.attention_logit_correlation,
        (ONE,),
        {"names": (("IO",), ("S1", "S2")), "on": ABC, "under": UNDER},
    ),
    "logit_difference": (pc.logit_difference, (), {"on": ABC, "under": UNDER}),
    "answer_preferred": (pc.answer_preferred, (), {"on": ABC, "under": UNDER}),
    "foil_preferred": (pc.foil_preferred, (), {"on": ABC, "under": UNDER}),
    "answer_probability": (pc.answer_probability, (), {"on": ABC, "under": UNDER}),
    "necessity_p": (pc.necessity_p, (WHOLE,), {"to": TO, "count": 9, "seed": 0, "prompts": 8}),
    "sufficiency_p": (pc.sufficiency_p, (WHOLE,), {"to": TO, "count": 9, "seed": 0, "prompts": 8}),
    "completeness": (pc.completeness, (WHOLE,), {"to": TO, "over": "classes"}),
    "completeness at random": (
        pc.completeness,
        (WHOLE,),
        {"to": TO, "over": "random", "count": 3, "seed": 0},
    ),
    "greedy completeness": (
        pc.completeness,
        (WHOLE,),
        {"to": TO, "over": "greedy", "steps": 2, "search_prompts": 8},
    ),
    "copy_score": (pc.copy_score, (ONE,), {"top": 5, "name_at": IO, "reads": "own input"}),
    "negative_copy_score": (pc.negative_copy_score, (ONE,), {"top": 5, "name_at": IO}),
    "faithfulness": (pc.faithfulness, (WHOLE,), {"to": TO, "form": "ratio"}),
    "carries": (pc.carries, (ONE, "token"), {}),
    "interchange_effect": (pc.interchange_effect, (ONE,), {"over": ABC}),
    "knock_out_effect": (pc.knock_out_effect, (ONE,), {"to": TO}),
    "knock_out_share": (pc.knock_out_share, (ONE,), {"to": TO}),
    "minimality": (
        pc.minimality,
        (WHOLE,),
        {"to": TO, "witnesses": "classes", "search_prompts": 8},
    ),
    "minimality_of": (pc.minimality_of, (ONE, WHOLE), {"to": TO, "without": LOW}),
    "direct_effect": (
        pc.direct_effect,
        (ONE,),
        {"to": TO, "mlps": "live", "on": ABC, "given": None},
    ),
    "path_effect": (
        pc.path_effect,
        (LOW, ONE.q),
        {"to": TO, "mlps": "live", "on": ABC, "given": None},
    ),
    "compensation": (pc.compensation, (ONE,), {"to": TO, "mlps": "live"}),
    "self_repair": (pc.self_repair, (LOW, ONE), {"to": TO}),
    "self_repair_parts": (pc.self_repair_parts, (LOW, ONE), {"to": TO}),
    "total_and_direct_effect": (pc.total_and_direct_effect, (ONE,), {"to": TO, "mlps": "live"}),
    "scrubbed_performance": (pc.scrubbed_performance, (SAID,), {"to": TO, "form": "ratio"}),
    "scrubbed_without": (pc.scrubbed_without, (SAID, LOW, "S"), {"to": TO}),
    "signal_fit": (pc.signal_fit, (ONE,), {}),
    "signal_weight": (pc.signal_weight, (ONE, "token"), {}),
    "two_signals": (pc.two_signals, (ONE,), {}),
    "cmd": (pc.cmd, (WHOLE,), {"to": TO, "sizes": (0, 1)}),
    "cpr": (pc.cpr, (WHOLE,), {"to": TO, "sizes": (0, 1)}),
    "duplicate_token_score": (pc.duplicate_token_score, (ONE,), {"on": "random", "period": 5}),
    "induction_score": (pc.induction_score, (AT_S2,), {"on": "task", "period": None}),
    "previous_token_score": (pc.previous_token_score, (ONE,), {"on": "random", "period": [3, 4]}),
    "minus": (LOOK.__sub__, (pc.logit_difference(on=ABC),), {}),
    "divided": (LOOK.__truediv__, (LOOK,), {}),
    "between": (LOOK.between, (0, 1), {}),
    "at least": (LOOK.__ge__, (1,), {}),
    "cite": ((LOOK >= 1).cite, ("Wang et al. 2022",), {}),
    "over": (
        (pc.knock_out_effect(ONE, to=TO) >= 1).over,
        (),
        {"ablations": (pc.zero(),), "seeds": (1, 2), "templates": ()},
    ),
    "Rules": (pc.Rules, (), {"alpha": 0.1, "correction": "none", "first": 8, "clustered": True}),
    "IOI": (
        pc.IOI,
        (),
        {"bos": None, "templates": None, "orders": ("ABBA",), "names": ("Mary", "John")},
    ),
    "IOI templates": (pc.IOI, (), {"templates": ("Then, {A} and {B} ran. {S} gave it to",)}),
    "RepeatedTokens": (RepeatedTokens, (), {"length": 5, "bos": None}),
    "prompt_task": (pc.prompt_task, ("gift", [ROW]), {"bos": None, "neutral": ()}),
    "from_jsonl": (pc.PromptTask.from_jsonl, (__file__,), {}),
}


def replaced(args, kwargs):
    """Yield the arguments with one of them replaced by each hostile value, and its name."""
    for kind, value in HOSTILE.items():
        for i in range(len(args)):
            yield f"{i}={kind}", (*args[:i], value, *args[i + 1 :]), kwargs
        for name in kwargs:
            yield f"{name}={kind}", args, {**kwargs, name: value}


def outcome(function, args, kwargs):
    """Return "used" or "refused"; raise for anything else."""
    try:
        made = function(*args, **kwargs)
    except CircuitUsageError as error:
        said = str(error)
        assert len(said) <= 5_000
        assert "\x1b" not in said
        assert "\0" not in said
        return "refused"
    hash(made)
    assert not {"\x1b", "\x07", "\0"} & set(str(made))
    assert len(str(made)) < 10_000
    return "used"


@pytest.mark.parametrize("name", GOOD)
def test_every_argument_is_checked_where_it_is_written(name):
    function, args, kwargs = GOOD[name]
    if name != "from_jsonl":
        assert outcome(function, args, kwargs) == "used"
    seen = Counter()
    for what, *given in replaced(args, kwargs):
        try:
            seen[outcome(function, *given)] += 1
        except Exception as error:
            raise AssertionError(f"{name}({what}): {type(error).__name__}") from error
    assert seen["refused"] > 5
