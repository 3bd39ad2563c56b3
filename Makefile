# make demo   the whole graph on real code, then where the report is
# make ui     the graph and the runs in a browser, on this machine only
# make test   lint, types and tests: what CI runs
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(CURDIR)/.dagster

.PHONY: demo ui test lint clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/python -m assets

ui: $(VENV)/.installed
	@mkdir -p $(DAGSTER_HOME) && cp -n assets/dagster.yaml $(DAGSTER_HOME)/dagster.yaml || true
	$(BIN)/dagster dev -w dagster_workspace.yaml --host 127.0.0.1 --port 3000

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Repoloom needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean: # the runs and their records; the environment stays
	rm -rf data .dagster
