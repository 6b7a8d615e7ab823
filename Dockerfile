# syntax=docker/dockerfile:1

# The program needs no emulator to be built for another machine: this stage
# always runs on the builder's own.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
# Empty: as git says it.
ARG VERSION
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
    make rootfs ROOTFS=/rootfs ${VERSION:+VERSION="$VERSION"}

# The tests read what follows and carry it out without a container engine: see
# e2e/lab/image.go.
FROM scratch
ARG VERSION=development
LABEL org.opencontainers.image.title="matrix-registration-bot" \
      org.opencontainers.image.description="Hands out registration tokens of a Matrix homeserver, asked for in a chat" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
# The time zones are in the program.
COPY --from=build /rootfs/usr /usr
COPY --from=build /rootfs/etc /etc
COPY --from=build --chown=65532:65532 /rootfs/data /data
ENV CONFIG_PATH=/data/config.yaml
WORKDIR /data
VOLUME /data
USER 65532:65532
EXPOSE 29350
# Whether the process lives, not whether it has met the homeserver: one that
# waits for a healthy bot would wait for ever.
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s --start-interval=2s \
    CMD ["/usr/bin/matrix-registration-bot", "healthcheck"]
ENTRYPOINT ["/usr/bin/matrix-registration-bot"]
CMD ["run"]
