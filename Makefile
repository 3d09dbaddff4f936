PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
LOCK_VENV := .lock-venv
LOCK := env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(LOCK_VENV)/bin/uv pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --custom-compile-command "make lock"

# What the caller exported for another project must not leak into this one. Indexes, proxies and
# certificates are left as they are.
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS MYPYPATH
unexport PIP_CONSTRAINT PIP_DRY_RUN PIP_EDITABLE PIP_NO_BUILD_ISOLATION PIP_NO_DEPS PIP_PREFIX PIP_PYTHON \
	PIP_REQUIREMENT PIP_REQUIRE_HASHES PIP_ROOT PIP_TARGET PIP_USER

.DEFAULT_GOAL := help
.PHONY: help install demo test quick check bench docs soak lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## make .venv with the locked dependencies and the project, editable

$(STAMP): pyproject.toml requirements/dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## play a small history: goals, runs, a timeline, a rebuild, a proof
	$(BIN)/python -m goal_ledger.cli.demo

test: install ## run the tests on every core (ARGS="-k goal" to choose)
	$(BIN)/pytest --numprocesses auto --dist worksteal $(ARGS)

quick: install ## run what needs no file, server or process of its own
	$(BIN)/pytest --numprocesses auto --dist worksteal tests/domain tests/projections tests/golden $(ARGS)

check: install ## what CI runs: lint, format, types, layers, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

bench: $(BENCH_STAMP) ## measure the budgets beside raw sqlite3 and the peers
	$(BIN)/python -m benchmarks $(ARGS)

$(BENCH_STAMP): $(STAMP) requirements/bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

docs: install ## write the pages that are derived from code
	$(BIN)/python docs/generate.py

soak: install ## run the tests that take minutes, and the properties on many more examples
	SOAK=20 $(BIN)/pytest -m "soak or hypothesis" --timeout=0 $(ARGS)

lock: ## renew requirements/ from pyproject.toml (ARGS=--upgrade for newer versions)
	rm -rf $(LOCK_VENV)
	$(PYTHON) -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) $(ARGS) --group dev pyproject.toml -o requirements/dev.txt
	$(LOCK) $(ARGS) -c requirements/dev.txt pyproject.toml -o requirements/runtime.txt
	$(LOCK) $(ARGS) -c requirements/dev.txt --group bench -o requirements/bench.txt
	rm -rf $(LOCK_VENV)

clean: ## remove .venv, caches and build artefacts
	rm -rf $(VENV) $(LOCK_VENV) build dist htmlcov .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find domain projections adapters cli tests -name __pycache__ -type d -prune -exec rm -rf {} +
