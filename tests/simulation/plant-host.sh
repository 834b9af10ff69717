#!/usr/bin/env bash
# Plants the faults of tests/simulation/mutants/host in a copy of the host's state handling, one at
# a time, and runs its native tests. Prints which of them fail. Fails if none does.
#
#   tests/simulation/plant-host.sh TARGET_DIR [NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD target=$(realpath "$1")
shift
cargo=${CARGO:-cargo} copy=$target/mutants/host
rm -rf "$copy"
mkdir -p "$copy"
# All of it and in the same target directory: with other packages, wasmtime has other features and
# is compiled again.
cp -r Cargo.toml Cargo.lock rust-toolchain.toml .cargo README.md docs wit json connector host bench tests "$copy"
export CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=1
failed=0 count=0
for patch in "$root"/tests/simulation/mutants/host/*.patch; do
  name=$(basename "$patch" .patch) log=$target/mutants/host.log
  if [ $# -gt 0 ] && ! printf '%s\n' "$@" | grep -qx -- "$name"; then continue; fi
  count=$((count + 1))
  printf '%-36s ' "$name"
  if ! patch -d "$copy" -p1 -s <"$patch"; then
    echo "does not apply"
    failed=1
  elif (cd "$copy" && "$cargo" test -q --offline --release -p host -p mock-orb -p source-orb -p elt-airbyte --lib -- \
    state lines checkpoint sync:: atomic_file >"$log" 2>&1); then
    echo "not found"
    failed=1
  elif grep -q '^test result: FAILED' "$log"; then
    sed -nE 's/^---- (.*) stdout ----$/\1/p' "$log" | sort -u | paste -sd ' '
  else
    echo "does not compile"
    failed=1
  fi
  rm -rf "$copy/host"
  cp -r host "$copy"
done
echo "$count faults planted"
exit $failed
