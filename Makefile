# Every target does its own set-up. PYTHON is any Python 3.11 or later.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test fuzz lint bench format requirements clean

demo: .venv/demo.installed engine
	$(BIN)/python -m tools.demo

test: .venv/dev.installed engine
	$(BIN)/python -m pytest

# Walks at random through programs, commands, hand edits and faults, for SECONDS; SEED and REPLAY are in `--help`.
SECONDS ?= 600
fuzz: .venv/dev.installed engine
	$(BIN)/python -m tests.walk --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

lint: .venv/dev.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	for example in examples/*/; do $(BIN)/mypy $$example || exit 1; done
	$(BIN)/lint-imports

bench: .venv/bench.installed engine
	$(BIN)/python -m bench

format: .venv/dev.installed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# What is pinned: names, versions and hashes, never a download address.
requirements: .venv/bench.installed
	$(PYTHON) -m venv .venv/uv && .venv/uv/bin/pip install --quiet uv
	for set in "bench --group bench" "dev --group dev -c requirements/bench.txt" "demo --group build -c requirements/bench.txt"; do \
		name=$${set%% *}; \
		.venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header pyproject.toml --extra emulator $${set#* } -o requirements/$$name.txt || exit 1; \
	done

.PHONY: engine
engine: .venv/demo.installed
	@$(BIN)/python -m tools.engine.install

# dev holds all of demo, and bench all of dev, so a larger set never takes anything away from a smaller one.
.venv/%.installed: requirements/%.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv .engine
