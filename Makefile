# Every target works from a bare clone: Python 3.11 or newer and make are all that it takes.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
EXTRAS ?= dev
comma  := ,
CORE   := $(VENV)/.installed-core
DEV    := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))
DOCS   := $(VENV)/.installed-docs

.PHONY: demo test lint bench bench-compare docs clean

demo: $(CORE)                ## restore a damaged picture, make new ones, and say where they are
	$(BIN)/python examples/demo.py

# The tests of training need torch, a large download on most machines: make test EXTRAS=dev,train runs them too.
test: $(DEV)                 ## all tests, with coverage
	$(if $(findstring train,$(EXTRAS)),,NO_TORCH='*/anew') $(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: $(DEV)                 ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(DEV)                ## measure speed and memory on this machine: make bench [ARGS=--quick]
	$(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(DEV)        ## ratios of two measurements: make bench-compare A=commit-or-file B=commit-or-file
	$(BIN)/python -m benchmarks.compare $(A) $(B)

docs: $(DOCS)                ## the documentation site, in site/; a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html"

clean:
	rm -rf $(VENV) build dist *.egg-info demo site

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "anew needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(DEV): $(CORE)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

$(DOCS): $(CORE)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@
