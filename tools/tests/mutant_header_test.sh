#!/usr/bin/env bash
# The header of a mutant is read as its README describes it, and what is wrong with one is named.
set -euo pipefail
source tools/mutant_header.sh
cd "$TEST_TMPDIR"

fail() { echo "$*"; exit 1; }
equal() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

cat > XX-01.patch <<'END'
# id: XX-01
# what: a vote is forgotten,
#   and given again
# expect: raft.election_safety, core.check
# profile: short-reigns
# budget-seeds: 500
# seen-in: nowhere: a sample
diff --git a/core/x.cc b/core/x.cc
--- a/core/x.cc
+++ b/core/x.cc
@@ -1 +1 @@
# profile: not-this-one
-a
+b
END
check_header XX-01.patch || fail "a good header was refused"
equal id XX-01 "$(header_field XX-01.patch id)"
equal what "a vote is forgotten, and given again" "$(header_field XX-01.patch what)"
equal expect "raft.election_safety core.check" "$(expected_checkers XX-01.patch)"
equal profile short-reigns "$(header_field XX-01.patch profile)"
equal budget 500 "$(header_field XX-01.patch budget-seeds)"
equal seen-in "nowhere: a sample" "$(header_field XX-01.patch seen-in)"
equal missing "" "$(header_field XX-01.patch other)"

# refused WORD SED...: the header changed by SED is refused, and the complaint names WORD.
refused() {
  local word=$1 said
  sed -E "$2" XX-01.patch > bad/XX-01.patch
  if said=$(check_header bad/XX-01.patch); then fail "accepted after: $2"; fi
  grep -q "$word" <<< "$said" || fail "after $2 it said: $said"
}
mkdir -p bad
refused "'# what:'" '/^# what/d; /^#   and/d'
refused "'# seen-in:'" 's/^# seen-in.*/# seen-in:/'
refused "its id" 's/^# id: .*/# id: XX-02/'
refused "'expect'" 's/^# expect: .*/# expect: everything/'
refused "'expect'" 's/^# expect: .*/# expect: raft.a raft.b/'
refused "no checker" 's/^# expect: .*/# expect: raft.election_safety, raft.none/'
refused "'profile'" 's/^# profile: .*/# profile: two words/'
refused "'budget-seeds'" 's/^# budget-seeds: .*/# budget-seeds: 501/'
refused "'budget-seeds'" 's/^# budget-seeds: .*/# budget-seeds: 0/'
refused "'budget-seeds'" 's/^# budget-seeds: .*/# budget-seeds: many/'
