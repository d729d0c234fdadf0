# Regulars. `make` alone lists what can be done. Python 3.11+ and make are enough for all but `lock` (uv) and the
# Kafka half of `test`, `bench` and `faults` (Java and Maven).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ORDERS ?= 0
ROUNDS ?= 5

# Half a dozen processes start at once, again and again in tests: from byte code that is kept, they do so in half the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint format bench faults lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the environment in .venv (runs by itself when needed)

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Regulars needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	@echo "Installing the locked packages into $(VENV) (once; takes some minutes) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Start everything and replay a year of real orders (ORDERS=5000 plays a part)
	@$(BIN)/regulars demo --orders $(ORDERS)

up: $(STAMP) ## Start everything and stay in the foreground (Ctrl-C ends it)
	@$(BIN)/regulars up

test: $(STAMP) ## Run the tests on real PostgreSQL and, where there is Java, on real Kafka
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(STAMP) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Put the code into the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure throughput, latency and memory on this machine
	@$(BIN)/python -m tests.benchmarks

faults: $(STAMP) ## Kill processes under load at random moments and check every effect (ROUNDS=100 for long)
	@$(BIN)/python -m tests.faults --rounds $(ROUNDS)

lock: ## Renew the hashed lock files from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --all-extras pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and caches; the data in .regulars stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
