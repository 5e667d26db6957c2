#!/usr/bin/env bash
# The whole way of a change, on this machine: a git repository, the daemon, 8 backends, then 12, and a stock Envoy.
#
# usage: scripts/start_with_xds.sh [--step SECONDS] [--exit] [--port-offset N]
#        scripts/start_with_xds.sh --rollout [--port-offset N]
#
#   --step SECONDS     time between the commits (default: 30)
#   --exit             end after the last commit: 0 if all that was expected was seen, else 1
#   --rollout          gradual rollouts, in about a minute: three Envoys under traffic; a bad commit is rolled back before two of
#                      them have it, a good one goes customer by customer; ends with 0 if all that was expected was seen, else 1
#   --port-offset N    add N to every port (18000, 18080, 10000, with --rollout 10000-10002, and 8001-8012, all on 127.0.0.1)
#
# Brings what is missing first (Node 24, npm packages, Envoy) into .tools/ and node_modules/. ENVOY_BIN names an Envoy of your own.
# Ctrl-C stops all that it has started, and removes what it has written to the temporary folder.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/tools.sh"

usage() { sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

step=
rollout=
offset=0
flags=()
while [ $# -gt 0 ]; do
  case $1 in
  --step | --port-offset)
    [ $# -ge 2 ] || die "$1 takes a number" "as in $1 5"
    if [ "$1" = --step ]; then step=$2; else offset=$2; fi
    shift 2
    ;;
  --exit)
    flags+=(--exit)
    shift
    ;;
  --rollout)
    rollout=yes
    flags+=(--rollout)
    shift
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  *) die "unknown option: $1" "scripts/start_with_xds.sh --help" ;;
  esac
done
[ -z "$rollout" ] || [ -z "$step" ] || die "--rollout has steps of its own: it takes no --step" "scripts/start_with_xds.sh --help"
step=${step:-30}
[[ $step =~ ^[0-9]{1,5}(\.[0-9]+)?$ ]] || die "--step takes seconds, not \"$step\"" "as in --step 5"
[[ $offset =~ ^([1-3]?[0-9]{1,4}|4[0-6][0-9]{3})$ ]] || die "--port-offset takes a number below 47000, not \"$offset\"" "as in --port-offset 100"

ensure_command git "apt-get install git"
ensure_command curl "apt-get install curl"
ensure_node
ensure_dependencies
choose_envoy
exec node "$ROOT/scripts/demo/main.ts" --step "$step" --port-offset "$offset" ${flags[@]+"${flags[@]}"}
