# Reads the header of a mutant patch: the lines "# key: value" before the diff. A value continues on lines that start with "#   ".
# shellcheck shell=bash

readonly mutant_keys=(id what expect profile budget-seeds seen-in)
readonly mutant_budget_max=500
readonly mutant_checkers=$PWD/sim/check/checker_ids.cc

# header_field FILE KEY: the value on one line, empty if there is none.
header_field() {
  awk -v key="$2" '
    /^(diff|---) / { exit }
    /^#   / && inside { sub(/^#  +/, ""); value = value " " $0; next }
    /^# [a-z-]+:/ {
      inside = 0
      found = $2
      sub(/:$/, "", found)
      if (found == key) { inside = 1; value = $0; sub(/^# [a-z-]+: */, "", value) }
      next
    }
    { inside = 0 }
    END { gsub(/ +/, " ", value); sub(/ $/, "", value); print value }' "$1"
}

# expected_checkers FILE: the ids of `expect` separated by blanks, the target first.
expected_checkers() { header_field "$1" expect | tr -d ','; }

# check_header FILE: complains about what is missing or senseless.
check_header() {
  local file=$1 key value bad=0
  for key in "${mutant_keys[@]}"; do
    value=$(header_field "$file" "$key")
    if [ -z "$value" ]; then
      echo "$file: the header lacks '# $key:'"
      bad=1
    fi
  done
  [ "$bad" = 0 ] || return 1
  value=$(header_field "$file" id)
  [ "$value" = "$(basename "$file" .patch)" ] || { echo "$file: its id is '$value'"; bad=1; }
  value=$(header_field "$file" expect)
  [[ $value =~ ^[a-z]+\.[a-z_]+(, [a-z]+\.[a-z_]+)*$ ]] ||
    { echo "$file: 'expect' must be checker ids separated by commas, the target first: '$value'"; bad=1; }
  for value in $(expected_checkers "$file"); do
    grep -qF "{\"$value\"," "$mutant_checkers" || { echo "$file: 'expect' names '$value', which is no checker"; bad=1; }
  done
  value=$(header_field "$file" profile)
  [[ $value =~ ^[a-z][a-z0-9-]*$ ]] || { echo "$file: 'profile' must be one name: '$value'"; bad=1; }
  value=$(header_field "$file" budget-seeds)
  [[ $value =~ ^[1-9][0-9]*$ && $value -le $mutant_budget_max ]] ||
    { echo "$file: 'budget-seeds' must be 1..$mutant_budget_max: '$value'"; bad=1; }
  return "$bad"
}
