# Every target does its own set-up. PYTHON is any Python 3.11 or later; one that is not the usual one gets a virtual
# environment of its own, so that `make test PYTHON=python3.13` leaves the usual one as it is.
USUAL := python3.11
PYTHON ?= $(USUAL)
VENV ?= $(if $(filter $(USUAL),$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo pictures test test-oldest test-another-day test-languages test-wheel fuzz lint bench format requirements build clean

demo: $(VENV)/demo.installed engine
	$(BIN)/python -m tools.demo

# The pictures of the README, from a real run.
pictures: $(VENV)/demo.installed engine
	$(BIN)/python -m tools.pictures

test: $(VENV)/dev.installed yaml-host
	$(BIN)/python -m pytest

# Two runners that write one token at once, ROUNDS times. Then walks at random through programs, commands, hand edits and
# faults, for SECONDS; SEED, REPLAY and DOOR are in `--help`.
SECONDS ?= 600
ROUNDS ?= 10
fuzz: $(VENV)/dev.installed yaml-host
	$(if $(REPLAY),,$(BIN)/python -m tests.support.rounds --rounds $(ROUNDS))
	$(BIN)/python -m tests.walk --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY)) \
		$(if $(DOOR),--door $(DOOR))

# The same tests with the oldest version of each dependency that pyproject.toml allows, on the oldest Python.
test-oldest:
	@$(MAKE) --no-print-directory PYTHON=$(PYTHON) VENV=.venv-oldest .venv-oldest/oldest.installed
	.venv-oldest/bin/python -m tools.yaml_host.install
	.venv-oldest/bin/python -m pytest

# The tests that could depend on the day, on five other days; DAYS="leap-day kiritimati" names some of them.
test-another-day: $(VENV)/dev.installed yaml-host
	$(BIN)/python -m tests.another_day $(DAYS)

# SDKs for TypeScript and Go, generated and compiled with npm and Go, and the examples with them. They run too if PATH has
# Pulumi's language hosts; otherwise the summary says that they were compiled only.
test-languages: $(VENV)/dev.installed engine
	$(BIN)/python -m pytest --numprocesses=0 tests/languages

# The wheel that is in dist/ afterwards, installed and used away from here.
test-wheel: build yaml-host
	WHEEL="$$(echo $(CURDIR)/dist/*.whl)" $(BIN)/python -m pytest tests/packaging

lint: $(VENV)/dev.installed $(BIN)/actionlint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	for program in examples/*/__main__.py templates/*/__main__.py; do $(BIN)/mypy $$(dirname $$program) || exit 1; done
	$(BIN)/lint-imports
	$(BIN)/python -m tools.prose
	git ls-files '*.py' '*.md' '*.yml' '*.yaml' '*.toml' | xargs $(BIN)/codespell
	$(BIN)/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml templates/*/.github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --pedantic .github templates

bench: $(VENV)/bench.installed engine
	$(BIN)/python -m bench

format: $(VENV)/dev.installed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# What is published: dist/ holds the wheel and the source distribution, and nothing of an earlier version.
build: $(VENV)/dev.installed
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

# What is pinned: names, versions and hashes, never a download address. `wheel` is what an ordinary installation gets
# today, `oldest` what one gets that takes the oldest of everything that we ask for, with the tools of `dev`. What is
# pinned already stays, unless UPGRADE=--upgrade.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url \
	--no-emit-find-links $(UPGRADE) pyproject.toml --extra emulator
HASHED := --generate-hashes -o requirements
requirements: $(VENV)/bench.installed
	$(LOCK) $(HASHED)/wheel.txt
	$(LOCK) --group bench $(HASHED)/bench.txt
	$(LOCK) --group dev -c requirements/bench.txt $(HASHED)/dev.txt
	$(LOCK) --group build -c requirements/bench.txt $(HASHED)/demo.txt
	rm -f $(VENV)/floors.txt
	$(LOCK) --resolution lowest-direct --no-deps --no-annotate -o $(VENV)/floors.txt
	$(LOCK) --group dev -c $(VENV)/floors.txt $(HASHED)/oldest.txt
	sed -i.bak "s|-c $(VENV)/floors.txt|-c the oldest that pyproject.toml allows|" requirements/oldest.txt
	rm requirements/oldest.txt.bak

.PHONY: engine
engine: $(VENV)/demo.installed
	@$(BIN)/python -m tools.engine.install

# For the tests only: the engine, and the host that runs YAML projects. The demo does not wait for it.
.PHONY: yaml-host
yaml-host: $(VENV)/demo.installed
	@$(BIN)/python -m tools.yaml_host.install

# dev holds all of demo, and bench all of dev, so a larger set never takes anything away from a smaller one.
$(VENV)/%.installed: requirements/%.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r $<
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

# pyenv's commands run only the versions that are chosen; without pyenv the variable means nothing.
$(BIN)/python:
	PYENV_VERSION=$(patsubst python%,%,$(filter python3.%,$(PYTHON))) $(PYTHON) -m venv $(VENV)

$(BIN)/actionlint: tools/lint/go.mod tools/lint/go.sum | $(BIN)/python
	go build -C tools/lint -mod=readonly -trimpath -o $(abspath $@) github.com/rhysd/actionlint/cmd/actionlint

clean:
	rm -rf .venv .venv-* .engine dist
