# Jinka: `make run` shows a city's day, `make test` runs every check. Each does its own set-up.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
DAY ?=
WORKERS ?= $(shell echo $$(( $$(nproc) + 1 )))

.PHONY: help run test lint types contracts unit lock clean

help:
	@echo "make run    a city's day, from tap to settlement (DAY=\"--riders 2000\" for a small one)"
	@echo "make test   ruff, mypy, import contracts, pytest"
	@echo "make lock   write the lock files again from pyproject.toml (UPGRADE=--upgrade for newer versions)"
	@echo "make clean  remove .venv, caches and out/"

run: .venv/ready-run
	@$(BIN)/jinka day $(DAY)

test: .venv/ready-test
	@scripts/system-setup
	@scripts/cards-setup
	@scripts/npm-setup
	@$(MAKE) --no-print-directory lint types contracts unit

lint: .venv/ready-test
	@echo "== ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }

types: .venv/ready-test
	@echo "== mypy"
	@$(BIN)/mypy

contracts: .venv/ready-test
	@echo "== import contracts"
	@$(BIN)/lint-imports --no-cache

# Files of tests are shared out to processes, one more than there are cores because some wait. What all of them wrote is
# looked through afterwards. Modules are compiled once, also where Python was told to write no bytecode: tests start
# whole processes.
unit: .venv/ready-test
	@echo "== pytest"
	@unset PYTHONDONTWRITEBYTECODE; left=$$(mktemp -d) && \
	$(BIN)/pytest -q -m "not after_all" --basetemp="$$left/all" -n $(WORKERS) --dist loadfile --no-loadscope-reorder && \
	JINKA_TESTS_WROTE="$$left/all" $(BIN)/pytest -q -m after_all --basetemp="$$left/last" && rm -rf "$$left"

# The stamps are files, so that a second run starts at once and a changed lock installs again.
.venv/bin/python:
	@python=$$(scripts/find-python) && echo "Setting up .venv with $$python (once)" && "$$python" -m venv .venv

.venv/ready-run: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the lock names (once)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

.venv/ready-test: requirements-dev.lock .venv/ready-run
	@echo "Installing what the checks need (once)"
	@# Spark is published as source alone; nothing of it is compiled.
	@$(PIP) install --require-hashes --only-binary :all: --no-binary pyspark -r requirements-dev.lock
	@touch $@

lock:
	@scripts/lock $(UPGRADE)

clean:
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
