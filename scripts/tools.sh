# Sourced by the scripts beside it: the tools they need, and where they put them.
# shellcheck shell=bash

target=${CARGO_TARGET_DIR:-target}
tools=$target/tools
mkdir -p "$tools/bin"
# What was installed earlier is found by name.
tools=$(cd "$tools" && pwd)
export PATH="$tools/bin:$PATH"

fail() {
  echo "$*" >&2
  exit 2
}

# cargo_tool NAME VERSION: makes the command NAME of crates.io available, at VERSION's major and minor or a
# later minor. It is built without optimisation: it runs for seconds and builds for minutes otherwise.
cargo_tool() {
  local name=$1 version=$2
  if newer_or_same "$("$name" --version 2>/dev/null | awk 'NR == 1 { print $2 }')" "$version"; then
    return 0
  fi
  echo "installing $name $version into $tools"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_TARGET_DIR=$tools/build \
    cargo install --quiet --locked --root "$tools" --version "$version" "$name" || return 1
  rm -rf "$tools/build"
}

# newer_or_same HAVE WANT: whether HAVE has WANT's major version, and at least its minor.
newer_or_same() {
  local have_major have_minor want_major want_minor rest
  IFS=. read -r have_major have_minor rest <<<"$1"
  IFS=. read -r want_major want_minor rest <<<"$2"
  [[ $have_major == "$want_major" && ${have_minor:-0} -ge $want_minor ]]
}
