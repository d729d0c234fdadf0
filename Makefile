# Regulars. `make` alone lists the targets. They need Python 3.11+ and make; `lock` also needs uv, and the Kafka
# half of `test`, `bench` and `faults` also needs Java and Maven.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ORDERS ?= 0
ROUNDS ?= 5
# Three keep two cores busy: the chains of tests on Kafka, and on whole installations, wait a good deal.
WORKERS ?= 3

# Tests start half a dozen processes at once, again and again: with cached byte code that takes half the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint format bench faults lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install into .venv (other targets do this when needed)

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Regulars needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose another one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	@echo "Installing the locked packages into $(VENV) (once; takes some minutes) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Start everything and replay a year of real orders (ORDERS=5000: a part of it)
	@$(BIN)/regulars demo --orders $(ORDERS)

up: $(STAMP) ## Start everything and stay in the foreground (Ctrl-C ends it)
	@$(BIN)/regulars up

test: $(STAMP) ## Run the tests on real PostgreSQL and, where there is Java, on real Kafka
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: $(STAMP) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure throughput, latency and memory on this machine
	@$(BIN)/python -m tests.benchmarks

faults: $(STAMP) ## Kill processes under load at random and check every effect (ROUNDS=100: a long run)
	@$(BIN)/python -m tests.faults --rounds $(ROUNDS)

lock: ## Update the hashed lock files from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --all-extras pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and caches; the data in .regulars stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
