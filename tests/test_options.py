"""Options become builtins once, and flags again for the rerun command."""

import pytest

from pytest_circuits.options import Settings, read_settings


class Config:
    """As much of pytest's config as reading settings needs."""

    def __init__(self, flags=(), ini=()):
        self._flags = dict(flags)
        self._ini = dict(ini)

    def getoption(self, name):
        return self._flags.get(name.removeprefix("circuit_"))

    def getini(self, name):
        return self._ini.get(name.removeprefix("circuit_"))


def test_defaults():
    assert read_settings(Config()) == Settings(
        models=(),
        prompts=None,
        seed=None,
        device="cpu",
        dtype="float32",
        cache_dir=None,
        memory=None,
        json=None,
        missing_model="error",
        mutate=False,
        mutants=(),
        card=False,
        dry_run=False,
    )


@pytest.mark.parametrize("where", ["flags", "ini"])
def test_values_from_either_place(where, tmp_path):
    values = {
        "model": ["a", " b "],
        "prompts": "64",
        "seed": "0",
        "device": "cuda:1",
        "dtype": "float16",
        "cache_dir": "cache",
        "memory": "1.5 gb",
        "json": str(tmp_path / "out.json"),
        "missing_model": "skip",
        "mutate": True,
        "mutants": ["knocked out", " swapped "],
        "card": True,
        "dry_run": True,
        "correction": "none",
        "first": "16",
    }
    assert read_settings(Config(**{where: values})) == Settings(
        models=("a", "b"),
        prompts=64,
        seed=0,
        device="cuda:1",
        dtype="float16",
        cache_dir="cache",
        memory=1_500_000_000,
        json=str(tmp_path / "out.json"),
        missing_model="skip",
        mutate=True,
        mutants=("knocked out", "swapped"),
        card=True,
        dry_run=True,
        correction="none",
        first=16,
    )


def test_a_flag_wins_over_the_file_even_if_it_is_zero():
    settings = read_settings(Config(flags={"seed": "0"}, ini={"seed": 7, "prompts": 9}))
    assert (settings.seed, settings.prompts) == (0, 9)


@pytest.mark.parametrize("error", [ValueError("no integer"), TypeError("no string")])
def test_errors_of_older_pytests_are_usage_errors(error):
    class Raising(Config):
        def getini(self, name):
            raise error

    with pytest.raises(pytest.UsageError, match=r"circuit_.*no "):
        read_settings(Raising())


@pytest.mark.parametrize(
    ("text", "size"), [("1KB", 10**3), ("500MB", 5 * 10**8), ("2GB", 2 * 10**9), ("1TB", 10**12)]
)
def test_sizes(text, size):
    assert read_settings(Config(flags={"memory": text})).memory == size


def test_a_relative_path_is_fixed_before_tests_change_the_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings(Config(flags={"json": "x/out.json"})).json == str(tmp_path / "x/out.json")


def test_flags_of_the_rerun_command():
    assert read_settings(Config()).as_flags() == ""
    flags = {"prompts": "8", "seed": "0", "dtype": "float16", "device": "mps", "json": "x.json"}
    assert read_settings(Config(flags=flags)).as_flags() == (
        "--circuit-prompts 8 --circuit-seed 0 --circuit-device mps --circuit-dtype float16"
    )


def test_every_setting_is_a_builtin():
    settings = read_settings(Config(flags={"model": ["a"], "prompts": "8", "memory": "1GB"}))
    for value in vars(settings).values():
        assert type(value) in (str, int, bool, tuple, type(None))
