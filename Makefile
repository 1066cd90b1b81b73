# Everything here needs git, make and Python 3.11 or newer; the rest is installed into $(VENV), at the versions of
# constraints.txt.
PYTHON ?= python3
VENV ?= .venv
VENV_VLLM ?= .venv-vllm
N_WORKERS ?= 2
PY := $(VENV)/bin/python
# Twice quiet: pip is to say nothing but errors.
INSTALL := $(PY) -m pip install -qq --constraint constraints.txt

# One thread for each worker: torch would start one for each core in every one of them.
TEST := OMP_NUM_THREADS=1 $(PY) -m pytest -n $(N_WORKERS) --dist worksteal

ifneq ($(wildcard ../shared/data),)
export DARTUNE_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test test-vllm check lint bench coverage clean

demo: $(VENV)/.train
	$(VENV)/bin/dartune demo

test: $(VENV)/.dev
	$(TEST)

# vLLM pins another torch and transformers than ours, so it has an environment of its own.
test-vllm: $(VENV_VLLM)/.installed
	OMP_WAIT_POLICY=PASSIVE $(VENV_VLLM)/bin/python -m pytest tests_vllm

check: lint
	$(TEST)

lint: $(VENV)/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(VENV)/.dev
	set -e; for program in benchmarks/*.py; do echo "$$program"; $(PY) $$program --quick; done

coverage: $(VENV)/.dev
	$(TEST) --cov --cov-report=term-missing:skip-covered

# Runs are kept: samples cost more than anything else here.
clean:
	rm -rf $(VENV) $(VENV_VLLM) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find src tests tests_vllm benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11 or newer is needed, {sys.version.split()[0]} found: make PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) pip setuptools

$(VENV)/.train: pyproject.toml constraints.txt | $(PY)
	@echo 'installing into $(VENV): minutes'
	$(INSTALL) --no-build-isolation --editable '.[train]'
	touch $@

# What development needs holds what the demo needs.
$(VENV)/.dev: pyproject.toml constraints.txt | $(PY)
	@echo 'installing into $(VENV): minutes'
	$(INSTALL) --no-build-isolation --editable '.[dev]'
	touch $@ $(VENV)/.train

$(VENV_VLLM)/.installed: pyproject.toml constraints-vllm.txt
	@echo 'installing into $(VENV_VLLM): minutes'
	$(PYTHON) -m venv $(VENV_VLLM)
	$(VENV_VLLM)/bin/python -m pip install -qq --no-deps --requirement constraints-vllm.txt
	$(VENV_VLLM)/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
	touch $@
