# Two commands a newcomer needs: `make run` shows the product, `make test` proves it.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: run test interop check bench clean

run: $(VENV)/.installed
	$(BIN)/oauth-filter demo

test: $(VENV)/.installed-test
	$(BIN)/python -m tests.prepare
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not node and not apache"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Other people's clients, also those that Python does not have; `make test` runs the ones that it has.
interop: $(VENV)/.installed-test
	$(BIN)/python -m tests.prepare interop
	$(BIN)/python -m pytest -m "interop or node or apache"

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test --group bench
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    tests/interop/node/node_modules
