# Every command is a thin door to `python3 -m launcher`, which needs nothing but Python 3.11 or newer.
PYTHON ?= python3
ARGS ?=

.PHONY: help demo test lint bench clean ci
.DEFAULT_GOAL := help

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: ## Run the product with a demo company (PORT=9000 moves it)
	@exec $(PYTHON) -m launcher demo

test: ## Run the whole test suite on servers of its own (ARGS="tests/health -k band" for a part)
	@exec $(PYTHON) -m launcher test $(ARGS)

lint: ## Check format, types, imports, templates, migrations and settings
	@exec $(PYTHON) -m launcher lint

bench: ## Measure every figure beside its floor (ONLY=name for one, SCALE=0.1 for a quick look)
	@exec $(PYTHON) -m launcher bench

clean: ## Remove .local/: the environment, the demo's data, caches
	@exec $(PYTHON) -m launcher clean

ci: lint test ## What CI runs
