#!/bin/sh
# Holds the image against what Airbyte's platform expects of one: size, the same bytes each time, and the tests of
# tests/image in its root file system. Where this machine lets nobody enter a root file system, it says so, and counts
# that as skipped.
#
# usage: test.sh EXECUTABLE FOLDER COMMAND...   COMMAND runs the tests in FOLDER
set -eu
executable=$1 root=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
again=$root.again
trap 'rm -rf "$again" "$again".*' EXIT

skip() {
  echo "SKIPPED: $*" >&2
  echo "1 passed, 0 failed, 1 skipped"
  exit 0
}

# A second assembly, of the same packages.
rm -rf "$again" "$again".*
cp -R "$root.packages" "$again.packages"
"$here/rootfs.sh" "$executable" "$again"
"$here/archive.sh" "$again" 2>/dev/null
cmp "$root.tar" "$again.tar" || { echo "FAIL the same files gave another image"; exit 1; }
echo "ok the same files give the same image, of $(wc -c <"$root.tar") bytes"

work=$(mktemp -d)
chmod 777 "$work"
"$here/enter.sh" "$root" "$work" /bin/sh -c : || {
  [ $? -eq 125 ] || exit 1
  skip "nothing was run in the image: it takes root, or user namespaces"
}
rmdir "$work"
"$@"
