#!/bin/sh
# Checks the image: its size, that it is reproducible, and the tests of tests/image in its root file
# system. Reports these tests as skipped if this machine does not permit entering a root file
# system.
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

# Assembles the image again from the same packages.
rm -rf "$again" "$again".*
cp -R "$root.packages" "$again.packages"
"$here/rootfs.sh" "$executable" "$again"
"$here/archive.sh" "$again" 2>/dev/null
cmp "$root.tar" "$again.tar" || { echo "FAIL the same files gave a different image"; exit 1; }
echo "ok the same files give the same image, of $(wc -c <"$root.tar") bytes"

work=$(mktemp -d)
chmod 777 "$work"
"$here/enter.sh" "$root" "$work" /bin/sh -c : || {
  [ $? -eq 125 ] || exit 1
  skip "entering the image needs root or user namespaces"
}
rmdir "$work"
"$@"
