# make demo, make test, make check, make bench: each sets up what it needs and is quick the second time.
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: help setup setup-test setup-bench demo test check bench bench-film bench-reading bench-identity bench-pictures bench-migrate soak clean

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## Install what users need
	@scripts/setup

setup-test:  ## Install what tests need in addition
	@scripts/setup --test

setup-bench:
	@scripts/setup --test --bench

demo: setup  ## Feed the sample film room through the whole pipeline
	@$(PYTHON) scripts/demo.py

# In the order of their folders: what drives whole servers takes longest, and comes first.
test: setup-test  ## All tests
	@$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup-test  ## Format, lint, types, layers
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports

bench: setup-bench  ## Speed on a 14x17 in film, beside the floor and the usual script
	@$(PYTHON) scripts/bench.py

bench-film: setup-bench  ## Geometry on drawn films, beside other tools
	@$(PYTHON) scripts/bench_film.py

bench-reading: setup-bench  ## Reading of drawn labels and film blocks, beside the bare engines
	@$(PYTHON) scripts/bench_reading.py

bench-identity: setup-bench  ## Linkage on invented texts: what is filed wrongly, and how much
	@$(PYTHON) scripts/bench_identity.py

bench-migrate: setup-bench  ## An old PACS brought over, on a good and a bad line, beside dcmtk
	@$(PYTHON) scripts/bench_migrate.py

bench-pictures: setup-bench  ## Drawn labels and films, from picture to decision
	@$(PYTHON) scripts/bench_pictures.py

soak: setup-test  ## 2,000 films with random kills
	@$(PYTHON) scripts/soak.py

clean:  ## Delete what was built or run here (never the ledger or vault of a real site)
	rm -rf $(VENV) demo-data bench-data build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf digitizer/console/static/viewer digitizer/console/viewer/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
