# make run and make test set up everything they need; see `make help`.

SHELL := /bin/sh
# rustup's folder is on PATH only after a new login.
export PATH := $(PATH):$(HOME)/.cargo/bin
EVENTSPHERE := target/debug/eventsphere
RUN_FLAGS ?= --demo

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run build test fmt lint bench-explosions

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing on this machine
	@scripts/setup.sh

setup-tests: ## The same, and what only tests need (Redis)
	@scripts/setup.sh --tests

# The dev profile: from nothing it builds in 2 minutes on 2 cores, release in more than 5; both are ready at the same
# moment, because starting is PostgreSQL's time. For production: `cargo build --release`.
run: setup ## Build and start the server with demo data (Ctrl-C stops it)
	@cargo build --bin eventsphere
	@exec $(EVENTSPHERE) serve $(RUN_FLAGS)

build: setup ## Build everything, tests too
	cargo build --workspace --all-targets

test: setup-tests ## Check format and lints, then run every test against a throw-away PostgreSQL
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo build --workspace --all-targets
	$(EVENTSPHERE) admin with-postgres --no-durability -- cargo test --workspace

fmt: ## Format the code
	cargo fmt --all

lint: setup ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

bench-explosions: setup ## Measure what refusing hostile documents costs the server
	cargo build --release --bin eventsphere --example explosions
	target/release/examples/explosions target/release/eventsphere
