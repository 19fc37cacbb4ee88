# Everything below runs in .venv, which the first command makes.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that starts and is new enough.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
# Python compiles what it imports; compiling everything at once doubles the wait.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile --no-deps
UV ?= uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

PO := $(wildcard desk/locale/*/LC_MESSAGES/desk.po)
MO := $(PO:.po=.mo)

ROLE ?= marketer
LEADS ?=
SEED ?=
SECONDS ?=
LANG_ ?=
ARGS ?=
DEMO_ARGS = --dir .demo --role $(ROLE) $(if $(LEADS),--leads $(LEADS)) $(if $(SEED),--seed $(SEED)) $(ARGS)
LANG_ARGS = $(if $(LANG_),--lang $(LANG_))

.PHONY: help setup demo test soak mutants lint format bench messages lock clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.everything $(VENV)/.desk $(MO) ## .venv with everything, and .venv/bin/desk

# The first desk keeps its vault at the root of the checkout; more roles get folders of their own.
demo: $(VENV)/.desk $(MO) ## Hub and desk with invented leads: ROLE=marketer|sales|… LEADS= SEED= LANG_=ru|en
ifeq ($(ROLE),marketer)
	@$(BIN)/desk $(LANG_ARGS) --profile . demo $(DEMO_ARGS)
else
	@$(BIN)/desk $(LANG_ARGS) demo $(DEMO_ARGS)
endif

test: setup ## All tests; ARGS= goes to pytest
	@env -u NO_COLOR -u TEXTUAL_THEME $(BIN)/pytest -n 2 --dist worksteal $(ARGS)

soak: setup ## Simulate desks and hubs for long: SECONDS= SEED=
	@$(BIN)/python -m tests.simulation.soak --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))
	DESK_FUZZ=200 $(BIN)/python -m pytest -q tests/hub/test_fuzz.py

mutants: setup ## Break each fence on purpose; every break must be noticed. ARGS= names some
	@$(BIN)/python -m tests.mutants $(ARGS)

lint: setup ## Style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: setup ## Lay the code out and mend what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Speed, beside a baseline measured in the same run
	@$(BIN)/python -m bench $(ARGS)

messages: setup ## Collect new messages into the catalogues and compile them
	@mkdir -p build
	$(BIN)/pybabel -q extract --add-location=file --sort-by-file --omit-header -o build/desk.pot desk
	$(BIN)/pybabel -q update --domain desk --input-file build/desk.pot --output-dir desk/locale \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 100
	$(BIN)/python hatch_build.py

lock: ## Choose versions anew (needs uv)
	$(COMPILE) --upgrade pyproject.toml requirements.in --extra hub -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml requirements.in --extra hub --extra test \
		-c requirements.lock -o requirements-dev.lock

clean: ## Remove what was made, but no vault and no demo
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
		snapshot_report.html $(MO)
	find desk tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Desk needs Python 3.11 or newer on the PATH." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)…"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The demo starts on the runtime alone, which halves the wait for the first board.
$(VENV)/.runtime: requirements.lock | $(VENV)/.made
	@echo "Installing what Desk runs on, half a minute or so…"
	@$(INSTALL) --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.everything: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what tests and checks need…"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.desk: pyproject.toml hatch_build.py $(VENV)/.runtime
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

%.mo: %.po | $(VENV)/.runtime
	@$(BIN)/python hatch_build.py
