# Every target installs what it needs, can be run again, and cleans up after itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test thorough check unit generate dashboard-pictures fuzz bench-connections bench-middleware bench-protect bench-preset bench-batching bench-paged bench-weights bench-sim bench-sim-tune bench-calibrate peer-vectors cluster-up cluster-shell cluster-down env

UV = $(shell tests/cluster/bootstrap-uv.sh)
# Not the extra vllm: six gigabytes that no test needs.
EXTRAS = --extra cli --extra operator --extra server --extra small --extra proxy
RUN = $(UV) run --frozen $(EXTRAS)
STAGE = tests/stage

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: env ## the main job with real parts: memory fills, the fleet grows, refuses, drains, shrinks
	$(STAGE) "main job" $(RUN) python -m tests.demo

test: env ## everything: checks, real API server, real vLLM, the demo
	$(STAGE) "checks" $(MAKE) --no-print-directory check
	$(STAGE) "cluster and operator" $(RUN) pytest tests/integration -m "not thorough"
	$(STAGE) "server" $(RUN) pytest tests/e2e -m "not thorough"
	$(MAKE) --no-print-directory demo

thorough: env ## further starts of real engines that `make test` leaves out: staged failures, bitsandbytes
	$(STAGE) "thorough" $(RUN) pytest tests/e2e -m thorough -s
	$(STAGE) "thorough, in a cluster" $(RUN) pytest tests/integration -m thorough -s

check: env ## format, lint, types, import layers, unit and contract tests (some three minutes)
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) pytest -q -n auto

unit: env ## unit and contract tests alone
	$(RUN) pytest -n auto

generate: env ## write everything that is generated: CRD, manifests, chart, boards, rules, pages
	$(RUN) python -m vibethinker_operator.manifests manifests
	$(RUN) python -m vibethinker_server.settings_page docs/server-settings.md
	$(RUN) python -m charts.source

dashboard-pictures: env ## draw every panel of the boards from what a real Prometheus answers
	$(STAGE) "queries" $(RUN) pytest tests/integration/operations/test_truth.py
	$(STAGE) "vLLM's queries" $(RUN) pytest tests/e2e/test_vllm_boards.py
	$(RUN) python -m tests.pictures docs/dashboards

fuzz: env ## hostile bodies drawn at random for SECONDS (600), before a recording engine
	$(RUN) python -m tests.fuzz $(or $(SECONDS),600)

bench-connections: env ## the share of a pooled client's requests that a new replica gets, with and without our rule
	$(STAGE) "connections" $(RUN) python -m tests.bench.connections

bench-middleware: env ## what our middleware costs a request, a chunk and a refusal, beside a bare app and a real proxy
	$(STAGE) "middleware" $(RUN) python -m tests.bench.middleware

bench-protect: env ## known sessions in a crowd of newcomers: with us, with vLLM's own limit, with nothing
	$(STAGE) "protect" $(RUN) python -m tests.bench.protect

bench-preset: env ## what a warm preset saves of the time to the first token, by isolation
	$(STAGE) "preset" $(RUN) python -m tests.bench.preset

bench-batching: env ## does holding requests back for a moment, so that they begin together, help?
	$(STAGE) "batching" $(RUN) python -m tests.bench.batching

bench-paged: env ## how many sequences fit a T4, paged and contiguous, at the lengths of public traces (computed)
	$(STAGE) "paged" $(RUN) python -m tests.bench.paged

bench-weights: env ## what VibeThinker-1.5B weighs in each format, by its shapes (computed)
	$(STAGE) "weights" $(RUN) python -m tests.bench.weights

bench-calibrate: env ## fit the simulator's engine to the real vLLM here, and replay a trace in both (half an hour)
	$(STAGE) "calibrate" $(RUN) python -m tests.bench.calibrate $(CALIBRATE)

peer-vectors: env ## ask the real HPA and Knative autoscaler anew (Go), and compare with the vectors that are kept
	$(STAGE) "peer vectors" $(RUN) python -m tests.bench.sim.peers.golden

bench-sim: env ## our deciding against its peers on public traces: GPU-hours at equal service (simulated)
	$(STAGE) "sim" $(RUN) python -m tests.bench.sim

bench-sim-tune: env ## choose the tuned peers' knobs on a made-up hour
	$(STAGE) "sim tune" $(RUN) python -m tests.bench.sim.tune

cluster-up: env ## start the test cluster: a real one-node Kubernetes in a box
	$(RUN) python -m tests.cluster up

cluster-shell: env ## a shell inside the box, with kubectl
	$(RUN) python -m tests.cluster shell

cluster-down: env ## stop the box and remove every trace of it
	$(RUN) python -m tests.cluster down

env:
	@$(UV) sync --frozen $(EXTRAS) --quiet
