#!/usr/bin/env bash
# Rows and the tests that cite them are joined as features_table.sh describes it, and what does not fit is named.
set -euo pipefail
source tools/features_table.sh
cd "$TEST_TMPDIR"

fail() { echo "$*"; exit 1; }
equal() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

cat > table.md <<'END'
Prose may name C-90.

| id | feature | Chubby | this version |
| --- | --- | --- | --- |
| C-01 | names | §2.3 | built |
| C-02 | quotas | §4.5 | in part: no limits of rate |
| C-03 | proxies | §3.1 | |
| C-04 | locks | §2.4 | built; by L2 |
END
mkdir -p core
cat > core/good_test.cc <<'END'
// [C-91] stands above no test.

// [C-04; L2] Why, and on the next line another
// that goes on [D-01, C-02, C-04].
TEST_F(Suite, IsCited) {
  Expect();  // [C-92] is about a line
}

TEST(Suite, C01IsTheStartOfItsName) {}
TEST(Suite, CitesNothingAlthoughC93IsInItsName) {}
TEST(Suite, CL08IsAnotherId) {}
END
check_features table.md core/good_test.cc || fail "a good table was refused"
equal citations "C-01 core/good_test.cc:Suite.C01IsTheStartOfItsName
C-02 core/good_test.cc:Suite.IsCited
C-04 core/good_test.cc:Suite.IsCited" "$(feature_citations core/good_test.cc | tr '\t' ' ' | sort)"
said=$(feature_table table.md core/good_test.cc)
equal count "4 rows, 2 built, 1 in part, 2 tests" "$(tail -n 1 <<< "$said")"
equal row "C-02  quotas
      in part: no limits of rate
        core/good_test.cc:Suite.IsCited
C-03  proxies
      not built" "$(sed -n '/^C-02/,/not built/p' <<< "$said")"

# refused WORDS TABLE-SED TEST-SED: table and test changed by these are refused, and the complaint says WORDS.
refused() {
  local words=$1 said
  sed -E "$2" table.md > changed.md
  sed -E "$3" core/good_test.cc > changed_test.cc
  if said=$(check_features changed.md changed_test.cc); then fail "accepted, instead of: $words"; fi
  grep -qF "$words" <<< "$said" || fail "instead of '$words' it said: $said"
}
refused "C-01: no test cites it" "" 's/C01/NoneOf/'
refused "C-02: no test cites it" "" 's/C-02, //'
refused "C-05: not in the table, but cited by changed_test.cc:Suite.IsCited" "" 's/C-04;/C-05;/'
refused "C-01: not in the table" "/C-01/d" ""
refused "C-03: it has tests, but no status: changed_test.cc:Suite.IsCited" "" 's/C-02/C-03/'
refused "C-03: its status is neither" 's/§3.1 \|/& almost/' ""
refused "C-03 .. C-09: one row has one id" 's/C-03/& .. C-09/' ""
printf 'TEST(Suite, Plain) {}\n' > plain_test.cc
if check_features table.md plain_test.cc > /dev/null; then fail "tests that cite nothing were accepted"; fi
