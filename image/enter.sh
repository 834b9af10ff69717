#!/bin/sh
# Runs a command in a root file system like a container, but without an engine: as user and group
# 1000 without privileges, with a read-only root, an empty /proc, and only the environment variables
# given.
#
# ROOT is a folder assembled by rootfs.sh. WORK is mounted as /source; user 1000 must be able to
# write to it. Exits with the command's exit code, or with 125 if this machine does not permit it.
#
# usage: enter.sh ROOT WORK [NAME=VALUE...] COMMAND [ARGUMENT...]
# needs: unshare(1) of util-linux, and root or user namespaces
set -eu

# Runs in a mount namespace of its own: mounts /source and /dev, and starts the command.
if [ "${1:-}" = --inside ]; then
  way=$2 root=$3 work=$4
  shift 4
  mount --bind "$root" "$root"
  mount --bind "$work" "$root/source"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  : >"$root/dev/null"
  mount --bind /dev/null "$root/dev/null"
  mount -o remount,bind,ro "$root"
  case $way in
    root) exec setpriv --no-new-privs chroot --userspec=1000:1000 --groups= "$root" /bin/sh -c 'cd /source && exec "$@"' sh "$@" ;;
    user) exec unshare --user --map-user=1000 --map-group=1000 --root="$root" --wd=/source "$@" ;;
  esac
fi

refuse() {
  echo "enter.sh: $*" >&2
  exit 125
}

case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac
root=$1 work=$2
shift 2
command -v unshare >/dev/null || refuse "this machine has no unshare(1)"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  set -- unshare --mount "$self" --inside root "$root" "$work" /bin/env -i PATH=/bin "$@"
elif unshare --user --map-root-user --mount unshare --user --map-user=1000 true 2>/dev/null; then
  set -- unshare --user --map-root-user --mount "$self" --inside user "$root" "$work" /bin/env -i PATH=/bin "$@"
else
  refuse "only root can create namespaces on this machine"
fi
exec "$@"
