# make serve | test | check | bench. Each sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
DATA ?= data
.DEFAULT_GOAL := help
.PHONY: help serve test check fix bench requirements docs clean

help:  ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*##\(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Daytwo needs Python 3.11 or newer; name one with PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.server: requirements/server.txt client/pyproject.toml server/pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements/server.txt
	$(PIP) --no-deps --no-build-isolation -e ./client -e ./server
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.server
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

serve: $(VENV)/.server  ## Start Daytwo with demo data and say how to sign in
	$(BIN)/daytwo serve --demo --data-dir $(DATA)

test: $(VENV)/.dev  ## Run every test; on PostgreSQL and in Chromium where they are installed
	$(BIN)/python server/tools/run_tests.py

check: $(VENV)/.dev  ## Lint, types, import contracts, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DAYTWO_SECRET_KEY=check $(BIN)/mypy client/src/daytwo
	DAYTWO_SECRET_KEY=check DAYTWO_DATA_DIR=/tmp $(BIN)/mypy server/src/daytwo_server
	$(BIN)/lint-imports
	$(BIN)/djlint --configuration pyproject.toml --lint --quiet server/src/daytwo_server

fix: $(VENV)/.dev  ## Let the tools repair what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## Measure; PEERS=1 also runs Bugsink and django-helpdesk on the same load
	$(BIN)/python bench/run.py $(if $(PEERS),--peers)

docs: $(VENV)/.dev  ## Write the generated reference pages anew
	$(BIN)/python server/tools/reference.py

requirements:  ## Pin dependencies anew (needs uv)
	uv pip compile --generate-hashes --no-header --no-annotate --universal --python-version 3.11 requirements/server.in -o requirements/server.txt
	uv pip compile --generate-hashes --no-header --no-annotate --universal --python-version 3.11 requirements/dev.in -o requirements/dev.txt

clean:  ## Remove the virtual environment
	rm -rf $(VENV)
