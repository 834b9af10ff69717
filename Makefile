# `make` without a target lists the targets below.

CARGO ?= cargo
ENGINE ?= docker
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WASM := wasm32-wasip2

# The profile `component` is for orb.wasm and the test guests, `release` for everything native, so
# that wasmtime is compiled once for running and testing.
COMPONENT := $(TARGET_DIR)/$(WASM)/component/orb.wasm
HOST := $(TARGET_DIR)/release/host
BUNDLE := $(TARGET_DIR)/bundle/source-orb
MOCK_ORB := $(TARGET_DIR)/release/mock-orb
BENCH := $(TARGET_DIR)/release/bench
SIMULATE := $(TARGET_DIR)/release/simulate --component $(COMPONENT)
ROOTFS := $(TARGET_DIR)/image/rootfs
# A workspace of its own, which builds into a folder of this one's target.
EDGE_DIR := $(TARGET_DIR)/edge

.DEFAULT_GOAL := help
CARGO_DENY := $(TARGET_DIR)/tools/bin/cargo-deny
CARGO_MUTANTS := $(TARGET_DIR)/tools/bin/cargo-mutants
MUTATE := env -u CARGO_INCREMENTAL $(CARGO_MUTANTS) mutants -j2 -p elt-sdk -p source-orb \
  --test-package elt-sdk,source-orb --output $(TARGET_DIR) $(addprefix -f ,$(FILES))
# Native tests that take long. They run only on mutants that no other test finds.
SLOW_TESTS := cut_short no_state_passes_a_parent_that_is_refused windows_are_left_off_in_their_midst \
  a_record_that_holds_the_cursor_does_not_hold lists_of_parents_are_read_to_their_end \
  no_record_is_lost_and_few_are_repeated the_more_cursors_of_single_parents \
  of_parents_of_parents_all_lists ranges_go_on_with_the_next_one three_streams_at_once_use \
  every_record_is_handed_on_once events_show_everything_that_happens the_days_that_backfills_touched \
  what_becomes_of_open_invoices times_that_are_too_long_are_halved \
  a_backfill_of_days_that_are_read_anyway every_day_of_every_time_zone_is_in_exactly \
  a_sweep_shows_everything only_the_customers_and_days_of_a_backfill a_list_with_a_memory_is_left_off \
  many_streams_at_once_share

.PHONY: help build bundle run test unit simulate plant plant-host mutants conformance image image-rootfs image-test bench bench-quick bench-functions benches edge edge-http edge-http-test edge-js edge-test scale metadata lint deny format toolchain component guests native simulator clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: component native ## Build orb.wasm and the host, and print their sizes
	@ls -l $(COMPONENT) $(HOST) | awk '{ printf "%12d bytes  %s\n", $$5, $$NF }' >&2

bundle: component native ## Build source-orb: the host and orb.wasm in one executable
	@mkdir -p $(dir $(BUNDLE))
	@$(HOST) bundle $(COMPONENT) -o $(BUNDLE)

run: component native ## Read every stream of a test server through the host; messages on stdout, a summary on stderr
	@demo/run.sh $(HOST) $(COMPONENT) $(MOCK_ORB)

test: toolchain ## Run every test
	$(CARGO) test --release --locked --workspace

unit: ## Run only the tests of the connector's logic, natively
	$(CARGO) test --release --locked -p source-orb -p elt-sdk -p json-text

simulate: component simulator ## Run SEEDS=10000 histories of orb.wasm in a simulated world; STREAM=name selects, FIRST=n begins there, SEED=n replays one
	@$(SIMULATE) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000) --first $(or $(FIRST),0)) --stream "$(STREAM)" --report $(TARGET_DIR)/simulation.txt

plant: component simulator ## Plant each fault of tests/simulation/mutants in the connector, and see which oracle finds it; ONLY="name ..." selects
	@CARGO="$(CARGO)" tests/simulation/plant.sh $(TARGET_DIR) $(or $(SEEDS),10000) $(ONLY)

plant-host: toolchain ## Plant each fault of tests/simulation/mutants/host in the host's state handling, and see which native tests find it; ONLY="name ..." selects
	@CARGO="$(CARGO)" tests/simulation/plant-host.sh $(TARGET_DIR) $(ONLY)

mutants: toolchain ## Mutate the connector's logic with cargo-mutants, and list what no native test finds; FILES="path ..." selects
	@test -x $(CARGO_MUTANTS) || $(CARGO) install cargo-mutants --locked --root $(TARGET_DIR)/tools
	FUZZ_ROUNDS=100 $(MUTATE) -- -- $(addprefix --skip ,$(SLOW_TESTS)) || test $$? -le 3
	FUZZ_ROUNDS=100 CARGO_PROFILE_MUTANTS_OPT_LEVEL=1 $(MUTATE) --iterate

conformance: bundle guests ## Test source-orb with clients from PyPI; ONLY=pyairbyte runs one, ORB_OPENAPI=FILE adds Orb's OpenAPI document
	@tests/conformance/run.sh $(TARGET_DIR) $(ONLY)

edge: edge-http edge-js ## Build all that runs orb.wasm elsewhere

edge-js: component ## Build the package for JavaScript, with orb.wasm in edge/js/dist; needs npm
	@edge/build.sh $(TARGET_DIR)

edge-test: edge-js native guests ## Read every stream in Node, Deno, Bun, workerd and Python, and attack the guard; needs npm, Python
	@edge/test.sh $(TARGET_DIR)
	@tests/conformance/run.sh $(TARGET_DIR) embedding

