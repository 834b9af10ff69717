#!/bin/sh
# Runs a command in a root file system as a container would run it, without an engine: as user and group 1000 with no
# rights, on a root that cannot be written to, with nothing in /proc, and with the environment of env(1) alone.
#
# In: a folder as rootfs.sh assembles it, a folder that is /source in it, which user 1000 can write to, and a command.
# Out: its output and its exit code; 125 if this machine lets nobody do so.
#
# usage: enter.sh ROOT WORK [NAME=VALUE...] COMMAND [ARGUMENT...]
# needs: unshare(1) of util-linux, and root or user namespaces
set -eu

# In a mount namespace of its own, where /source and /dev are put in place.
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
command -v unshare >/dev/null || refuse "there is no unshare(1) on this machine"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  set -- unshare --mount "$self" --inside root "$root" "$work" /bin/env -i PATH=/bin "$@"
elif unshare --user --map-root-user --mount unshare --user --map-user=1000 true 2>/dev/null; then
  set -- unshare --user --map-root-user --mount "$self" --inside user "$root" "$work" /bin/env -i PATH=/bin "$@"
else
  refuse "this machine lets nobody but its root make namespaces"
fi
exec "$@"
