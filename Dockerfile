# syntax=docker/dockerfile:1
#
#   docker build -t seadog .                          the service
#   docker build --target binary --output bin .       the static binary alone, for a machine that has git and docker
#
# seadog runs the user's own git and docker compose, so an image FROM scratch
# could serve webhooks but deploy nothing. The binary is static all the same:
# stage "binary" holds nothing else.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /seadog ./cmd/seadog

FROM scratch AS binary
COPY --from=build /seadog /seadog
ENTRYPOINT ["/seadog"]

# Docker's own image of its command line: static binaries, current Compose and buildx.
FROM docker:28-cli AS docker

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/seadog --shell /usr/sbin/nologin seadog
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-compose /usr/local/libexec/docker/cli-plugins/docker-compose
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/docker-buildx
COPY --from=build /seadog /usr/local/bin/seadog
USER seadog
WORKDIR /var/lib/seadog
EXPOSE 8787
# No init needed: seadog reaps as process 1. TERM lets running deployments finish.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s CMD ["seadog", "doctor", "http://127.0.0.1:8788/healthz"]
ENTRYPOINT ["seadog"]
CMD ["serve", "--config", "/etc/seadog/seadog.yml"]
