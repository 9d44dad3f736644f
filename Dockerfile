# `huddle` in a container: docker build -t huddle . && docker run -v huddle:/var/lib/huddle -p 127.0.0.1:2480:2480 huddle
#
# The first stage compiles, and needs what the README says: Rust, which rustup picks by rust-toolchain.toml, and a C
# compiler. The second has the binary and the certificate authorities.
#
# Where a proxy signs for the sites of others, it has to be known to the compile stage. It is, and stays out of the image,
# with --secret id=authorities,src=/etc/ssl/certs/ca-certificates.crt

FROM debian:trixie-slim AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev make rustup \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=secret,id=authorities \
    if [ -s /run/secrets/authorities ]; then export SSL_CERT_FILE=/run/secrets/authorities CARGO_HTTP_CAINFO=/run/secrets/authorities; fi \
 && cargo build --locked --release --package huddle-appview --bins

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 2480 --home-dir /var/lib/huddle --create-home huddle \
 && chmod 700 /var/lib/huddle
COPY --from=build /build/target/release/huddle /usr/local/bin/huddle
USER huddle
WORKDIR /var/lib/huddle
ENV HUDDLE_DATA=/var/lib/huddle/data HUDDLE_LISTEN=0.0.0.0:2480
VOLUME /var/lib/huddle
EXPOSE 2480
ENTRYPOINT ["huddle"]
CMD ["serve"]
