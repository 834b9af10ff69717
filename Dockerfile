# The image of the connector, as Airbyte's platform runs it: `sh` is there, nobody is root, and AIRBYTE_ENTRYPOINT is the
# ENTRYPOINT word for word. `make image` builds it; where there is no engine, `make image-rootfs` gives the same files.

# Libraries are copied from here: its Debian is that of the image.
ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm

FROM ${RUST} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make
WORKDIR /build
COPY . .
ENV CARGO_TARGET_DIR=/build/target
RUN make image-rootfs

# One layer, with nothing in it that image/rootfs.sh did not put there.
FROM scratch
COPY --from=build /build/target/image/rootfs/ /
ENV PATH="/bin"
ENV AIRBYTE_ENTRYPOINT="/airbyte/source-orb"
LABEL io.airbyte.name="orb-wasm/source-orb"
LABEL io.airbyte.version="0.1.0"
USER 1000:1000
WORKDIR /airbyte
ENTRYPOINT ["/airbyte/source-orb"]
