# `make setup` once, then `make demo`. Needs Python 3.11+ and nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# The tests start the command many times: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help setup demo quick test lint format bench docs lock rules clean

help: ## the targets, a line each
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## .venv from the locked requirements

# The lock is whole. Without --no-deps, an older pip takes `coverage[toml]` for unpinned once a newer coverage is out.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "GreenStream needs Python 3.11 or newer; name one with: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check --quiet --disable-pip-version-check
	@touch $(STAMP)

demo: setup ## a small fleet with faults, simulated and run through
	@$(BIN)/greenstream demo

quick: lint ## lint, types, layers, and the tests that start nothing: within a minute
	$(BIN)/pytest $(PARALLEL) tests/unit tests/rules tests/oracle

# What needs more than Python and PostgreSQL gets a target test-… of its own, under 8 minutes; .ci/run runs each of them.
test: lint ## everything: lint, types, layers, tests
	$(BIN)/pytest $(PARALLEL)

lint: setup ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## speed and memory, as ratios within one run
	$(BIN)/python -m bench

docs: setup ## the generated parts of docs/ anew, from the code
	$(BIN)/python -m greenstream.entrypoints.docs

lock: setup ## requirements/*.txt anew, with hashes, from pyproject.toml
	$(BIN)/python requirements/lock.py

clean: ## what can be made again
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage
