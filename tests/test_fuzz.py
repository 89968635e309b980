"""Random input to everything that reads text, files or options: used, or refused in a sentence.

Some hundred inputs in a normal run; `--hypothesis-profile=attack` makes it more than 10^5. How many
there were is said at the end.
"""

from __future__ import annotations

import json
import os
import struct
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pytest_circuits as pc
from pytest_circuits.collection import model_labels
from pytest_circuits.errors import (
    LONGEST_MESSAGE,
    CircuitUsageError,
    ClaimNotEvaluable,
    ModelNotAvailable,
    shown,
)
from pytest_circuits.models.bounds import Contents, TooLarge, check_tokenizer
from pytest_circuits.models.files import parse_json
from pytest_circuits.models.packaged import packaged
from pytest_circuits.models.source import find_source, is_folder
from pytest_circuits.models.weights import stored_tensors, weight_files
from pytest_circuits.options import read_settings
from pytest_circuits.tasks.ioi_variations import variation
from pytest_circuits.tasks.own import PromptTask
from pytest_circuits.tasks.own_rows import find_span
from pytest_circuits.tasks.repeated import RepeatedTokens

REFUSALS = (CircuitUsageError, ClaimNotEvaluable, pytest.UsageError)
FEW = 25  # inputs of each kind, in a normal run

TEXT = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ["9" * 5000, "\ud800", "\x1b[31m", "a\0b", "x" * 10_000, "0.1", "9.6", "END", "IO", "ABC"]
)
# Made, not listed: hypothesis writes down what it samples from, and Python cannot write these.
LARGE = st.sampled_from([400, 5000, -400]).map(lambda n: 10**n if n > 0 else -(10**-n))
NUMBER = st.integers() | st.floats() | LARGE | st.sampled_from([True, 1e308])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
VALUE = JSON | st.binary(max_size=8) | st.sets(st.integers(), max_size=3) | st.builds(object)
ROLE = pc.heads("1.1", at=pc.END)
CIRCUIT = pc.circuit(ROLE)
TO = pc.zero()


@pytest.fixture
def attack(record_property):
    """Return a function that calls another and counts: it returns, or refuses in a sentence."""
    inputs = 0

    def call(function, *args, also=(), **kwargs):
        nonlocal inputs
        inputs += 1
        try:
            return function(*args, **kwargs)
        except (*REFUSALS, *also) as error:
            said = str(error)
            assert len(said) <= LONGEST_MESSAGE + 100
            assert "\x1b" not in said
            assert "\0" not in said
        return None

    yield call
    record_property("attack_inputs", inputs)
    assert inputs >= FEW // 2  # a few cannot be written down at all


