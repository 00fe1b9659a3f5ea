#!/usr/bin/env bash
# Refuses includes and identifiers that have no place in the pure folders. usage: include_check.sh FILE...
#
# FILE is a path below the workspace root; only those of core/ and sim/ are judged. Everything that could make two runs of one plan
# differ is named here: clocks, threads, files, the environment, random devices, containers ordered by hash, distributions and
# shuffles of the standard library, floating point. tools/structure/waivers.txt holds the exceptions, each with its reason.
set -euo pipefail

waivers=${WAIVERS:-tools/structure/waivers.txt}

# Standard headers that compute. One line of blanks-separated names; what is missing here is refused.
standard=" algorithm array bit cassert charconv climits compare concepts cstddef cstdint cstdlib cstring deque functional
 initializer_list iterator limits list map memory new numeric optional queue set span stdexcept string string_view tuple type_traits
 utility variant vector inttypes.h cinttypes "

# Third-party headers, as patterns of the whole name.
third_party='^(absl/(algorithm|cleanup|functional|meta|status|strings|types|utility)/[a-z_]+\.h'
third_party+='|absl/(base/(attributes|macros|optimization))\.h'
third_party+='|absl/container/(btree_map|btree_set|fixed_array|inlined_vector)\.h'
third_party+='|google/protobuf/[a-z_/0-9]+\.h|xxhash\.h|nmmintrin\.h)$'

# Only sim/ prints and parses.
sim_only='^(nlohmann/json\.hpp|sstream|cstdio)$'

banned='(std|absl)::(unordered_[a-z_]+|hash|Hash|hash_combine|flat_hash_[a-z]+|node_hash_[a-z]+|BitGen|InsecureBitGen|Now|Uniform)'
banned+='|\b(unordered_(multi)?(map|set)|flat_hash_(map|set)|node_hash_(map|set))\b'
banned+='|\b(random_device|mt19937(_64)?|default_random_engine|minstd_rand0?|[a-z_]+_distribution|random_shuffle)\b'
banned+='|\bstd::(shuffle|sample|rand|srand|chrono|thread|jthread|mutex|atomic|async|future|promise|getenv|time|clock|filesystem)\b'
banned+='|\b(getenv|gettimeofday|clock_gettime|rand_r|drand48|getrandom|pthread_[a-z_]+|thread_local)\b'
banned+='|\b(float|double)\b|[0-9]\.[0-9]+f?\b'

bad=0
complain() { printf '%s\n' "$*"; bad=1; }

waived() { grep -qE "^$1 +$2 " "$waivers"; }

check_include() {
  local file=$1 name=$2 bracket=$3
  if [ "$bracket" = '"' ]; then
    case "$name" in
      core/* | google/protobuf/*) return ;;
      sim/*) [[ $file != sim/* ]] || return 0 ;;
    esac
    [[ $name =~ $third_party ]] && return
  else
    [[ $standard =~ [[:space:]]"$name"[[:space:]] || $name =~ $third_party ]] && return
  fi
  [[ $file == sim/* && $name =~ $sim_only ]] && return
  waived "$file" "$name" && return
  complain "$file: includes $name, which is not on the list of tools/structure/include_check.sh"
}

# The code without string literals and comments, so that prose may speak of what code must not use.
code_of() { sed -E '/^ *# *include/d; s/"([^"\\]|\\.)*"/""/g; s,//.*$,,; s,/\*.*\*/,,g' "$1"; }

judged=()
for file in "$@"; do
  [[ $file =~ (^|/)(core|sim)/.*\.(h|cc)$ ]] && judged+=("$file")
done
[ ${#judged[@]} -gt 0 ] || { echo "no file of core/ or sim/ was given"; exit 1; }

while IFS=: read -r file directive; do
  [[ $directive =~ ([\"\<])([^\"\>]+) ]]
  check_include "${file#*samples/}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}"
done < <(grep -oHE '^ *# *include *["<][^">]+[">]' "${judged[@]}")

# Most files do not even speak of such things.
while read -r file; do
  while read -r word; do
    waived "${file#*samples/}" "$word" || complain "${file#*samples/}: uses $word"
  done < <(code_of "$file" | grep -oE "$banned" | sort -u)
done < <(grep -lE "$banned" "${judged[@]}" || true)

echo "${#judged[@]} files judged"
exit "$bad"
