#!/bin/sh
# Packs a root file system into an image tar for `docker load`, `podman load` and others, without an
# engine.
#
# Reads a folder assembled by rootfs.sh, and the settings in the last stage of the Dockerfile.
# Writes FOLDER.tar, an OCI image layout that also has Docker's manifest. The output is
# reproducible: all times are SOURCE_DATE_EPOCH (or 1970), and root owns every file.
#
# usage: archive.sh FOLDER
# needs: GNU tar, gzip, sha256sum
set -eu
root=$1
epoch=${SOURCE_DATE_EPOCH:-0}
dockerfile=$(cd "$(dirname "$0")/.." && pwd)/Dockerfile
image=$root.image
blobs=$image/blobs/sha256

# The argument of an instruction in the Dockerfile.
instruction() {
  sed -n "s|^$1[ =]||p" "$dockerfile" | tail -n 1
}

pack() {
  LC_ALL=C tar --create --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=gnu "$@"
}

# Moves a file to its content-addressed path in the layout, and prints its digest.
store() {
  digest=$(sha256sum <"$1" | cut -d ' ' -f 1)
  mv "$1" "$blobs/$digest"
  echo "$digest"
}

# descriptor DIGEST TYPE
descriptor() {
  printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%d}' "$2" "$1" \
    "$(wc -c <"$blobs/$1")"
}

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
name=$(instruction 'LABEL io.airbyte.name' | tr -d '"')
version=$(instruction 'LABEL io.airbyte.version' | tr -d '"')
path=$(instruction 'ENV PATH' | tr -d '"')
entrypoint=$(instruction 'ENV AIRBYTE_ENTRYPOINT' | tr -d '"')

rm -rf "$image"
mkdir -p "$blobs"
pack --directory "$root" --file "$image/layer" .
content=$(sha256sum <"$image/layer" | cut -d ' ' -f 1)
gzip --no-name --best "$image/layer"
layer=$(store "$image/layer.gz")
created=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
cat >"$image/config" <<END
{"created":"$created","architecture":"$architecture","os":"linux","config":{"User":"$(instruction USER)","Env":["PATH=$path","AIRBYTE_ENTRYPOINT=$entrypoint"],"Entrypoint":$(instruction ENTRYPOINT),"WorkingDir":"$(instruction WORKDIR)","Labels":{"io.airbyte.name":"$name","io.airbyte.version":"$version"}},"rootfs":{"type":"layers","diff_ids":["sha256:$content"]},"history":[{"created":"$created","created_by":"image/archive.sh"}]}
END
config=$(store "$image/config")
cat >"$image/manifest" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$(descriptor "$config" config.v1+json),"layers":[$(descriptor "$layer" layer.v1.tar+gzip)]}
END
manifest=$(store "$image/manifest")
echo '{"imageLayoutVersion":"1.0.0"}' >"$image/oci-layout"
described=$(descriptor "$manifest" manifest.v1+json)
cat >"$image/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[${described%\}},"annotations":{"io.containerd.image.name":"docker.io/$name:$version","org.opencontainers.image.ref.name":"$version"}}]}
END
cat >"$image/manifest.json" <<END
[{"Config":"blobs/sha256/$config","RepoTags":["$name:$version"],"Layers":["blobs/sha256/$layer"]}]
END
pack --directory "$image" --file "$root.tar" .
rm -rf "$image"
size=$(wc -c <"$root.tar")
echo "$name:$version: $size bytes compressed, $root.tar" >&2
# The size limit of the image. A larger one is a mistake, such as debug symbols.
[ "$size" -le 25000000 ] || { echo "error: the image is larger than 25 MB" >&2; exit 1; }
