# Turns the marked command blocks of a Markdown file into one script. Source it.
# shellcheck shell=bash
#
# A block is run if the line before it is `<!-- run -->`. A line `<!-- shows: REGEX -->` behind it demands that what the block has
# printed matches that extended regular expression. Blocks run in order in one shell, so a later one sees the variables and the
# background jobs of an earlier one.

# readme_script FILE: the script, on standard output. It stops at the first command that fails and at the first output that does
# not match, naming the line of the block.
readme_script() {
  cat << 'END'
set -euo pipefail
shown=$(mktemp)
exec 3>&1 4>&2
ended() {
  status=$?
  exec >&3 2>&4
  if [ "$status" -ne 0 ]; then cat "$shown"; echo "the block at line $block failed with status $status"; fi
  rm -f "$shown"
}
trap ended EXIT
END
  awk -v quote="'" '
    function shell_quoted(text) { gsub(quote, quote "\\" quote quote, text); return quote text quote }
    /^<!-- run -->$/ { armed = 1; next }
    armed && /^```/ { inside = 1; armed = 0; count++; print "block=" NR; print "exec > \"$shown\" 2>&1"; next }
    inside && /^```$/ { inside = 0; print "exec >&3 2>&4"; print "cat \"$shown\""; next }
    inside { print; next }
    /^<!-- shows: .* -->$/ {
      pattern = $0
      sub(/^<!-- shows: /, "", pattern)
      sub(/ -->$/, "", pattern)
      print "grep -qE -- " shell_quoted(pattern) " \"$shown\" || { echo expected to see: " shell_quoted(pattern) "; exit 1; }"
      next
    }
    NF { armed = 0 }
    END { print "echo " count + 0 " blocks" }' "$1"
}
