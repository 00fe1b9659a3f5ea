# Joins the ids of rules that code and tests cite with the pages that explain them. Source it.
# shellcheck shell=bash
#
# An id is one to three capitals and a number, D-16, INV-7, LK-04, or L2, wherever it stands in a file; and the start of a test's
# name, `TEST(Locks, D36WaitersAreServedInOrder)`. A page explains an id by a table row or a heading that starts with it,
# "| D-16 |" or "### L1"; a mutant by the name of its patch.

# cited_rules FILE...: "D-16 <tab> file:line" of every citation.
cited_rules() {
  grep -onHE '\b([A-Z]{1,3}-[0-9]{2}|INV-[0-9]|L[0-9])\b' "$@" |
    sed -E '/:UTF-/d; s/^([^:]+:[0-9]+):(.*)$/\2\t\1/' || true
  grep -nHE '^TEST(_F|_P)?\([A-Za-z0-9]+, *[A-Z]{1,3}[0-9]{2}[_A-Z]' "$@" |
    sed -E 's/^([^:]+:[0-9]+):[^,]*, *([A-Z]+)([0-9]+).*/\2-\3\t\1/' || true
}

# explained_rules PAGE...: "D-16 <tab> page" of every explanation.
explained_rules() {
  local page
  for page in "$@"; do
    case "$page" in
      *.patch) printf '%s\t%s\n' "$(basename "$page" .patch)" "$page" ;;
      *) sed -nE "s;^(\| *|#+ +)([A-Z]{1,3}-[0-9]{1,2}|L[0-9])\b.*;\2\t$page;p" "$page" ;;
    esac
  done
}

# rules_table PAGES -- FILES: every rule with its page and how often it is cited.
rules_table() {
  split_at_dashes "$@" || return 1
  awk -F '\t' '
    cited { count[$1]++; next }
    { printf "%-7s %4d  %s\n", $1, count[$1], $2; rules++; if (count[$1]) used++ }
    END { printf "%d explanations, %d of them cited\n", rules, used }' \
    cited=1 <(cited_rules "${after[@]}") cited=0 <(explained_rules "${before[@]}" | sort -V)
}

# check_rules PAGES -- FILES: complains about what is cited and not explained, and about what two pages explain. Patches come last
# among the pages: one may be named like the rule that it breaks.
check_rules() {
  split_at_dashes "$@" || return 1
  awk -F '\t' '
    function complain(text) { print text; bad = 1 }
    cited { if (!($1 in page)) complain($2 ": " $1 " is explained nowhere"); next }
    ($1 in page) && $2 !~ /\.patch$/ { complain($1 ": explained by " page[$1] " and by " $2) }
    { page[$1] = $2 }
    END { exit bad }' \
    cited=0 <(explained_rules "${before[@]}") cited=1 <(cited_rules "${after[@]}")
}

# check_names PAGES -- FILES: complains about tests and checkers that a page names and no file has. Both are names in backquotes:
# a test as `Suite.Name`, a checker as `family.name`, which some file has between quotation marks.
check_names() {
  split_at_dashes "$@" || return 1
  local bad=0 name
  local tests='s/^TEST(_F|_P)?\(([A-Za-z0-9]+), *([A-Za-z0-9_]+).*/`\2.\3`/p'
  while read -r name; do
    echo "a page names the test $name, which is not there"
    bad=1
  done < <(comm -23 <(grep -ohE '`[A-Z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9_]*`' "${before[@]}" | sort -u) \
    <(sed -nE "$tests" "${after[@]}" | sort -u))
  while read -r name; do
    [[ $name =~ \.(cc|h|md|proto|sh)$ ]] && continue
    grep -qF "\"$name\"" "${after[@]}" && continue
    echo "a page names the checker $name, which is not there"
    bad=1
  done < <(grep -ohE '`[a-z]+\.[a-z_]+`' "${before[@]}" | tr -d '`' | sort -u)
  return "$bad"
}

# split_at_dashes PAGE... -- FILE...: into the arrays `before` and `after`.
split_at_dashes() {
  before=() after=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do before+=("$1"); shift; done
  [ $# -eq 0 ] || shift
  after=("$@")
  if [ ${#before[@]} -eq 0 ] || [ ${#after[@]} -eq 0 ]; then echo "no pages, or no files"; return 1; fi
}
