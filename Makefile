# `make help` lists what there is. Every target sets up what it needs, and only that.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The steps share one environment and one build directory.
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
SETUP := tools/setup.sh

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
# `make check` and `make test` run many small programs: colours only where a person looks.
export PYTHONUNBUFFERED := 1

# The crate with the compiled module is a shared library that only an interpreter can load:
# its tests are the Python ones.
RUST_TESTED := --workspace --exclude rookery-py

# Arguments for the program behind `run`, `bench`, `storms`, `fuzz`, `soak`: make run ARGS='--set a=b'
ARGS ?=
# Arguments for pytest: make test PYTEST='tests/unit -k config'
PYTEST ?=
# The whole suite runs in three processes, as many of its tests wait for others: each file in one of
# them, in the order of tests/conftest.py. What is named is run in one.
PYTEST_SHARED := $(if $(strip $(PYTEST)),,-n 3 --dist loadfile --no-loadscope-reorder)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##---- using it

.PHONY: run
run: ## Set up what is missing and start a node and a control plane here (ARGS='--set key=value')
	@$(SETUP) run
	@exec $(BIN)/rookery up $(ARGS)

.PHONY: build
build: ## Set up what is missing and build the native module
	@$(SETUP) run

##---- working on it

.PHONY: dev
dev: ## Set up the checking tools
	@$(SETUP) dev

.PHONY: fmt
fmt: dev ## Format Rust and Python
	cargo fmt --all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix --quiet

.PHONY: check
check: dev lint-fast lint-rust lint-dashboard ## The quick loop: formats, lints, types, layers, tidy, core unit tests
	cargo test --quiet -p rookery-codec -p rookery-core --lib
	$(BIN)/python -m pytest --quiet -p no:rookery.pytest_plugin tests/tidy

.PHONY: lint-fast
lint-fast: dev
	cargo fmt --all --check
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	PYTHONPATH=python $(BIN)/lint-imports --no-logo --no-cache

.PHONY: lint-rust
lint-rust: dev
	cargo clippy --quiet --workspace --all-targets -- -D warnings

.PHONY: lint-dashboard
lint-dashboard: ## Types, lints and unit tests of the dashboard, when it was changed
	@$(SETUP) check-pages

.PHONY: test
test: dev lint-fast lint-rust lint-dashboard test-rust test-python ## Everything that continuous integration runs

.PHONY: test-rust
test-rust: dev ## The Rust tests
	cargo test --quiet $(RUST_TESTED)

.PHONY: test-python
test-python: ## The Python tests (PYTEST='tests/unit -k name')
	@$(SETUP) test
	$(BIN)/python -m pytest $(PYTEST_SHARED) $(PYTEST)

##---- long runs

.PHONY: bench
bench: ## Measure the broker beside its peers, results in bench/results (ARGS='--list')
	@$(SETUP) bench
	cargo build --quiet --release --locked -p rookery-bench
	$(BIN)/python bench/table.py --bin-dir "$$CARGO_TARGET_DIR/release" $(ARGS)

.PHONY: storms
storms: ## Measure storms of logins, results in bench/results (ARGS='--only slow-service')
	@$(SETUP) bench
	cargo build --quiet --release --locked -p rookery-bench
	$(BIN)/python bench/storms.py --bin-dir "$$CARGO_TARGET_DIR/release" $(ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target (ARGS='-s SECONDS TARGET')
	fuzz/run.sh $(ARGS)

.PHONY: soak
soak: ## 1,000 rounds of kill -9 under load, checked from the clients' histories
	@$(SETUP) test
	ROOKERY_KILL9_ROUNDS=1000 \
		$(BIN)/python -m pytest -o timeout=0 tests/integration/kill9 $(ARGS)

.PHONY: soak-cluster
soak-cluster: ## 200 rounds of faults in a cluster of three; the seeds go to .soak/cluster.log
	@$(SETUP) test
	mkdir -p .soak
	ROOKERY_SOAK=1 ROOKERY_CLUSTER_ROUNDS=200 ROOKERY_CLUSTER_LASTS=30 ROOKERY_CLUSTER_LOG=.soak/cluster.log \
		$(BIN)/python -m pytest -o timeout=0 tests/integration/cluster/test_rounds.py tests/integration/cluster/test_node_lost_rounds.py $(ARGS)

##---- shipping it

.PHONY: dashboard
dashboard: ## Build the pages of the dashboard
	@$(SETUP) pages

.PHONY: docs
docs: dev ## Regenerate the generated reference pages
	PYTHONPATH=python $(BIN)/python tools/gen_configuration.py
	PYTHONPATH=python $(BIN)/python tools/gen_metrics.py
	PYTHONPATH=python $(BIN)/python tools/gen_openapi.py
	PYTHONPATH=python $(BIN)/python tools/gen_conformance.py

.PHONY: dist
dist: ## Wheel (manylinux_2_28), sdist and the one-file agent into dist/
	@tools/dist.sh

.PHONY: clean
clean: ## Remove what was built, not the environment nor any data
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f python/rookery/_native*.so $(VENV)/stamps/native
	cargo clean --quiet
