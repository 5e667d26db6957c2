#!/usr/bin/env bash
# Brings what is missing: Node 24, the npm dependencies, Envoy. Quick when nothing is.
#   scripts/setup.sh [--envoy VERSION]...     default: the newest that we test (1.40.0)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/tools.sh"

versions=()
while [ $# -gt 0 ]; do
  case $1 in
  --envoy)
    [ $# -ge 2 ] || die "--envoy takes a version" "as in --envoy 1.36.4"
    versions+=("$2")
    shift 2
    ;;
  -h | --help)
    sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) die "unknown option: $1" "scripts/setup.sh --help" ;;
  esac
done
[ ${#versions[@]} -gt 0 ] || versions=("$ENVOY_DEFAULT")

ensure_command git "apt-get install git"
ensure_node
ensure_dependencies
for version in "${versions[@]}"; do ensure_envoy "$version"; done
say "setup: ready (node $(node --version), envoy ${versions[*]})"
