#!/usr/bin/env bash
# Refuses object code that refers to the outside world. usage: symbol_check.sh ARCHIVE|OBJECT...
#
# Judged are direct references of our own objects: Abseil and Protocol Buffers use clocks and mutexes inside. C symbols must be on
# the list below; C++ symbols are refused by exact name or by class and namespace. allowed_in OBJECT names the exceptions.
set -euo pipefail

# What a pure computation needs of the C library, the compiler's run time and xxHash.
c_allowed='^(mem(cpy|move|set|cmp|chr)|__mem(cpy|move|set)_chk|str(len|cmp|ncmp|chr)|malloc|free|abort|bcmp'
c_allowed+='|XXH3_64bits[A-Za-z_]*|XXH64|_Unwind_Resume|__gxx_personality_v0|__cxa_[a-z_]+|__dso_handle|__stack_chk_fail'
c_allowed+='|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__(asan|ubsan|lsan|sanitizer|tsan)_[A-Za-z0-9_]+|__clang_call_terminate|__udivti3|__umodti3)$'

cxx_banned='^(std::(chrono|filesystem|this_thread|random_device|thread|jthread|mutex|recursive_mutex|timed_mutex|shared_mutex'
cxx_banned+='|condition_variable|__future_base|_V2::condition_variable|__detail::_Random)|std::__basic_future'
cxx_banned+='|std::_Hash_bytes|std::__detail::_Prime_rehash_policy'
cxx_banned+='|std::(basic_)?([io]?fstream|filebuf)|std::(cin|cout|cerr|clog)$|std::locale'
cxx_banned+='|absl::([a-z0-9_]+::)?(Now|GetCurrentTimeNanos|SleepFor|Mutex|CondVar|Notification|BitGen|Clock|hash_internal)|asio::)'

# Undefined symbols of one archive or object, one "OBJECT SYMBOL" a line, demangled, without parameters.
undefined() {
  nm --undefined-only --print-file-name "$1" 2> /dev/null | awk '{ object = $1; sub(/:[^:]*$/, "", object); sub(/.*[:\/]/, "", object)
    print object, $NF }' | c++filt | sed -E 's/absl::debian[0-9]+::/absl::/g; s/@.*//; s/^([^ ]+) ([^(<]*[^(< ]).*/\1 \2/'
}

# Exceptions, each with a reason.
allowed_in() {
  case "$1 $2" in
    check.*' fprintf' | check.*' __fprintf_chk' | check.*' fwrite' | check.*' stderr') return 0 ;;  # a failed check says so and aborts
    hash.*' __cpu_model') return 0 ;;  # chooses between two ways to compute the same CRC32C
  esac
  return 1
}

bad=0 judged=0
for file in "$@"; do
  while read -r object symbol; do
    judged=$((judged + 1))
    if [[ $symbol == *::* || $symbol == operator* || $symbol == 'typeinfo'* || $symbol == 'vtable'* || $symbol == 'guard'* ]]; then
      [[ $symbol =~ $cxx_banned ]] || continue
    else
      [[ $symbol =~ $c_allowed ]] && continue
    fi
    allowed_in "$object" "$symbol" && continue
    echo "$file($object): refers to $symbol"
    bad=1
  done < <(undefined "$file")
done
[ "$judged" -gt 0 ] || { echo "no undefined symbol seen: wrong input?"; bad=1; }
echo "$judged references judged"
exit "$bad"
