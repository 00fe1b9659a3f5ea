#!/usr/bin/env bash
# Every rule that the code cites is written down, and every file that a note names is there.
# usage: citation_check.sh NOTE... -- SOURCE...
#
# A citation is an id such as D-16, A-07, ST-08, C-75, R-13 or L2 between brackets, alone or in a list: [D-52], [L1, A-09]. A note
# defines an id by a table row or a heading that starts with it: "| D-52 |", "### L1".
set -euo pipefail

id='(A|C|D|P|R)-[0-9]{2}|ST-[0-9]{2}|INV-[0-9]{1,2}|L[1-6]'
notes=() sources=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do notes+=("$1"); shift; done
[ $# -gt 0 ] && shift
sources=("$@")

defined=$(sed -nE "s/^(\| *|#+ +)\*{0,2}($id)\b.*/\2/p" "${notes[@]}" | sort -u)
cited=$(grep -ohE '\[[^][]*\]' "${sources[@]}" | grep -oE "\b($id)\b" | sort -u)

bad=0
for rule in $cited; do
  grep -qxF "$rule" <<< "$defined" && continue
  bad=1
  grep -nE "\[[^][]*\b$rule\b[^][]*\]" "${sources[@]}" | sed "s/^/$rule stands nowhere in papers\/: /" | head -n 3
done
twice=$(sed -nE "s/^(\| *|#+ +)\*{0,2}($id)\b.*/\2/p" "${notes[@]}" | sort | uniq -d)
[ -z "$twice" ] || { echo "defined twice: $twice"; bad=1; }
named=$(grep -ohE '`(core|sim|net_real|cli)/[A-Za-z0-9_./-]+`' "${notes[@]}" | tr -d '`' | grep -v '\.md$' | sort -u || true)
listing=$(printf '%s\n' "${sources[@]}")
for path in $named; do
  grep -qE "(^|/)$path(/|$)" <<< "$listing" || { echo "a note names $path, which is not there"; bad=1; }
done
echo "$(wc -w <<< "$cited") rules cited, $(wc -w <<< "$defined") written down"
exit "$bad"
