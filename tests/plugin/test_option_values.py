"""Options on the command line and in configuration files, as a session sees them."""

import pytest

BAD = {
    "prompts": ["1", "0", "-5", "many", "2.5", "٣"],
    "seed": ["-1", "x", "1e3"],
    "device": ["gpu", "cuda:x", "cpu;"],
    "dtype": ["float64", "int8", "FLOAT32"],
    "memory": ["lots", "5", "-1GB", "GB", "1e9"],
    "missing-model": ["ignore", "Skip"],
    "model": ["", "  "],
    "json": ["."],
    "mutants": ["", " ", "knocked"],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def refused(result, name):
    assert result.ret == 4
    text = result.stderr.str() + result.stdout.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    return name in text


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={v}" for n, v in CASES])
def test_a_bad_value_is_a_usage_error(name, value, pytester):
    result = pytester.runpytest_inprocess(f"--circuit-{name}={value}")
    assert refused(result, f"--circuit-{name}")
    result.stderr.fnmatch_lines([f"ERROR: --circuit-{name} must *; *{value.strip()}*"])


HOSTILE = [
    ("prompts", "9" * 5000),
    ("first", "9" * 19),
    ("seed", "9" * 5000),
    ("memory", "9" * 400 + "GB"),
    ("memory", "\u0663GB"),
    ("device", "cuda:\u0663"),
    ("device", "cuda:" + "9" * 400),
    ("model", "\x1b[31mred"),
    ("model", "x" * 10_000),
    ("json", "\x07"),
    ("json", "x" * 10_000),
    ("cache-dir", "~nosuchuser/cache"),
    ("cache-dir", __file__),
    ("cache-dir", "\x1b"),
    ("missing-model", "x" * 1_000_000),
    ("correction", "\x1b[31m"),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_a_hostile_value_is_a_usage_error_in_a_line(name, value, pytester):
    result = pytester.runpytest_inprocess(f"--circuit-{name}={value}")
    assert refused(result, f"--circuit-{name}")
    said = result.stderr.str()
    assert len(said) < 1_000
    assert not {"\x1b", "\x07"} & set(said)


def test_a_number_of_prompts_that_nobody_can_draw_says_what_it_would_cost(pytester):
    result = pytester.runpytest_inprocess("--circuit-prompts=100000000")
    assert refused(result, "--circuit-prompts must be at most 100,000")
    result.stderr.fnmatch_lines(["*100000000 would take some 2,200 GB of memory and 55 hours*"])


@pytest.mark.parametrize("pattern", ["", " "])
def test_a_glob_of_nothing_is_a_usage_error(pattern, pytester):
    pytester.makepyprojecttoml(f'[tool.pytest]\ncircuit_files = ["{pattern}"]')
    pytester.makepyfile(helper="import pytest_circuits")
    assert refused(pytester.runpytest_inprocess(), "circuit_files")


@pytest.mark.parametrize(
    ("name", "value"),
    [("prompts", "1"), ("prompts", "many"), ("seed", "-1"), ("dtype", "float64"), ("json", ".")],
)
def test_so_it_is_in_an_ini_file(name, value, pytester):
    pytester.makeini(f"[pytest]\ncircuit_{name} = {value}")
    assert refused(pytester.runpytest_inprocess(), name)


@pytest.mark.parametrize("line", ["circuit_prompts = '8'", "circuit_model = 'tiny'"])
def test_so_is_a_wrong_type_in_toml(line, pytester):
    pytester.makepyprojecttoml(f"[tool.pytest]\n{line}")
    assert refused(pytester.runpytest_inprocess(), line.split()[0])


INI = {
    "ini": "[pytest]\ncircuit_prompts = 6\ncircuit_seed = 3\ncircuit_model =\n  first\n  second\n",
    "toml": "[tool.pytest]\ncircuit_prompts = 6\ncircuit_seed = 3\n"
    'circuit_model = ["first", "second"]\n',
    "ini in toml": "[tool.pytest.ini_options]\ncircuit_prompts = 6\ncircuit_seed = 3\n"
    'circuit_model = ["first", "second"]\n',
}


def test_every_option_is_also_an_ini_value(pytester):
    names = [name.replace("-", "_") for name in BAD]
    pytester.makeconftest(
        f"""
        def pytest_configure(config):
            for name in {names!r}:
                config.getini("circuit_" + name)
        """
    )
    assert pytester.runpytest_inprocess().ret == 5


@pytest.mark.parametrize("kind", INI)
def test_every_kind_of_configuration_file(kind, claims, pytester, run):
    claims("a = look >= 0.99")
    (pytester.makeini if kind == "ini" else pytester.makepyprojecttoml)(INI[kind])
    result = run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*IOI, n=6, seed=3,*"])


def test_the_command_line_wins_even_with_a_zero(claims, pytester, run):
    claims("a = look >= 0.99")
    pytester.makeini(INI["ini"])
    result = run("--circuit-seed=0", "--circuit-model=third")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*IOI, n=6, seed=0,*", "*--circuit-seed 0*"])


def test_prompts_and_seed_change_the_draw(claims, run):
    claims("a = look >= 0.99")

    def drawn(*args):
        lines = run(*args).outlines
        return [
            next(line for line in lines if line.startswith(f"  {label} "))
            for label in ("prompts", "measured")
        ]

    first, *others = [drawn(*args) for args in ([], ["--circuit-seed=1"], ["--circuit-prompts=9"])]
    assert "n=8, seed=0" in first[0]
    assert "n=8, seed=1" in others[0][0]
    assert "n=9, seed=0" in others[1][0]
    assert len({measured for _, measured in (first, *others)}) == 3
    assert drawn() == first


def test_dtype_and_device_reach_the_loader(claims, pytester, tiny_folder):
    claims("a = look >= 0.99", model=str(tiny_folder))
    result = pytester.runpytest_inprocess("--circuit-dtype=bfloat16")
    result.stdout.fnmatch_lines(
        [
            "circuits: 1 claim on *; bfloat16 on cpu",
            "*] bfloat16 on cpu",
            "*--circuit-dtype bfloat16",
        ]
    )


def test_the_help_names_every_option(pytester):
    result = pytester.runpytest_inprocess("--help")
    for name in BAD:
        result.stdout.fnmatch_lines([f"  --circuit-{name}=*"])
    result.stdout.fnmatch_lines(["*--circuit-model=runs/step100: after a space*"])
    result.stdout.fnmatch_lines(["  circuit_files (linelist):*"])
