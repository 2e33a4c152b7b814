# Everything starts here: `make help`. Needs Python 3.11 or newer with venv, make and git.
# Paths are relative to the checkout, so that it may lie anywhere, in a directory with spaces too.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RUN := .venv/bin/python
# More arguments for pytest or a benchmark: make test ARGS="tests/releases -k rollback"
ARGS ?=

# $(call install,PROFILE): the first Python that is new enough builds .venv; PYTHON=… says which to try first.
define install
@for python in "$${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14; do \
  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
    exec "$$python" -I promptstore/local/install.py $(1); \
  fi; \
done; \
echo "error: Promptstore needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3.11 …" >&2; \
exit 1
endef

.PHONY: help run test test-stock proof bench screenshots check installed-run installed-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: installed-run ## Start everything on this machine until Ctrl-C (PORT, SERVE_PORT, PROMPTSTORE_HOME move it)
	@exec $(RUN) -m promptstore.local --stop-with-parent

test: installed-dev ## Run the tests against real servers, the local model and Chromium (ARGS=…)
	@exec $(RUN) -m promptstore.local.testing $(ARGS)

proof: installed-dev ## The tests and the long runs: simulation, load, soak, chaos, fuzzing
	@exec $(RUN) -m promptstore.local.testing -m "proof or not proof" $(ARGS)

test-stock: installed-dev ## The tests against this machine's PostgreSQL and Redis or Valkey, with PgBouncer between
	@exec $(RUN) -m tests.stock $(ARGS)

bench: installed-dev ## The benchmarks, each beside its baseline; results in bench/results/
	@exec $(RUN) -m bench $(ARGS)

screenshots: installed-dev ## The documentation's pictures, from a new instance that a browser drives; docs/images/
	@exec $(RUN) -m tests.screenshots $(ARGS)

CHECKS := check-format check-lint check-types check-imports check-migrations check-openapi check-docs
.PHONY: $(CHECKS)
check: $(CHECKS) ## All checks below (make -k check goes on after a failure)
$(CHECKS): installed-dev

check-format: ## ruff format
	@$(RUN) -m ruff format --check .

check-lint: ## ruff check
	@$(RUN) -m ruff check .

check-types: ## mypy, strict
	@$(RUN) -m mypy .

check-imports: ## The layers: import-linter's contracts
	@$(RUN) -c "from importlinter.cli import lint_imports_command as check; check()"

check-migrations: ## No model change without its migration
	@$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

check-openapi: ## The management API has a valid OpenAPI description
	@$(RUN) manage.py spectacular --validate --fail-on-warn --file /dev/null

check-docs: ## Every setting, command and event is documented (make test also follows the recipes)
	@$(RUN) -m pytest -q -n 0 tests/docs --ignore tests/docs/test_recipes.py

installed-run:
	$(call install,run)

installed-dev:
	$(call install,dev)
