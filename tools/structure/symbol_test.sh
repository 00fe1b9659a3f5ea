#!/usr/bin/env bash
# The core's archives obey symbol_check.sh, and the check would notice if they did not. usage: symbol_test.sh IMPURE ARCHIVE...
set -euo pipefail
check=tools/structure/symbol_check.sh
impure=$1
shift

if said=$("$check" "$impure"); then
  echo "the check accepted an impure object"
  exit 1
fi
for symbol in open socket rand getenv clock_gettime pthread_mutex_lock std::random_device std::thread std::chrono std::cout \
  std::basic_ifstream absl::Mutex absl::Now; do
  grep -q "refers to $symbol" <<< "$said" || { echo "the check did not name $symbol in:"; echo "$said"; exit 1; }
done

"$check" "$@"
