#!/usr/bin/env bash
# Citations and explanations are joined as cited_rules.sh describes it, and what does not fit is named.
set -euo pipefail
source tools/cited_rules.sh
cd "$TEST_TMPDIR"

fail() { echo "$*"; exit 1; }
equal() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

cat > page.md <<'END'
Prose may name D-90 and explains nothing by it.

### L2 Leases

| id | decision |
| --- | --- |
| D-01 | in order, as `Suite.D01ServesInOrder` and `Suite.Other` show; checked by `lock.order`, see `page.md` |
| INV-7 | in time |
END
mkdir -p mutants core
touch mutants/LK-04.patch mutants/D-01.patch
cat > core/good.cc <<'END'
// In order [D-01, L2], though UTF-16 is no id. A late one is LK-04.
constexpr char kName[] = "lock.order";
END
cat > core/good_test.cc <<'END'
TEST_F(Suite, D01ServesInOrder) {}
TEST(Suite, Other) {}  // INV-7
TEST(Suite, UTF8IsNoId) {}
END
pages=(page.md mutants/D-01.patch mutants/LK-04.patch)
files=(core/good.cc core/good_test.cc)
check_rules "${pages[@]}" -- "${files[@]}" || fail "good citations were refused"
check_names "${pages[@]}" -- "${files[@]}" || fail "good names were refused"
equal citations "D-01 core/good.cc:1
D-01 core/good_test.cc:1
INV-7 core/good_test.cc:2
L2 core/good.cc:1
LK-04 core/good.cc:1" "$(cited_rules "${files[@]}" | tr '\t' ' ' | sort)"
said=$(rules_table "${pages[@]}" -- "${files[@]}")
equal count "5 explanations, 5 of them cited" "$(tail -n 1 <<< "$said")"
equal row "INV-7      1  page.md" "$(grep INV <<< "$said")"

# refused WORDS PAGE-SED SOURCE-SED TEST-SED: page, source and test changed by these are refused, and the complaint says WORDS.
refused() {
  local words=$1 said status=0
  sed -E "$2" page.md > changed.md
  sed -E "$3" core/good.cc > core/changed.cc
  sed -E "$4" core/good_test.cc > core/changed_test.cc
  said=$(check_rules changed.md "${pages[@]:1}" -- core/changed.cc core/changed_test.cc &&
    check_names changed.md "${pages[@]:1}" -- core/changed.cc core/changed_test.cc) || status=1
  [ "$status" -eq 1 ] || fail "accepted, instead of: $words"
  grep -qF "$words" <<< "$said" || fail "instead of '$words' it said: $said"
}
refused "core/changed.cc:1: L3 is explained nowhere" "" 's/L2/L3/' ""
refused "core/changed.cc:1: LK-05 is explained nowhere" "" 's/LK-04/LK-05/' ""
refused "core/changed.cc:1: D-90 is explained nowhere" "" 's/D-01/D-90/' ""
refused "core/changed_test.cc:1: D-02 is explained nowhere" "" "" 's/D01/D02/'
refused "core/changed_test.cc:1: ST-01 is explained nowhere" "" "" 's/D01/ST01_/'
refused "core/changed_test.cc:2: INV-7 is explained nowhere" '/INV-7/d' "" ""
refused "D-01: explained by changed.md and by changed.md" 's/INV-7/D-01/' "" 's/INV-7/D-01/'
refused 'names the test `Suite.Other`' "" "" 's/Other/Another/'
refused "names the checker lock.order" "" 's/"lock.order"/"lock.disorder"/' ""
if check_rules "${pages[@]}" > /dev/null; then fail "accepted without files"; fi
