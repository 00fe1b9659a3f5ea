#!/usr/bin/env bash
# The product obeys include_check.sh, and the check would notice if it did not. usage: include_test.sh SOURCE...
set -euo pipefail
check=tools/structure/include_check.sh
samples=tools/structure/samples

"$check" "$samples/core/good.cc"

if said=$("$check" "$samples/core/bad.cc"); then
  echo "the check accepted a bad file"
  exit 1
fi
for word in chrono thread unordered_map flat_hash_map.h net_real/clock.h sim/plan/plan.h double 0.5 uniform_int_distribution \
  std::getenv; do
  grep -q "core/bad.cc: .*$word" <<< "$said" || { echo "the check did not name $word in: $said"; exit 1; }
done
if grep -q cstdlib <<< "$said"; then echo "the check refused cstdlib: $said"; exit 1; fi

"$check" "$@"
