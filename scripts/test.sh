#!/usr/bin/env bash
# Runs every check and test, those on real Envoys too. The last line says "N passed, N failed".
#
# usage: scripts/test.sh [FILE...]
#
#   FILE    test files to run alone, without the checks
#
# Brings what is missing first (Node 24, npm packages, an Envoy of each supported version, Prometheus). Where an Envoy can't be
# had, its tests are skipped; with REQUIRE_ENVOY=1 that is a failure. So it is with Prometheus, which comes from apt-get, and
# REQUIRE_PROMETHEUS=1. TEST_CONCURRENCY: how many files at a time (default: one for each processor). What each test did is in test.log.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/tools.sh"

case ${1:-} in
-h | --help)
  sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  exit 0
  ;;
-*) die "unknown option: $1" "scripts/test.sh --help" ;;
esac

ensure_command git "apt-get install git"
ensure_command curl "apt-get install curl"
ensure_node
ensure_dependencies
for version in $ENVOY_TESTED; do
  # A subshell: die ends only that.
  (ensure_envoy "$version") || [ "${REQUIRE_ENVOY:-0}" != 1 ] || die "Envoy $version is required (REQUIRE_ENVOY=1)"
done
(ensure_prometheus) || [ "${REQUIRE_PROMETHEUS:-0}" != 1 ] || die "Prometheus is required (REQUIRE_PROMETHEUS=1)"
cd "$ROOT"
exec node scripts/test/run.ts "$@"
