#!/usr/bin/env bash
# Plants the faults of tests/simulation/mutants in a copy of the connector, one at a time, and runs
# the simulation on the component that results. Prints which oracle found each. The shipped
# component says what is there. Fails if a fault is not found. A patch that begins with `stream: NAME`
# is looked for in histories of that stream only, since a few in a hundred are.
#
#   tests/simulation/plant.sh TARGET_DIR SEEDS [NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD target=$(realpath "$1") seeds=$2
shift 2
cargo=${CARGO:-cargo} copy=$target/mutants/source
patches=$root/tests/simulation/mutants
rm -rf "$copy"
mkdir -p "$copy/tests"
# As new files: cargo goes by their times.
cp -r Cargo.toml Cargo.lock rust-toolchain.toml .cargo wit json connector "$copy"
cp -r tests/corpus "$copy/tests"
sed -i -E '/^  "(bench|host|tests)/d; /^default-members/d' "$copy/Cargo.toml"
# A build without link-time optimisation takes seconds.
export CARGO_TARGET_DIR=$target/mutants/target CARGO_INCREMENTAL=1
export CARGO_PROFILE_COMPONENT_LTO=off CARGO_PROFILE_COMPONENT_CODEGEN_UNITS=16 CARGO_PROFILE_COMPONENT_OPT_LEVEL=1
failed=0 count=0
for patch in "$patches"/*.patch; do
  name=$(basename "$patch" .patch)
  if [ $# -gt 0 ] && ! printf '%s\n' "$@" | grep -qx "$name"; then continue; fi
  count=$((count + 1))
  if ! patch -d "$copy" -p1 -s <"$patch"; then
    printf '%-28s does not apply\n' "$name"
    failed=1
  elif ! (cd "$copy" && "$cargo" build -q --offline --profile component --target wasm32-wasip2 -p source-orb) 2>"$target/mutants/$name.log"; then
    printf '%-28s does not compile\n' "$name"
    failed=1
  else
    printf '%-28s ' "$name"
    stream=$(sed -n 's/^stream: //p' "$patch")
    "${SIMULATE:-$target/release/simulate}" --component "$CARGO_TARGET_DIR/wasm32-wasip2/component/orb.wasm" \
      --reference "${REFERENCE:-$target/wasm32-wasip2/component/orb.wasm}" --seeds "$seeds" --first "${FIRST:-0}" --stream "$stream" --brief || failed=1
  fi
  rm -rf "$copy/connector"
  cp -r connector "$copy"
done
echo "$count faults planted"
exit $failed
