# make run    set everything up and answer a real question about a real ACO
# make test   every check that .ci/run runs
# make prove  that runs survive, inputs are checked and results can be proved: the long forms, each
#             with its figures; up to 40 minutes on two cores
# make prove-all  the long forms of every proof, of the draws, the rules and the report too
# make docs   docs/api.md, the public Python interface, written from its docstrings
# make bench  the engine beside its peers, which it installs beside itself; at most 20 minutes
# All set up .venv by themselves; PYTHON=python3.13 make run chooses the interpreter.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
READY := .venv/.ready
PEERS := benchmarks/.venv
# What a run must stand: faults, corruption, any input, people who must not be found, many trials.
RUNS := tests/faults tests/test_fuzz.py tests/scenario tests/test_canaries.py tests/test_security.py \
	tests/test_memory.py tests/engine/test_run.py tests/engine/test_tls.py \
	tests/engine/test_batch_systems.py tests/results tests/report/test_hostile.py

.PHONY: run test prove prove-all docs bench setup clean

run: $(READY)
	@$(BIN)/acosim run scenarios/quickstart.yaml

test: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -n 2 -m "not slow"

# Three at a time on two cores: a proof of a fault waits as long as it works.
prove: $(READY)
	@$(BIN)/pytest -q -n 3 --dist worksteal -m "slow or proof" --prove $(RUNS)

prove-all: $(READY)
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "slow or proof" --prove tests

docs: $(READY)
	@$(BIN)/python docs/api.py

bench: $(READY) $(PEERS)/.ready
	@$(BIN)/python benchmarks/engine.py $(PEERS)/bin/python

# One that does not install is left out of the table, and its row says so.
$(PEERS)/.ready: $(READY)
	@echo "setting up $(PEERS): the packages that the engine is timed beside"
	@$(BIN)/python -m venv $(PEERS)
	@for peer in numpy scipy aggregate gemact monaco squigglepy lossmodels jax; do \
		$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check $$peer \
		|| echo "$$peer did not install" >&2; done
	@touch $@

setup: $(READY)

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; PYTHON=/path/to/python3 make $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version); the first time takes a minute or two"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

clean:
	rm -rf .venv $(PEERS)
