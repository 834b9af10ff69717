#!/bin/sh
# Assembles the image's root file system, which the Dockerfile copies and the tests enter.
#
# Takes the executable from `make bundle`. Fills FOLDER with a shell, the libraries that the
# executable links, the certificates it trusts, and the executable itself. Everybody can read the
# files, nobody can write to them. Keeps the contents of Debian packages in FOLDER.packages.
#
# usage: rootfs.sh EXECUTABLE FOLDER
# needs: ldd, and dpkg-deb with apt. Without apt, copies this machine's own programs and
# certificates, and says so.
set -eu
umask 022
executable=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)
packages=$root.packages

fail() {
  echo "error: $*" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "an image is assembled on Linux; this is $(uname -s)"
[ -x "$executable" ] || fail "$executable is missing: \`make bundle\` writes it"

# place MODE FILE PATH: copies a file, following symbolic links.
place() {
  mkdir -p "$(dirname "$root$3")"
  cp -L "$2" "$root$3"
  chmod "$1" "$root$3"
}

# Copies the loader and the libraries that a program links, at the same paths as on this machine, so
# that their versions match.
libraries() {
  ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/" { print $1 }' | while read -r library; do
    [ -e "$root$library" ] || place 755 "$library" "$library"
  done
}

# Before glibc 2.34, libc loads separate libraries to resolve hosts; newer releases only have empty
# placeholders.
resolver() {
  folder=$(dirname "$(ldd "$1" 2>/dev/null | awk '$1 == "libc.so.6" { print $3 }')")
  [ -e "$folder/libnss_dns.so.2" ] && [ "$(wc -c <"$folder/libnss_dns.so.2")" -gt 20000 ] || return 0
  for library in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
    place 755 "$folder/$library" "$folder/$library"
  done
}

# package NAME: unpacks a Debian package into a folder of its own. Needs no privileges: if this
# machine has no package lists, downloads them to a private folder.
package() {
  into=$packages/$1
  [ -d "$into/usr/share/doc/$1" ] && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  lists=$packages/apt
  mkdir -p "$packages/files" "$lists/lists/partial" "$lists/cache/archives/partial"
  (
    cd "$packages/files"
    # Do not wait for unreachable mirrors.
    private="-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 -o Dir::State::lists=$lists/lists -o Dir::Cache=$lists/cache -o Debug::NoLocking=true"
    # shellcheck disable=SC2086 # several words
    timeout 60 apt-get -qq -o APT::Sandbox::User=root download "$1" 2>/dev/null ||
      { timeout 60 apt-get -qq $private update && timeout 60 apt-get -qq $private download "$1"; } >/dev/null 2>&1
  ) || return 1
  rm -rf "$into"
  dpkg-deb --extract "$packages/files/$1"_*.deb "$into"
}

# Finds a program on this machine, ignoring shell builtins.
find_program() {
  for folder in /bin /usr/bin /usr/local/bin; do
    if [ -x "$folder/$1" ]; then echo "$folder/$1" && return; fi
  done
  fail "this machine has no program $1"
}

# The platform's script uses `sh`, `mv`, `sleep` and `kill`; the others are for people who look
# inside.
TOOLS="sh mv sleep kill cat env id ls mkfifo ps touch"
tools() {
  if package busybox-static; then
    busybox=$packages/busybox-static/bin/busybox
    notice busybox-static
  elif busybox=$(command -v busybox); then
    echo "note: the package busybox-static is not available, using this machine's $busybox" >&2
  else
    echo "note: busybox is not available, using this machine's own programs" >&2
    for tool in $TOOLS; do
      place 755 "$(find_program "$tool")" "/bin/$tool"
      libraries "$(find_program "$tool")"
    done
    return
  fi
  place 755 "$busybox" /bin/busybox
  libraries "$busybox"
  for tool in $TOOLS; do ln -s busybox "$root/bin/$tool"; done
}

# Installs Mozilla's certificates from Debian's package. This machine may trust others, which do not
# belong in an image.
certificates() {
  mkdir -p "$root/etc/ssl/certs"
  if package ca-certificates; then
    find "$packages/ca-certificates/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat \
      >"$root/etc/ssl/certs/ca-certificates.crt"
    notice ca-certificates
  else
    for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do [ -s "$bundle" ] && break; done
    [ -s "$bundle" ] || fail "this machine has no certificates, and the package ca-certificates is not available"
    echo "note: the package ca-certificates is not available, using this machine's $bundle: do not publish the image" >&2
    place 644 "$bundle" /etc/ssl/certs/ca-certificates.crt
  fi
}

# Copies a package's licence.
notice() {
  place 644 "$packages/$1/usr/share/doc/$1/copyright" "/usr/share/doc/$1/copyright"
}

rm -rf "$root"
mkdir -p "$root" "$packages"
# The platform mounts a connector's input in the last two; the others belong to every container.
for folder in bin dev etc proc sys tmp config source; do mkdir "$root/$folder"; done
chmod 1777 "$root/tmp"
place 755 "$executable" /airbyte/source-orb
libraries "$executable"
resolver "$executable"
tools
certificates
place 644 "$here/passwd" /etc/passwd
place 644 "$here/group" /etc/group
place 644 "$here/nsswitch.conf" /etc/nsswitch.conf
place 644 "$here/../LICENSE" /usr/share/doc/source-orb/copyright
for library in libc6 libgcc-s1; do
  notice=/usr/share/doc/$library/copyright
  if [ -e "$notice" ]; then place 644 "$notice" "$notice"; fi
done
