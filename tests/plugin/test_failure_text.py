"""What a failing claim says."""

CLAIM = "attends = look >= 0.99"


def block(result, start):
    lines = result.outlines
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    return lines[first : next(i for i in range(first, len(lines)) if lines[i][:1] in "=_")]


def test_refuted(claims, run, measured):
    claims(CLAIM)
    text = block(run(), "attends is refuted")
    assert len(text) < 20
    labels = [line.split()[0] for line in text[1:] if line[2] != " "]
    assert " ".join(labels) == (
        "claim measured required decision worst model prompts runs source rerun"
    )
    joined = "\n".join(text)
    for part in (
        "attention of 0.1 from END to IO >= 0.99",
        f"{measured.value:.4g} [{measured.low:.4g}, {measured.high:.4g}] attention",
        "95 % interval over prompts",
        "look 1 of 1",
        ">= 0.99, margin -0.97",
        f"[{measured.method.fingerprint[:12]}] float32 on cpu",
        "IOI, n=8, seed=0",
        f"digest {measured.method.prompts_digest[:8]}",
        "this test",
        "pytest circuits/x.py::attends",
    ):
        assert part in joined


def test_three_worst_prompts(claims, run, measured):
    claims(CLAIM)
    text = block(run(), "attends is refuted")
    worst = sorted(measured.by_prompt, key=lambda each: each[1])[:3]
    first = next(i for i, line in enumerate(text) if line.startswith("  worst"))
    for (prompt, value), line in zip(worst, text[first : first + 3], strict=True):
        assert f"{value:.3g}" in line
        assert prompt[:30] in line


def test_undecided_says_what_would_decide(claims, run, measured):
    claims(f"attends = look >= {measured.value!r}")
    result = run()
    result.assert_outcomes(failed=1)
    (line, *_) = block(result, "attends is undecided")
    assert "straddles the threshold" in line
    assert "--circuit-prompts" in line


def test_the_worst_head_of_each(claims, run):
    claims("attends = attention(heads('0.0', '0.1', '1.0', at=END).each, to=IO) >= 0.99")
    text = "\n".join(block(run(), "attends is refuted"))
    assert "  heads      " in text
    assert all(head in text for head in ("0.0 ", "0.1 ", "1.0 "))


def test_no_internals_in_the_report(claims, run):
    claims(CLAIM)
    result = run("--showlocals")
    for word in ("*_evaluate*", "*collection.py*", "*circuit_verdict*", "*Traceback*"):
        result.stdout.no_fnmatch_line(word)
