# Each target sets up what it needs: the virtual environment, the Pulumi engine, the sandbox.
#   make up | preview | refresh | destroy    the stack `sandbox`, against a local Twilio
#   make test | lint | docs-check            what CI runs
#   make bench                               how fast it is beside a no-op resource: 15 minutes; ARGS="--size small" is 1
#   make matrix                              each request under each fault: what comes of it, printed
#   make dist                                source archive and wheel, in dist/
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
SANDBOX := engine/run python -m pulumi_twilio_caller_id sandbox --state .state/twilio.json --run
PULUMI := $(SANDBOX) engine/stack

.PHONY: help up preview refresh destroy test matrix bench lint docs-check format dist clean setup
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

$(VENV)/ready: requirements.txt pyproject.toml
	@echo "setup: installing requirements.txt into $(VENV), about a minute"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "setup: installing requirements-dev.txt"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

setup: $(VENV)/ready
	@$(VENV)/bin/python engine/ensure.py

up preview refresh destroy: setup
	@$(PULUMI) $@

test: setup $(VENV)/ready-dev
	@engine/run python -m pytest -n 4 --dist worksteal $(ARGS)

matrix: setup
	@$(VENV)/bin/python tests/faults.py

bench: setup
	@PYTHONPATH=tests:benchmarks engine/run python benchmarks/bench.py $(ARGS)

lint: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@for example in examples/*/; do \
	    (cd $$example && $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml --no-error-summary --cache-dir $(CURDIR)/.mypy_cache/examples .) || exit 1; \
	done
	@$(VENV)/bin/python engine/lint_workflows.py

docs-check: setup $(VENV)/ready-dev
	@engine/run python -m pytest -q tests/unit/test_docs.py

format: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

# Without isolation, so that the build backend is the one pinned in requirements-dev.txt. The wheel is built from the sdist.
dist: $(VENV)/ready-dev
	@rm -rf dist
	@$(VENV)/bin/python -m build --no-isolation
	@$(VENV)/bin/python -m twine check --strict dist/*

clean:
	rm -rf $(VENV) .engine .state .pulumi-home dist
