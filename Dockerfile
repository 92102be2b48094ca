# One static binary on an empty file system, run by a user without rights.
# deploy/image builds the same without a container engine.
FROM golang:1.26 AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/sidehook . \
 && mkdir -p -m 0700 /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/sidehook /sidehook
# A new volume takes the owner and mode of the folder that it is mounted on.
COPY --from=build --chown=65532:65532 /out/state /var/lib/sidehook
# So that `docker exec CONTAINER sidehook targets` finds it.
ENV PATH=/
USER 65532:65532
VOLUME /var/lib/sidehook
EXPOSE 8080 9090
# It asks the default admin listener; set SIDEHOOK_ADMIN where that is another.
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s CMD ["/sidehook", "health"]
ENTRYPOINT ["/sidehook"]
CMD ["run", "/etc/sidehook/config.yaml"]
