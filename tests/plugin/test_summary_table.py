"""The table at the end: every claim, the worst first, once."""

CLAIMS = """\
holds = look <= 0.99
refuted = look >= 0.99
worse = look >= 0.995
error = attention(heads("40.1", at=END), to=IO) >= 0.001
undecided = look >= {value!r}
"""


def rows(result):
    lines = result.outlines
    first = next(i for i, line in enumerate(lines) if "circuit claims =" in line)
    last = next(i for i in range(first, len(lines)) if "forward-equivalents" in lines[i])
    return lines[first + 1 : last + 1]


def test_the_worst_first(claims, run, measured):
    claims(CLAIMS.format(value=measured.value))
    header, *table, cost = rows(run())
    assert header.split("  ")[0] == "claim"
    assert [row.split()[0] for row in table] == ["error", "worse", "refuted", "undecided", "holds"]
    assert [row.split()[-1] for row in table] == [
        "error",
        "refuted",
        "refuted",
        "undecided",
        "holds",
    ]
    assert f" {measured.value:.3g} [" in table[-1]  # at the level of four claims together
    assert cost.startswith("1 pass, 0 interventions, 1.0 forward-equivalents of 8 prompts, ")


def test_the_columns_are_aligned(claims, run, measured):
    claims(CLAIMS.format(value=measured.value))
    header, *table, _ = rows(run())
    column = header.index("required")
    assert all(row[column - 2 : column] == "  " for row in table)


def test_the_worst_head_is_named(claims, run):
    claims("a = attention(heads('0.0', '0.1', '1.0', at=END).each, to=IO) >= 0.99")
    (row,) = rows(run())[1:-1]
    assert row.split()[1] in ("0.0", "0.1", "1.0")


def test_nothing_without_claims(pytester, run):
    pytester.makepyfile("def test_it(): pass")
    result = run()
    result.stdout.no_fnmatch_line("*circuit claims*")
    result.stdout.no_fnmatch_line("*circuits:*")


def test_nothing_for_claims_that_were_deselected(claims, pytester, run):
    claims("a = look <= 0.99")
    pytester.makepyfile("def test_it(): pass")
    run("-k", "test_it").stdout.no_fnmatch_line("*circuit claims*")


def test_it_is_there_with_quiet_and_without_summary(claims, run):
    claims("a = look <= 0.99")
    for option in ("-q", "-qq", "--no-summary", "--tb=no"):
        assert len(rows(run(option))) == 3


def test_a_failing_teardown_does_not_hide_the_verdict(claims, pytester, run):
    claims("a = look <= 0.99")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def fails_late():
            yield
            raise RuntimeError("late")
        """
    )
    result = run()
    assert result.ret == 1
    assert rows(result)[1].endswith("holds")


def test_someone_elses_failing_fixture_is_the_reason(claims, pytester, run):
    claims("a = look <= 0.99")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def fails_early():
            raise RuntimeError("early")
        """
    )
    result = run()
    result.assert_outcomes(errors=1)
    assert rows(result)[1].split()[0] == "a"
    assert rows(result)[1].endswith("error")


def test_control_characters_do_not_reach_the_terminal(claims, canned, pytester):
    claims("a = look >= 0.3")
    with (pytester.path / "conftest.py").open("a") as file:
        file.write(
            "\n@pytest.fixture\ndef circuit_load_model():\n"
            "    raise KeyError('\\x1b[2J' + chr(7) + chr(0))\n"
        )
    table = canned().stdout.partition("= circuit claims =")[2].partition("short test summary")[0]
    assert "KeyError" in table
    assert not set(table) & set("\x1b\x07\x00")