image: ## Build the image orb-wasm/source-orb with docker, or with ENGINE=podman
	$(ENGINE) build --tag orb-wasm/source-orb:$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml) .

image-rootfs: bundle ## Assemble the image without an engine: a root file system, and a tar for `docker load`
	@image/rootfs.sh $(BUNDLE) $(ROOTFS)
	@image/archive.sh $(ROOTFS)

image-test: image-rootfs native ## Run Airbyte's platform script in the image; needs root or user namespaces
	@image/test.sh $(BUNDLE) $(ROOTFS) $(CARGO) test --release --locked -p host -p mock-orb -p source-orb --test integration image:: -- --include-ignored

bench: benches ## Compare with airbyte-source-orb 1.2.4 (Python 3.10 or 3.11, PyPI) and native code; ONLY="start memory" selects
	@bench/run.sh $(TARGET_DIR) --plot docs/scale.svg $(ONLY)

bench-quick: benches ## Run the same benchmarks on small accounts, in less than three minutes
	@bench/run.sh $(TARGET_DIR) --quick $(ONLY)

bench-functions: ## Measure decoding, checking and writing natively, compared with serde_json
	@$(CARGO) bench --locked -p bench --bench functions

edge-http: toolchain ## Compose orb.wasm with an HTTP interface: orb-proxy.wasm for wasmtime serve and Spin, and orb-closed.wasm
	@$(CARGO) build --profile component --locked --target $(WASM) -p source-orb
	@CARGO_TARGET_DIR=$(EDGE_DIR) $(CARGO) build --manifest-path edge/http/Cargo.toml --profile component --locked --target $(WASM) -p handler
	@CARGO_TARGET_DIR=$(EDGE_DIR) $(CARGO) run --quiet --manifest-path edge/http/Cargo.toml --release --locked -p compose -- \
	  $(COMPONENT) $(EDGE_DIR)/$(WASM)/component/handler.wasm $(EDGE_DIR)/http
	@ls -l $(EDGE_DIR)/http/*.wasm | awk '{ printf "%12d bytes  %s\n", $$5, $$NF }' >&2

edge-http-test: edge-http ## Test the composed component in the server of wasmtime-wasi-http
	$(CARGO) test --release --locked --workspace --test integration edge_http:: -- --include-ignored

scale: benches ## Measure requests, time and memory for 1,000 to 100,000 customers; SIZES="N,..." sets other sizes
	@$(BENCH) --target $(TARGET_DIR) scale $(if $(SIZES),--sizes $(SIZES))

metadata: ## Validate connector/orb/metadata.yaml and deploy/ against the schemas of Airbyte and Kubernetes (Python, PyPI)
	@tests/metadata/run.sh $(TARGET_DIR)

lint: toolchain ## Check formatting, lints (native and wasm) and documentation
	$(CARGO) fmt --all --check
	@find bench connector host json tests wit -name target -prune -o \( -name '*.rs' -o -name '*.wit' \) -print | \
	  xargs awk '/^ *\/\// && length > 100 { print FILENAME ":" FNR ": comment above 100 columns"; bad = 1 } END { exit bad }'
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --profile component --locked --target $(WASM) -p source-orb -p source-template -- -D warnings
	$(CARGO) clippy --profile component --locked --target $(WASM) -p guests --features components --examples -- -D warnings
	$(CARGO) fmt --manifest-path edge/http/Cargo.toml --all --check
	CARGO_TARGET_DIR=$(EDGE_DIR) $(CARGO) clippy --manifest-path edge/http/Cargo.toml --profile component --locked --target $(WASM) -p handler -- -D warnings
	CARGO_TARGET_DIR=$(EDGE_DIR) $(CARGO) clippy --manifest-path edge/http/Cargo.toml --release --locked -p compose -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps -p source-orb -p source-template -p elt-host -p elt-airbyte -p elt-files -p host -p json-text -p elt-sdk -p mock-orb

deny: ## Check advisories, licences and sources of all dependencies; downloads advisories from GitHub
	@test -x $(CARGO_DENY) || $(CARGO) install cargo-deny --locked --root $(TARGET_DIR)/tools
	$(CARGO_DENY) --workspace check

format: ## Format the code
	$(CARGO) fmt --all

clean: ## Remove build output
	$(CARGO) clean
	rm -rf edge/node_modules edge/js/dist

component: toolchain
	@$(CARGO) build --profile component --locked --target $(WASM) -p source-orb -p source-template

guests: toolchain
	@$(CARGO) build --profile component --locked --target $(WASM) -p guests --features components --examples

# With the host, so that wasmtime has the same features and is not compiled again.
simulator: toolchain
	@$(CARGO) build --release --locked -p host -p mock-orb -p source-orb -p simulation

benches: bundle
	@$(CARGO) build --release --locked -p host -p mock-orb -p source-orb -p bench

# Includes `source-orb`, although nothing needs it: it enables more features of simdutf8, which
# wasmtime also uses, so `make test` would otherwise compile wasmtime again.
native: toolchain
	@$(CARGO) build --release --locked -p host -p mock-orb -p source-orb -p source-template

# rust-toolchain.toml names the toolchain and the wasm target. Installs them if rustup does not do
# so by itself.
toolchain:
	@if command -v rustup >/dev/null; then \
	  rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install; \
	  rustup target list --installed | grep -qx $(WASM) || rustup target add $(WASM); \
	fi
