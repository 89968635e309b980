"""What cannot be evaluated is an error: neither a pass, nor a skip, nor a refutation."""

import pytest


@pytest.fixture(scope="module")
def broken_folder(tmp_path_factory):
    import torch
    from tiny import save_gpt2
    from transformers import AutoTokenizer, GPT2LMHeadModel

    folder = save_gpt2(tmp_path_factory.mktemp("models") / "nan", layers=2, heads=2)
    model = GPT2LMHeadModel.from_pretrained(folder)
    with torch.no_grad():
        model.transformer.h[0].mlp.c_fc.weight.fill_(float("nan"))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def nameless_folder(tiny_folder, tmp_path_factory):
    import json
    import shutil

    folder = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("models") / "nameless")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {
        word if number < 2 or word.islower() else f"<{number}>": number
        for word, number in words.items()
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


CASES = {
    "layer": (
        "attention(heads('40.1', at=END), to=IO) >= 0.001",
        "*has no head 40.1: it has layers 0 to 1 with heads 0 to 1 each*",
    ),
    "position": (
        "attention(heads('0.1', at=END), to='S2+1') >= 0.001",
        "*unknown position*'S2+1'. Did you mean 'S1+1'? Known: IO, S1, S1+1, S2, END.",
    ),
    "counterpart": (
        "logit_difference(on='ABD') >= -99",
        "*unknown prompt distribution 'ABD'. Did you mean 'ABC'? Known: IOI, ABC,*",
    ),
    "undefined": ("(look / (look - look)) >= 0", "*is undefined on these prompts*"),
}


@pytest.mark.parametrize(("claim", "message"), CASES.values(), ids=CASES)
def test_an_error_that_lists_what_is_known(claim, message, claims, run):
    claims(f"a = {claim}\nb = look <= 0.99")
    result = run()
    result.assert_outcomes(errors=1, passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*ERROR at setup of a*", f"not evaluable: {message}", "a * error"])


def test_damaged_weights(claims, pytester, broken_folder):
    claims("a = look <= 0.99\nb = logit_difference() <= 99", model=str(broken_folder))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["not evaluable: *logits are not finite*damaged weights*"])
    assert result.ret == 1


def test_a_tokenizer_without_the_names(claims, pytester, nameless_folder):
    claims("a = look <= 0.99", model=str(nameless_folder))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["not evaluable: tokenizer without the names: IOI needs at least*"])
    assert result.ret == 1


def test_too_little_memory(claims, run):
    claims("a = look <= 0.99")
    result = run("--circuit-memory=1KB")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["not evaluable: *one prompt needs*Raise it with --circuit-memory*"]
    )
    run("--circuit-memory=100MB").assert_outcomes(passed=1)


def test_an_unknown_model(claims, pytester):
    claims("a = look <= 0.99", model="smollm-135m")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["not evaluable: unknown model*Did you mean 'smollm2-135m'*"])
