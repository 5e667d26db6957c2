#!/usr/bin/env bash
# Brings what is missing: Node 24, the npm dependencies, Envoy. Quick when nothing is.
#   scripts/setup.sh [--envoy VERSION]...     default: the newest that we test (1.40.0)
set -euo pipefail
. "$(dirname "$0")/lib/tools.sh"

case "${1:-}" in -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;; esac
versions=()
while [ $# -gt 0 ]; do
  case $1 in
  --envoy) versions+=("${2:?--envoy takes a version}"); shift 2 ;;
  *) die "unknown option: $1" "scripts/setup.sh --help" ;;
  esac
done
ensure_command git "apt-get install git"
ensure_node
ensure_dependencies
for version in "${versions[@]:-$ENVOY_DEFAULT}"; do ensure_envoy "$version"; done
say "setup: ready (node $(node --version), envoy ${versions[*]:-$ENVOY_DEFAULT})"
