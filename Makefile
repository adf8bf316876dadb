# Each target sets up what it needs: the virtual environment, the Pulumi engine, the sandbox.
#
#   Try (a local Twilio: nobody is phoned)
#     make up            deploy the stack `sandbox`; PHONE=1: you answer the calls
#     make preview       what `make up` would do; ARGS=--diff: with the values
#     make refresh       compare the stack with what that Twilio has
#     make destroy       delete what `make up` made
#     make phone         that Twilio and a page to answer on; PORT=8485, ARGS=-v
#
#   Develop
#     make check         before a commit: lint and the fast tests, under 2 minutes
#     make test          the tests to run while you work, 5 minutes
#     make test-slow     the other tests, 10 minutes
#     make test-all      both
#     make lint          style, types, workflows, versions, licences
#     make format        let ruff format the code
#     make docs-check    only the tests of the docs
#     make setup         only the virtual environment and the engine
#     make clean         remove all that make has made here
#
#   Maintain
#     make test-oldest   the tests with the oldest dependencies, then the newest
#     make conformance   sandbox and requests against Twilio's API description
#     make matrix        inject each fault into each request; print the outcome
#     make kills         kill engine or plugin in each phase; print what remains
#     make fuzz          random programs for 10 minutes; ARGS="--minutes 60"
#     make bench         20 minutes; ARGS="--size small": 1 minute
#     make states        record this version's state files, before a release
#     make screenshots   pictures of terminal and phone, into docs/images/
#     make reference     the tables of docs/reference.md, from the code
#     make dist          source archive and wheel, in dist/
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
TWILIO := tools/run python -m pulumi_twilio_caller_id sandbox --state .state/twilio.json $(if $(PHONE),--page) $(if $(PORT),--port $(PORT))
PULUMI := $(TWILIO) --join -- tools/stack

.PHONY: help up preview refresh destroy phone check test test-slow test-all lint format docs-check setup clean
.PHONY: test-oldest conformance matrix kills fuzz bench states screenshots reference dist
.DEFAULT_GOAL := help

help:
	@sed -n '2,/^[^#]/s/^#\( *$$\|   \)//p' Makefile

$(VENV)/ready: requirements.txt pyproject.toml
	@echo "setup: installing requirements.txt into $(VENV), about a minute"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -c 'import pip' 2>/dev/null || $(VENV)/bin/python -m ensurepip >/dev/null # one made by uv has none
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "setup: installing requirements-dev.txt"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

setup: $(VENV)/ready
	@$(VENV)/bin/python -m tools.ensure

# SIGHUP would end Pulumi on the spot, and leave its stack locked. The sandbox makes a ^C of a closed terminal.
up preview refresh destroy: setup
	@trap '' HUP; exec $(PULUMI) $@ $(ARGS)

# In the foreground it is a job of its own, so that ^C ends the sandbox with 0, and not make.
phone: setup
	@echo 'Run `make destroy up` in another terminal; answer on the page below. ^C ends it.'
	@case "$$(ps -o stat= -p $$$$ 2>&1)" in *+*) set -m ;; esac; $(TWILIO) --page $(ARGS) || { status=$$?; echo '(Here, `--port 8485` is `make phone PORT=8485`.)'; exit $$status; }

# Keep bytecode files. Without them each worker rewrites all asserts, which is most of the collection time.
PYTEST := env -u PYTHONDONTWRITEBYTECODE tools/run python -m pytest -n 4 --dist worksteal

test: setup $(VENV)/ready-dev
	@$(PYTEST) tests/unit tests/engine $(ARGS)

check: lint setup
	@$(PYTEST) -q tests/unit $(ARGS)

# The tests that `make test-all` runs and `make test` does not.
test-slow: setup $(VENV)/ready-dev
	@$(VENV)/bin/python tools/browser.py
	@$(VENV)/bin/python -m tools.languages
	@$(PYTEST) tests/slow tests/repo tests/engine --shell native $(ARGS)

test-all: setup $(VENV)/ready-dev
	@$(VENV)/bin/python tools/browser.py
	@$(VENV)/bin/python -m tools.languages
	@$(PYTEST) --shell both $(ARGS)

# ARGS="oldest" or "newest": only that one.
test-oldest: setup $(VENV)/ready-dev
	@tools/run python -m tools.versions $(ARGS)

conformance: setup $(VENV)/ready-dev
	@tools/run python -m tests.slow.conformance.run

states: setup
	@tools/run python -m tests.slow.upgrade.record_states

matrix: setup
	@$(VENV)/bin/python -m tests.slow.fault_matrix.faults

kills: setup $(VENV)/ready-dev
	@tools/run python -m pytest -q -s -p no:xdist tests/slow/kill_matrix

fuzz: setup $(VENV)/ready-dev
	@$(VENV)/bin/python -m tests.slow.fuzz.run $(ARGS)

bench: setup
	@PYTHONPATH=. tools/run python benchmarks/bench.py $(ARGS)

lint: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@for program in examples/*/requirements.txt; do \
	    (cd $$(dirname $$program) && $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml --no-error-summary --cache-dir $(CURDIR)/.mypy_cache/examples .) || exit 1; \
	done
	@$(VENV)/bin/python -m tools.imports
	@$(VENV)/bin/python -m tools.lint_workflows
	@$(VENV)/bin/python -m tools.supply_chain

docs-check: setup $(VENV)/ready-dev
	@tools/run python -m pytest -q tests/repo/test_docs.py

format: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

screenshots: setup $(VENV)/ready-dev
	@$(VENV)/bin/python tools/browser.py
	@$(VENV)/bin/python -m tests.slow.page.screenshots
	@$(VENV)/bin/python -m tests.slow.terminal.picture

reference: $(VENV)/ready
	@$(VENV)/bin/python -m tools.reference

# Without isolation, so that the build backend is the one pinned in requirements-dev.txt. The wheel is built from the sdist.
dist: $(VENV)/ready-dev
	@rm -rf dist
	@$(VENV)/bin/python -m build --no-isolation
	@$(VENV)/bin/python -m twine check --strict dist/*
	@if grep -q '://git\.example/' pyproject.toml; then \
	    echo "dist: not to be published yet: pyproject.toml has git.example in place of the repository's address"; \
	fi

clean:
	rm -rf $(VENV) .engine .prism .state .pulumi-home dist
	@case "$$XDG_CACHE_HOME" in /*) cache=$$XDG_CACHE_HOME ;; *) cache=$$HOME/.cache ;; esac; cache=$$cache/pulumi-twilio-caller-id; \
	if [ -d "$$cache" ]; then echo "clean: $$(du -sh "$$cache" | cut -f1) stay in $$cache: the engine, for all checkouts"; fi
