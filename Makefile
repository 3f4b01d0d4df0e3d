# make run and make test set up everything they need; see `make help`.

SHELL := /bin/sh
# rustup's folder is on PATH only after a new login.
export PATH := $(PATH):$(HOME)/.cargo/bin
EVENTSPHERE := target/debug/eventsphere
RUN_FLAGS ?= --demo

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run build test fuzz storms fmt lint schema-gate validation-oracle conformance bench-graphql bench-sale bench-jobs bench-live bench-explosions bench-peers

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing on this machine
	@scripts/setup.sh

setup-tests: ## The same, and what only tests need (Redis, Node, Python)
	@scripts/setup.sh --tests

# The dev profile: from nothing it builds in 2 minutes on 2 cores, release in more than 5; both are ready at the same
# moment, because starting is PostgreSQL's time. For production: `cargo build --release`.
run: setup ## Build and start the server with demo data (Ctrl-C stops it)
	@cargo build --bin eventsphere
	@exec $(EVENTSPHERE) serve $(RUN_FLAGS)

build: setup ## Build everything, tests too
	cargo build --workspace --all-targets

test: setup-tests schema-gate ## Check format and lints, then run every test against a throw-away PostgreSQL
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo build --workspace --all-targets
	$(MAKE) --no-print-directory validation-oracle
	$(MAKE) --no-print-directory conformance
	@tools/install.sh live-clients
	@tools/install.sh webhook-verifier
	@tools/install.sh smtp-server
	@tools/install.sh localstripe
	$(EVENTSPHERE) admin with-postgres --no-durability -- cargo test --workspace

# Refuses to change what clients of the last release lean on: see docs/schema-evolution.md.
schema-gate: ## Compare schema.graphql with the last released one
	@scripts/setup.sh --tests
	@tools/install.sh schema-gate
	@cd tools/schema-gate && node --test >/dev/null || { node --test; exit 1; }
	@node tools/schema-gate/gate.mjs

# SEED=<n> writes other documents, DOCUMENTS=<n> more of them.
validation-oracle: ## Compare what the engine accepts with what graphql-js and apollo-compiler accept
	@scripts/setup.sh --tests
	@tools/install.sh validation-oracle
	cargo build --example verdicts --bin apollo-verdicts
	@node tools/validation-oracle/oracle.mjs target/debug/examples/verdicts target/debug/apollo-verdicts $(or $(DOCUMENTS),2400) $(or $(SEED),1)

# SUITES="audit relay ..." runs some of them.
conformance: ## Run suites and clients that others wrote against the schema and a server
	@scripts/setup.sh --tests
	@tools/install.sh conformance
	@tools/install.sh schemathesis
	@tools/install.sh ../examples/typescript
	@tools/install.sh ../examples/python
	cargo build --bin eventsphere --bin main-job
	@node tools/conformance/run.mjs $(EVENTSPHERE) $(SUITES)

# What fails is told with the seed of its world; PROPERTY_SEED=<seed> tries that world alone again.
fuzz: setup ## Try planner and compiler on fresh random worlds for MINUTES (60 unless given)
	cargo build --bin eventsphere
	cargo test -p eventsphere-graphql --test properties --no-run
	PROPERTY_MINUTES=$(or $(MINUTES),60) nice $(EVENTSPHERE) admin with-postgres --no-durability -- \
		cargo test -p eventsphere-graphql --test properties -- --nocapture

# Two servers on one database are killed again and again while everybody uses every verb of the sale; and while everybody pays.
storms: setup ## Kill servers in storms of sales and of payments for MINUTES each (10 unless given)
	cargo build --bin eventsphere
	cargo test -p eventsphere --test startup --no-run
	STORM_SECONDS=$$(( $(or $(MINUTES),10) * 60 )) nice $(EVENTSPHERE) admin with-postgres --no-durability -- \
		cargo test -p eventsphere --test startup -- storms money --nocapture --test-threads 1

fmt: ## Format the code
	cargo fmt --all

lint: setup ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

bench-peers: ## Install what the benches compare with, from lock files
	npm ci --prefix bench/peers/postgraphile --no-audit --no-fund --loglevel=error
	npm ci --prefix bench/peers/graphile-worker --no-audit --no-fund --loglevel=error

# The last line is JSON. QUICK=1 for a smoke test of at most 3 minutes once everything is built and its data made.
bench-graphql: setup bench-peers ## Measure the API against PostGraphile and bare SQL
	cargo build --release --bin eventsphere --bin bench
	@target/release/bench graphql

bench-sale: setup ## Measure the sale against the same SQL one buyer at a time
	cargo build --release --bin eventsphere --bin bench
	@target/release/bench sale

bench-jobs: setup bench-peers ## Measure our worker against graphile-worker
	cargo build --release --bin eventsphere --bin bench --example jobs_worker
	@target/release/bench jobs

bench-live: setup ## Measure subscriptions: 11,000 connections, 20 events a second
	cargo build --release --bin eventsphere --bin bench
	@target/release/bench live

bench-explosions: setup ## Measure what refusing hostile documents costs the server
	cargo build --release --bin eventsphere --example explosions
	target/release/examples/explosions target/release/eventsphere
