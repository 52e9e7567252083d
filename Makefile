# Every target sets up what it needs: Python 3.11 or newer and make are enough.
#   make PYTHON=/path/to/python3.12 ...   another interpreter
#   make test ARGS="-k lifecycle"         more arguments for the command behind the target
# Set-up talks on stderr; stdout belongs to the command.

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
NAUTILUS := .venv-nautilus
ARGS   ?=
# A directory named here must hold Python files, or mypy refuses it.
CHECKED = src tests $(if $(wildcard benchmarks/*.py),benchmarks) \
          $(if $(wildcard examples/*/*.py),examples) $(wildcard docs/generate.py docs/generating)

.DEFAULT_GOAL := help
.PHONY: setup demo demo-kill test test-all-pythons nautilus check lint format types imports \
        docs-check chaos mutants bench full lock clean help

setup: $(VENV)/.run.stamp ## Make .venv and install the program
	@echo "plimsoll: ready; try $(BIN)/plimsoll --help" >&2

demo: $(VENV)/.run.stamp ## Trade on the simulator: no keys, no network
	@$(BIN)/plimsoll demo $(ARGS)

demo-kill: $(VENV)/.run.stamp ## The same, with the engine killed 10 times in 30 s
	@$(BIN)/plimsoll demo --kill 10 --duration 30 $(ARGS)

test: $(VENV)/.dev.stamp ## Run the tests
	@$(BIN)/python -m pytest tests -n 2 $(ARGS)

test-all-pythons: ## Run the tests on every supported Python found here
	@PYTHON= ./.ci/pythons all | while read -r python; do \
	    $(MAKE) --no-print-directory test PYTHON="$$python" \
	        VENV=.venv-$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
	        </dev/null || exit 1; \
	done

# NautilusTrader asks for many packages of its own, so it gets an environment of its own.
nautilus: $(VENV)/.dev.stamp $(NAUTILUS)/.made.stamp ## NautilusTrader's live node trades on the simulator
	@PLIMSOLL_NAUTILUS_PYTHON="$(CURDIR)/$(NAUTILUS)/bin/python" \
	    $(BIN)/python -m pytest tests/clients/nautilus $(ARGS)

check: lint format types imports docs-check ## Lint, format, types, layers, generated docs (-k: all findings)

lint: $(VENV)/.dev.stamp
	@$(BIN)/ruff check .

format: $(VENV)/.dev.stamp
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev.stamp
	@$(BIN)/mypy $(CHECKED)

imports: $(VENV)/.dev.stamp
	@$(BIN)/lint-imports --no-logo

docs-check: $(VENV)/.dev.stamp
	@if [ -f docs/generate.py ]; then $(BIN)/python docs/generate.py --check; fi

# make puts SEED, SEEDS and SHRINK, where given, into the environment of the tests.
chaos: $(VENV)/.dev.stamp ## Simulated faults: SEEDS=200 how many, SEED=7 that one again, SHRINK=1 small
	@$(BIN)/python -m pytest tests/simulation $(ARGS)

mutants: $(VENV)/.dev.stamp ## Products broken on purpose: does the world find each? (about an hour)
	@MUTANTS=$(or $(MUTANTS),all) $(BIN)/python -m pytest tests/simulation/test_mutants.py -n 0 $(ARGS)

bench: $(VENV)/.run.stamp ## Measure the speed on this machine
	@$(BIN)/python -m benchmarks.run $(ARGS)

full: check test ## Everything at its full size: about an hour
	@KILLS=100 LOST=1000 PAIRS=1000 FLOOD_S=600 $(MAKE) --no-print-directory chaos \
	    SEEDS=$(or $(SEEDS),40) ARGS="-n 2"
	@TORTURE=full $(BIN)/python -m pytest tests/torture -n 2
	@HOURS=24 $(BIN)/python -m pytest tests/properties/test_bad_data.py
	@DAMAGE=full $(BIN)/python -m pytest tests/journal --timeout 900
	@$(MAKE) --no-print-directory bench

lock: ## Renew requirements/*.txt from pyproject.toml (needs uv; ARGS="--upgrade" for new versions)
	@./requirements/lock $(ARGS)

clean: ## Remove .venv, caches and built files; keeps var/ and demo directories
	@rm -rf .venv .venv-3.* $(NAUTILUS) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'

# A stamp is as old as the last installation: a changed lock file or pyproject.toml installs again.

$(VENV)/.made.stamp:
	@python=$$(PYTHON="$(PYTHON)" ./.ci/pythons) || exit 1; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    echo "plimsoll: making $(VENV) with $$python" >&2; \
	    "$$python" -m venv $(VENV) >&2 || exit 1; \
	fi; \
	touch $@

$(VENV)/.run.stamp: requirements/run.txt pyproject.toml | $(VENV)/.made.stamp
	@echo "plimsoll: installing the program and what it runs on" >&2
	@$(PIP) install --require-hashes -r requirements/run.txt >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@touch $@

# dev.txt holds run.txt at the same versions, so one installation serves both.
$(VENV)/.dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/.made.stamp
	@echo "plimsoll: installing the program and the tools of test and check" >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@touch $(VENV)/.run.stamp $@

# Python 3.12 or newer gets 1.231; 1.221 is the newest that 3.11 can have.
$(NAUTILUS)/.made.stamp:
	@python=$$(PYTHON="$(PYTHON)" ./.ci/pythons all | head -n 1); [ -n "$$python" ] || exit 1; \
	echo "plimsoll: making $(NAUTILUS) with $$python" >&2; \
	"$$python" -m venv $(NAUTILUS) >&2 && \
	$(NAUTILUS)/bin/python -m pip --disable-pip-version-check -qq install \
	    --only-binary=:all: 'nautilus_trader>=1.221,<1.232' >&2 && \
	touch $@
