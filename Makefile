# make demo   install, then the main job on examples/gov
# make test   install, then the tests
# make check  format, lint, types, import contract
# PYTHON=python3.12 chooses the interpreter; PIP_FLAGS goes to pip (an index, say).
PYTHON ?= python3
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo demo-small chain chain-small serve-small services test test-mlx check bench docs \
	tutorial browser pictures clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt \
		-e '.[torch,embedded,serve,tools,dev]'
	touch $(READY)

demo: setup
	$(BIN)/yukjo run --project examples/gov

# The same job on a budget of minutes: one step, one answered case an agent.
demo-small: setup
	$(BIN)/yukjo run --project examples/gov --set train.max_steps=1 --set evaluate.cases=1 \
		--set evaluate.max_tokens=24 --set evaluate.baseline_cases=7 \
		--set project.runs=runs/small

# Slips drawn, a reader and a summariser tuned, the chain of both measured and judged.
chain: setup examples/chain/data
	$(BIN)/yukjo run --project examples/chain

# The same on a budget of minutes: three steps a stage, a few cases.
chain-small: setup examples/chain/data
	$(BIN)/yukjo run --project examples/chain --set project.runs=runs/small \
		--set stage.reader.train.max_steps=3 --set stage.reader.train.learning_rate=1e-5 \
		--set stage.reader.evaluate.cases=12 \
		--set stage.summariser.train.max_steps=3 --set stage.summariser.evaluate.baseline_cases=7 \
		--set chain.cases=4 --set chain.learn=16 --set chain.choose=4

examples/chain/data: | setup
	$(BIN)/python examples/chain/draw.py --out $@

# The adapters of demo-small behind OpenAI's API, asked by OpenAI's client.
serve-small: demo-small
	$(BIN)/pytest -m embedded

# The ledger on a real PostgreSQL (initdb on this machine) and a real MLflow server (MLFLOW_BIN).
services: setup
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[mlflow]'
	$(BIN)/pytest -m services

# MLX brings 3 GB of libraries, so it has an environment of its own.
MLX := .venv-mlx

$(MLX)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(MLX)
	$(MLX)/bin/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt \
		-e '.[torch,vision,serve,tools,dev,mlx]'
	touch $@

test-mlx: $(MLX)/.ready
	$(MLX)/bin/pytest -m mlx

test: setup
	$(BIN)/pytest -n 2 --dist worksteal

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: setup
	$(BIN)/python bench/data_check.py
	$(BIN)/yukjo bench train --project examples/gov

docs: setup
	$(BIN)/python docs/make_reference.py

tutorial: setup
	$(BIN)/python docs/run_tutorial.py

# Pages of the run of demo-small, where it was made; else one is made first.
browser: setup
	$(BIN)/pytest -m browser

# The same pages as pictures in the documentation.
pictures: setup
	YUKJO_PICTURES=docs/pictures $(BIN)/pytest -m browser tests/dashboard/test_pages_in_browser.py \
		-k accessible

clean:
	rm -rf $(VENV) examples/*/runs