def fuzz(**inputs):
    """Give a test random inputs, few of them unless a profile says otherwise."""
    attacked = settings.get_current_profile_name() == "attack"
    normal = settings(
        max_examples=FEW,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: given(**inputs)(test) if attacked else normal(given(**inputs)(test))


def usable(made):
    """What was made can be a key, be said, and be shown on a terminal."""
    if made is not None:
        hash(made)
        assert not {"\x1b", "\0", "\x07"} & set(str(made))


@fuzz(name=TEXT | VALUE, at=TEXT | VALUE, called=TEXT | VALUE)
def test_heads(attack, name, at, called):
    usable(attack(pc.heads, name, at=at, name=called))


@fuzz(layer=NUMBER | VALUE, at=TEXT | VALUE)
def test_nodes(attack, layer, at):
    for make in (pc.mlps, pc.residual):
        usable(attack(make, layer, at=at))


@fuzz(names=st.lists(st.from_regex(r"[0-9]{1,9}\.[0-9]{1,9}", fullmatch=True), max_size=5))
def test_heads_that_are_well_written(attack, names):
    role = attack(pc.heads, *names, at="END")
    if role is not None:
        assert [str(head) for head in role.heads] == [
            ".".join(str(int(part)) for part in name.split(".")) for name in names
        ]


@fuzz(to=TEXT | VALUE, on=TEXT | VALUE, under=VALUE)
def test_measures(attack, to, on, under):
    usable(attack(pc.attention, ROLE, to=to, on=on))
    usable(attack(pc.logit_difference, on=on, under=under))
    usable(attack(pc.copy_score, ROLE, name_at=to, top=on, reads=under))
    usable(attack(pc.induction_score, ROLE, on=to, period=on))
    usable(attack(pc.cpr, CIRCUIT, to=TO, sizes=on))
    usable(attack(pc.faithfulness, CIRCUIT, to=TO, form=to))
    usable(attack(pc.completeness, CIRCUIT, to=TO, over=to, count=on, seed=under))


@fuzz(what=VALUE, to=VALUE, over=TEXT | VALUE)
def test_interventions(attack, what, to, over):
    usable(attack(pc.mean, over))
    usable(attack(pc.knock_out, what, to=TO, given=to))
    usable(attack(pc.path_patch, ROLE, what, to=TO, mlps=over))
    usable(attack(pc.keep_edges, what, to=to, name=over))
    usable(attack(pc.edges, ROLE, what))
    usable(attack(pc.hypothesis, what, carries=to, name=over))


@fuzz(threshold=NUMBER | VALUE, other=NUMBER | VALUE, source=TEXT | VALUE)
def test_claims(attack, threshold, other, source):
    measure = pc.logit_difference()
    for claim in (
        attack(measure.__ge__, threshold),
        attack(measure.__lt__, threshold),
        attack(measure.between, threshold, other),
    ):
        usable(claim)
        if claim is not None:
            usable(attack(claim.cite, source))
            usable(attack(claim.over, seeds=other, templates=source))


@fuzz(alpha=NUMBER | VALUE, correction=TEXT | VALUE, first=NUMBER | VALUE, clustered=VALUE)
def test_rules(attack, alpha, correction, first, clustered):
    usable(attack(pc.Rules, alpha=alpha))
    usable(attack(pc.Rules, correction=correction, first=first, clustered=clustered))


@fuzz(text=TEXT, place=JSON)
def test_positions(attack, text, place):
    found = attack(find_span, text, place)
    if not isinstance(found, str):
        start, end = found
        assert 0 <= start < end <= len(text)


FIELDS = st.sampled_from(["text", "answer", "foil", "positions", "group", "cluster", "task", "bos"])
ROWS = st.dictionaries(FIELDS | TEXT, JSON, max_size=5)
GOOD = {"text": "Once, Mary met John. John gave a map to", "answer": " Mary", "foil": " John"}
NEARLY = st.builds(lambda row, more: {**row, **more}, st.just(GOOD), ROWS)


@fuzz(rows=st.lists(NEARLY | ROWS, max_size=3) | VALUE, bos=VALUE, neutral=VALUE, name=TEXT | VALUE)
def test_rows(attack, rows, bos, neutral, name):
    usable(attack(pc.prompt_task, "gift", rows))
    usable(attack(pc.prompt_task, name, [GOOD], bos=bos, neutral=neutral))


@fuzz(lines=st.lists(NEARLY | ROWS | JSON, max_size=3), junk=st.binary(max_size=40))
def test_jsonl(attack, tmp_path_factory, lines, junk):
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    with suppress(ValueError):  # numbers that Python does not write
        path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        usable(attack(PromptTask.from_jsonl, path))
    path.write_bytes(path.read_bytes()[:200] + junk)
    usable(attack(PromptTask.from_jsonl, path))


@fuzz(row=NEARLY)
def test_tokenizing_rows(attack, words, row):
    task = attack(pc.prompt_task, "gift", [row])
    if task is not None:
        drawn = attack(task.draw, words, 1, 0)
        assert drawn is None or len(drawn.prompts) == 1


@pytest.fixture(scope="module")
def words():
    from tiny import word_tokenizer

    return word_tokenizer()


@fuzz(templates=VALUE, names=VALUE, orders=VALUE, bos=VALUE)
def test_ioi(attack, templates, names, orders, bos):
    for given_ in ({"templates": templates}, {"names": names}, {"orders": orders}, {"bos": bos}):
        usable(attack(pc.IOI, **given_))
    usable(attack(RepeatedTokens, length=bos, bos=orders))


TEMPLATE = st.lists(
    st.sampled_from(
        ["Then, ", "{A}", "{B}", "{S}", "{PLACE}", "{", "}", ". ", " gave", " to", "{}"]
    )
    | TEXT,
    max_size=12,
).map("".join)


@fuzz(template=TEMPLATE)
def test_templates(attack, words, template):
    task = attack(pc.IOI, templates=(template,))
    if task is not None:
        attack(task.draw, words, 2, 0)


@fuzz(features=st.frozensets(TEXT, max_size=3))
def test_variations(attack, features):
    attack(variation, "IOI", features)


SPEC = TEXT | st.text("ab-._/@:~ \\=", max_size=12)


@fuzz(spec=SPEC)
def test_specs(attack, offline, spec):
    attack(is_folder, spec) if "\0" not in spec else None
    attack(packaged, spec)
    attack(find_source, spec, cache_dir=None, progress=False)


@pytest.fixture
def offline(monkeypatch, tmp_path_factory):
    from huggingface_hub import constants

    empty = tmp_path_factory.mktemp("nothing")
    monkeypatch.chdir(empty)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(empty))


