# The connector's image, as Airbyte's platform requires it: with `sh`, without root, and with
# AIRBYTE_ENTRYPOINT equal to ENTRYPOINT. `make image` builds it; without an engine,
# `make image-rootfs` assembles the same files.

# The image's libraries are copied from here, so it has this Debian release.
ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm

FROM ${RUST} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make
WORKDIR /build
COPY . .
ENV CARGO_TARGET_DIR=/build/target
RUN make image-rootfs

# A single layer with only the files from image/rootfs.sh.
FROM scratch
COPY --from=build /build/target/image/rootfs/ /
ENV PATH="/bin"
ENV AIRBYTE_ENTRYPOINT="/airbyte/source-orb"
LABEL io.airbyte.name="orb-wasm/source-orb"
LABEL io.airbyte.version="0.1.0"
USER 1000:1000
WORKDIR /airbyte
ENTRYPOINT ["/airbyte/source-orb"]
