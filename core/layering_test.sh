#!/usr/bin/env bash
# Every target below the core lies in core/, or is one of the three libraries it may use. usage: layering_test.sh LIST
set -euo pipefail

# The labels of a list that do not belong.
strangers() { grep -vE '^(//core[/:]|@debian//:(absl|xxhash)$|@com_google_protobuf//)' "$1" || true; }

sample=$TEST_TMPDIR/sample
printf '%s\n' //core/raft:raft @debian//:absl //corepart:x //sim/net:net @debian//:asio //net_real:net_real > "$sample"
if [ "$(strangers "$sample" | paste -sd' ' -)" != "//corepart:x //sim/net:net @debian//:asio //net_real:net_real" ]; then
  echo "this test would not notice a stranger"
  exit 1
fi

[ "$(grep -c '^//core/' "$1")" -ge 10 ] || { echo "the list is empty"; exit 1; }
if [ -n "$(strangers "$1")" ]; then
  echo "the core depends on:"
  strangers "$1"
  exit 1
fi