@fuzz(specs=st.lists(SPEC, max_size=4))
def test_labels_of_models(attack, specs):
    labels = attack(model_labels, specs)
    assert len(set(labels)) == len(labels) == len(specs)


OPTIONS = ("prompts", "seed", "first", "correction", "device", "dtype", "cache_dir", "memory")
OPTIONS += ("json", "missing_model", "model", "mutants")


@fuzz(name=st.sampled_from(OPTIONS), value=TEXT | st.integers().map(str))
def test_options(attack, name, value):
    lists = name in ("model", "mutants")
    flags = {f"circuit_{name}": [value] if lists else value, "circuit_mutate": True}
    config = SimpleNamespace(getoption=flags.get, getini=lambda name: None)
    found = attack(read_settings, config)
    assert found is None or not {"\x1b", "\0"} & set(found.as_flags())


@fuzz(prompts=NUMBER, seed=NUMBER)
def test_numbers_from_a_file(attack, prompts, seed):
    values = {"circuit_prompts": prompts, "circuit_seed": seed}
    config = SimpleNamespace(getoption=lambda name: None, getini=values.get)
    attack(read_settings, config)


@fuzz(
    content=st.binary(max_size=60) | JSON.map(lambda value: shown(value).encode("utf-8", "replace"))
)
def test_json_files(attack, content):
    attack(parse_json, content, "config.json", also=(ValueError,))


CONFIG = st.dictionaries(
    TEXT | st.sampled_from(["n_layer", "num_hidden_layers", "num_experts", "n_head"]), JSON
)


@fuzz(config=CONFIG, tokenizer=CONFIG)
def test_configs(attack, config, tokenizer):
    held = Contents(tensors=3, numbers=100, bytes=400, whole=frozenset())
    attack(held.check_config, config, also=(TooLarge,))
    attack(check_tokenizer, {"normalizer": tokenizer, "decoder": config}, config, also=(TooLarge,))


ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BF16", "U8"]) | JSON,
        "shape": st.lists(st.integers(0, 4), max_size=3) | JSON,
        "data_offsets": st.lists(st.integers(0, 64), min_size=2, max_size=2) | JSON,
    }
)


@fuzz(header=st.dictionaries(TEXT, ENTRY | JSON, max_size=3), cut=st.integers(0, 200))
def test_headers(attack, tmp_path_factory, header, cut):
    folder = tmp_path_factory.getbasetemp()
    try:
        text = json.dumps(header).encode()
    except ValueError:
        text = b"{}"
    content = struct.pack("<Q", len(text)) + text + b"\0" * 64
    for data in (content, content[:cut]):
        (folder / "model.safetensors").write_bytes(data)
        found = attack(lambda: list(stored_tensors(folder)), also=(ValueError,))
        assert sum(len(each.data) for each in found or ()) <= 64 * 3
    os.remove(folder / "model.safetensors")


@fuzz(index=st.dictionaries(TEXT | st.just("weight_map"), JSON, max_size=3))
def test_indices(attack, tmp_path_factory, index):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "model.safetensors.index.json"
    with suppress(ValueError):
        path.write_text(json.dumps(index))
        files = attack(weight_files, folder, also=(ValueError,))
        assert all(file.parent == folder for file in files or ())


@fuzz(value=VALUE | st.builds(lambda v: [v] * 1000, VALUE), text=TEXT)
def test_what_is_quoted(attack, value, text):
    assert len(attack(shown, value)) < 300
    said = str(ModelNotAvailable(text * 100))
    assert len(said) <= LONGEST_MESSAGE + 100
    said.encode()
