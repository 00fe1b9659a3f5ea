# What the scripts share. Source it first: it sets the shell's options and changes into the root of the checkout.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# BAZEL may name another command, or carry start-up options ("bazel --output_base=/somewhere").
bazel() {
  local words
  read -r -a words <<< "${BAZEL:-bazel}"
  command "${words[@]}" "$@"
}

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# Number of processors: the default of every --jobs.
cores() { nproc 2>/dev/null || echo 1; }
