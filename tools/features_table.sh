# Joins the rows of papers/chubby/features.md with the tests that cite them. Source it.
# shellcheck shell=bash
#
# A test cites a row by a list in brackets in the comment lines directly above it, `// [C-36, L6] Why.`, or by the start of its
# name, `TEST(Path, C01AcceptsTheGrammar)`. Only that counts: what is cited elsewhere in a test explains a line, not the test.

# feature_rows NOTE: "C-36 <tab> feature <tab> status" of every row of the table.
feature_rows() {
  awk -F '|' '
    function trimmed(text) { gsub(/^ +| +$/, "", text); return text }
    /^\| *C-/ { print trimmed($2) "\t" trimmed($3) "\t" trimmed($5) }' "$1"
}

# feature_citations TEST...: "C-36 <tab> file:Suite.Name" of every citation, once.
feature_citations() {
  awk '
    function cite(id) { if (!seen[id, test]++) print id "\t" test }
    FNR == 1 { comment = "" }
    /^\/\// { comment = comment " " $0; next }
    /^TEST(_F|_P)?\(/ {
      split($0, word, /[(), ]+/)
      test = FILENAME ":" word[2] "." word[3]
      if (word[3] ~ /^C[0-9][0-9][A-Z]/) cite("C-" substr(word[3], 2, 2))
      while (match(comment, /\[[^][]*\]/)) {
        count = split(substr(comment, RSTART + 1, RLENGTH - 2), word, /[,; ]+/)
        for (i = 1; i <= count; i++) if (word[i] ~ /^C-[0-9]+$/) cite(word[i])
        comment = substr(comment, RSTART + RLENGTH)
      }
    }
    { comment = "" }' "$@"
}

# feature_table NOTE TEST...: every row with its status and its tests, and how many there are of each.
feature_table() {
  local note=$1
  shift
  awk -F '\t' '
    !rows { tests[$1] = tests[$1] "        " $2 "\n"; if (!seen[$2]++) cited++; next }
    { printf "%s  %s\n      %s\n%s", $1, $2, $3 == "" ? "not built" : $3, tests[$1] }
    $3 ~ /^built/ { built++ }
    $3 ~ /^in part/ { partly++ }
    { count++ }
    END { printf "%d rows, %d built, %d in part, %d tests\n", count, built, partly, cited }' \
    <(feature_citations "$@") rows=1 <(feature_rows "$note")
}

# check_features NOTE TEST...: complains about rows and citations that do not fit: a row has a status exactly if it has a test.
check_features() {
  local note=$1
  shift
  awk -F '\t' '
    function complain(text) { print text; bad = 1 }
    !rows { tests[$1] = tests[$1] " " $2; next }
    $1 !~ /^C-[0-9][0-9]$/ { complain($1 ": one row has one id") }
    $3 != "" && $3 !~ /^(built|in part)($|[;:,])/ { complain($1 ": its status is neither \"built\" nor \"in part\": " $3) }
    $3 != "" && !($1 in tests) { complain($1 ": no test cites it, but its status is: " $3) }
    $3 == "" && ($1 in tests) { complain($1 ": it has tests, but no status:" tests[$1]) }
    { known[$1] }
    END {
      for (id in tests) if (!(id in known)) complain(id ": not in the table, but cited by" tests[id])
      exit bad
    }' <(feature_citations "$@") rows=1 <(feature_rows "$note")
}
