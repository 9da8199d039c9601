# Two commands on a new machine: `make demo` and `make test`. `make` alone lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# Stamps: what .venv holds. A second run finds them newer than pyproject.toml and installs nothing.
DEMO := .venv/.has-lab
DEV := .venv/.has-dev

.PHONY: help demo test test-kubernetes check unit faults chaos lab-up lab-down picture docs clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO) ## Bring the lab up, stop its Redis, remediate it, show the record; the lab stays up
	@tools/demo

test: $(DEV) ## Everything that CI checks: linters, types, tests on two Pythons, packaging, the lab (15 min at most)
	@tools/test

test-kubernetes: $(DEV) ## The tests of Kubernetes against a real cluster: KUBECONFIG=…, and BACKEND_IMAGE=… where its own cannot be pulled
	@test -n "$$KUBECONFIG" || { echo "give KUBECONFIG=PATH, of a cluster in which a namespace may be made and removed" >&2; exit 2; }
	@FAULTS=all SAVEIT_TEST_KUBECONFIG=$$KUBECONFIG .venv/bin/python -m pytest -q -rs tests/kubernetes tests/unit/collection/test_postgres_server.py

check: $(DEV) ## Linters and types only
	@tools/check

unit: $(DEV) ## Unit and contract tests only: no lab, no network
	@.venv/bin/pytest tests/unit tests/contract

faults: $(DEV) ## Break and remediate every fault ROUNDS times (5) in both PROFILES, over INVENTORY; print a table
	@ROUNDS=$${ROUNDS:-5} PROFILES="$${PROFILES:-deployed documented}" FAULTS=$${FAULTS:-all} .venv/bin/pytest -q tests/e2e/test_faults.py \
		tests/e2e/test_{diagnose,application,changes,database,certificate,ssh,terminal}.py tests/lab tests/kubernetes tests/unit/collection/test_postgres_server.py

# With tests/fuzz, where there is one.
chaos: $(DEV) ## kill -9 everywhere, races, healthy runs, the breaker: CHAOS_KILLS=200 RACES=50 HEALTHY=500 CHAOS_TARGET=lab or standin; print a table
	@CHAOS_TARGET=$${CHAOS_TARGET:-lab} CHAOS_KILLS=$${CHAOS_KILLS:-200} RACES=$${RACES:-50} HEALTHY=$${HEALTHY:-500} \
		.venv/bin/python -m pytest -q -rs --timeout 900 tests/chaos $(wildcard tests/fuzz)

# The lab runs on any Python 3.11; the environment's own is one.
lab-up lab-down: export PATH := $(CURDIR)/.venv/bin:$(PATH)

lab-up: $(DEMO) ## Bring the lab up: the Save-It.AI stack in containers, on 127.0.0.1
	@lab/lab up

lab-down: ## Take the lab down, and the Docker engine too if the lab started it
	@lab/lab down

picture: $(DEV) ## Record docs/demo.svg from a real run in the lab
	@lab/lab up
	@.venv/bin/python docs/picture.py

docs: $(DEV) ## Write docs/commands.md and docs/incidents/ anew from the command's help and the runbooks
	@.venv/bin/python docs/commands.py
	@.venv/bin/python docs/incidents.py

clean: ## Remove what was built and installed here; the lab and the journal are left alone
	rm -rf .venv .venv-* dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .ansible
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(DEMO): pyproject.toml tools/make-venv tools/find-python
	@tools/make-venv .venv lab
	@touch $@

$(DEV): pyproject.toml tools/make-venv tools/find-python
	@tools/make-venv .venv dev
	@touch $(DEMO) $@
