#!/usr/bin/env bash
# The parts of a plan by GNU parallel, on this machine or on several.
#
#   unisphere plan x.npy --parts 64 > run.plan
#   ./parallel.sh run.plan parts > report.json                            one part at a time, on all cores
#   ./parallel.sh run.plan parts --sshloginfile hosts > report.json       and one on each host of a list
#
# After a kill or a failure: the same command again. Finished parts are not run again, others go on where they were.
# Hosts see points, plan and parts under the same paths, and have processors of one kind: merge refuses a mixture.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 PLAN DIR [options of parallel]" >&2; exit 2; }
plan=$(realpath "$1")
out=$(realpath --canonicalize-missing "$2")
shift 2

parts=$(sed -n 's/^ *"parts": *\([0-9]*\).*/\1/p' "$plan")
[ -n "$parts" ] || { echo "$plan: not a plan; make it by unisphere plan" >&2; exit 3; }
mkdir -p "$out"
# With --jobs 2 or more, also give each part its share: --max-memory here, and RAYON_NUM_THREADS before the command.
seq "$parts" | parallel --joblog "$out/joblog" --resume-failed --retries 3 --jobs 1 "$@" \
    unisphere part "$plan" {} --out "$out" --device cpu >&2 ||
    { echo "some parts failed: see above, and run this again" >&2; exit 1; }
unisphere merge "$plan" "$out" --json
