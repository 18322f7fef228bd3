# Everything that a developer does here. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What is installed is told by empty files, so that it is done once: until a lock changes.
VENV_MADE := $(VENV)/.made
RUN_READY := $(VENV)/.ready-to-run
TEST_READY := $(VENV)/.ready-to-test

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test lint types format torture benchmark lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUN_READY) ## Serve a register with demonstration content on http://127.0.0.1:8000
	@$(BIN)/register demo

# A file's tests run one after another, since some share what is slow to make.
test: lint types ## Check everything: style, types, the import contract, and the whole suite
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: $(TEST_READY) ## Check style, layout and the import contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(TEST_READY) ## Check types
	$(BIN)/mypy

format: $(TEST_READY) ## Lay out the code, and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

torture: $(TEST_READY) ## Hurt the service for some minutes, and look at what it lost
	$(BIN)/pytest -m torture $(ARGS)

benchmark: $(TEST_READY) ## Measure a register of 100,000 entries
	$(BIN)/python -m benchmarks $(ARGS)

# The locks keep the versions that they have, if pyproject.toml allows them. `make lock UPGRADE=all`
# takes the newest of all, `make lock UPGRADE="fastapi ruff"` of some. Whoever makes a lock takes
# the newest uv: it chooses versions, and is itself in no lock.
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock"
UV_UPGRADE = $(if $(filter all,$(UPGRADE)),--upgrade,$(UPGRADE:%=--upgrade-package=%))

lock: $(VENV_MADE) ## Remake requirements.txt and requirements-test.txt from pyproject.toml
	$(PIP) install --upgrade uv
	$(UV_COMPILE) --extra test --output-file requirements-test.txt $(UV_UPGRADE)
	cp requirements-test.txt requirements.txt # the versions to keep
	$(UV_COMPILE) --extra build --extra semantic --output-file requirements.txt

clean: ## Remove what was installed and built; a register.db stays
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	cd docs/clients/typescript && rm -rf node_modules dist src/schema.d.ts
	find app benchmarks migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The register needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "This Python cannot make a venv; on Debian, install python3-venv." >&2; \
		exit 1; }
	@touch $@

$(RUN_READY): requirements.txt pyproject.toml | $(VENV_MADE)
	@echo "Installing what the register needs into $(VENV) ..."
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The lock for tests holds all of the lock to run.
$(TEST_READY): requirements-test.txt pyproject.toml | $(VENV_MADE)
	@echo "Installing what the register and its tests need into $(VENV) ..."
	@$(PIP) install --require-hashes --requirement requirements-test.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_READY)
