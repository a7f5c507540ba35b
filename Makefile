# Every target makes its own virtual environment if there is none. Nothing but Python 3.11 or
# newer, make and a package index is needed.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
PYTEST_ARGS ?= -n auto --maxprocesses 4
BENCH_ARGS ?=

# DATABASE_URL chooses the database of `demo` and `test`, and with it the driver to install.
DATABASE_URL ?=
ifneq (,$(filter postgres% pgsql%,$(DATABASE_URL)))
EXTRA := postgres
else ifneq (,$(filter mysql%,$(DATABASE_URL)))
EXTRA := mysql
else
EXTRA := sqlite
endif
ifneq (,$(DATABASE_URL))
export DATABASE_URL
else
unexport DATABASE_URL
endif

.DEFAULT_GOAL := help
.PHONY: help demo test real-apps servers test-servers lint docs bench matrix clean
.SECONDARY:

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo-$(EXTRA)  ## audit, race, find, merge, constrain, prove: on real data (DATABASE_URL=... for another database)
	$(RUN) -m testproject.demo

test: $(VENV)/.test-$(EXTRA)  ## the test suite (DATABASE_URL=... for another database)
	$(RUN) -m pytest $(PYTEST_ARGS)

# The libraries get an environment of their own, so that the plain suite never finds them there.
real-apps:  ## the suite on real applications: wagtail, oscar, guardian, ... (DATABASE_URL=... for another database)
	$(MAKE) VENV=$(VENV)-real-apps $(VENV)-real-apps/.real-apps-$(EXTRA)
	$(VENV)-real-apps/bin/python -m pytest --ds tests.real_apps.settings tests/real_apps

SERVER_NAMES ?= mysql mariadb postgres17 postgres18
servers:  ## newer database servers, unpacked into .servers from Debian's newer suites (as root)
	.ci/servers unpack $(SERVER_NAMES)

test-servers: servers  ## the test suite on each of them
	.ci/servers start $(SERVER_NAMES)
	set -e; for name in $(SERVER_NAMES); do \
	  $(MAKE) test DATABASE_URL=$$(.ci/servers url $$name) PYTEST_ARGS="$(PYTEST_ARGS) --create-db"; \
	done
	.ci/servers stop $(SERVER_NAMES)

.PHONY: test-replicas
test-replicas: $(VENV)/.test-postgres $(VENV)/.test-mysql  ## merges on servers with replicas of their own (PostgreSQL, MariaDB)
	$(RUN) -m tests.replicas

lint: $(VENV)/.test-sqlite $(VENV)/.lint-sqlite  ## style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	cd tests/strict_project && $(abspath $(RUN)) -m mypy

docs: $(VENV)/.docs-sqlite  ## the documentation, into docs/_build/html
	$(RUN) -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.bench-$(EXTRA)  ## time a merge against hand-written SQL and other packages in the same run
	$(RUN) -m benchmarks $(BENCH_ARGS)

matrix: $(VENV)/.matrix-sqlite  ## the test suite on every supported Python and Django
	$(RUN) -m nox

.PHONY: screenshots
screenshots: $(VENV)/.matrix-sqlite  ## pictures of every screen of the admin, for each Django and theme, into build/screenshots
	$(RUN) -m nox --session screenshots

.PHONY: steward
steward: $(VENV)/.test-$(EXTRA)  ## 200 groups reviewed in a browser by keyboard: seconds per decision (DATABASE_URL=...)
	$(RUN) -m pytest -q --ds testproject.settings benchmarks/steward.py

.PHONY: desk-pages
desk-pages: $(VENV)/.test-$(EXTRA)  ## queries and seconds of the admin's pages at growing sizes (DATABASE_URL=...)
	$(RUN) -m pytest -q --ds testproject.settings benchmarks/desk_pages.py

PROOF_CASES ?= 20000
.PHONY: proof
proof: $(VENV)/.test-$(EXTRA)  ## many merges against a reference in plain Python, then mutations (DATABASE_URL=...)
	PROOF_CASES=$(PROOF_CASES) $(RUN) -m pytest tests/proof
	$(RUN) -m tests.proof.mutate

clean:  ## remove environments, builds, caches and the demo's files
	rm -rf .servers $(VENV) $(VENV)-real-apps .nox build dist docs/_build demo test-results .coverage .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment for all targets. A stamp per dependency group and driver, so that each target
# installs only what it needs, and installs again when pyproject.toml has changed.
$(VENV)/.created: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.%-sqlite: $(VENV)/.created
	$(RUN) -m pip install --quiet --group $* --editable .
	@touch $@

$(VENV)/.%-postgres: $(VENV)/.created
	$(RUN) -m pip install --quiet --group $* --editable ".[postgres]"
	@touch $@

$(VENV)/.%-mysql: $(VENV)/.created
	$(RUN) -m pip install --quiet --group $* --editable ".[mysql]"
	@touch $@
