# Every target works from a bare clone: Python 3.11 or newer and make are all that it takes.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
CORE   := $(VENV)/.core-installed
DEV    := $(VENV)/.dev-installed

.PHONY: demo test lint bench bench-compare docs clean

demo: $(CORE)                ## restore a damaged picture and say where the result is
	$(BIN)/python examples/demo.py

test: $(DEV)                 ## all tests, with coverage
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: $(DEV)                 ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(DEV)                ## measure speed and memory on this machine: make bench [ARGS=--quick]
	$(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(DEV)        ## ratios of two measurements: make bench-compare A=commit-or-file B=commit-or-file
	$(BIN)/python -m benchmarks.compare $(A) $(B)

clean:
	rm -rf $(VENV) build dist *.egg-info demo site

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "anew needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(DEV): $(CORE)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
