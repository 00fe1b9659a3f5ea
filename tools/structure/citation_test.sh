#!/usr/bin/env bash
# The code cites only rules that stand in papers/, and the check would notice others. usage: as citation_check.sh
set -euo pipefail
check=tools/structure/citation_check.sh
cd "$TEST_SRCDIR/$TEST_WORKSPACE"

printf '%s\n' '| D-01 | x |' '### L1 Authority' '| **A-02** | y |' 'D-03 in prose defines nothing' > "$TEST_TMPDIR/note.md"
echo '// [D-01, L1] [A-02]' > "$TEST_TMPDIR/good.h"
echo '// [D-01; D-03] and [Raft §5.4; ST-99, INV-77]' > "$TEST_TMPDIR/bad.h"
"$check" "$TEST_TMPDIR/note.md" -- "$TEST_TMPDIR/good.h"
if said=$("$check" "$TEST_TMPDIR/note.md" -- "$TEST_TMPDIR/bad.h"); then
  echo "the check accepted rules that stand nowhere"
  exit 1
fi
for rule in D-03 ST-99 INV-77; do grep -q "^$rule stands nowhere" <<< "$said" || { echo "not named: $rule in $said"; exit 1; }; done

mkdir -p "$TEST_TMPDIR/core/lock"
touch "$TEST_TMPDIR/core/lock/tree.h"
echo 'see `core/lock/tree.h` and `core/lock`' > "$TEST_TMPDIR/paths.md"
"$check" "$TEST_TMPDIR/note.md" "$TEST_TMPDIR/paths.md" -- "$TEST_TMPDIR/good.h" "$TEST_TMPDIR/core/lock/tree.h"
echo 'see `core/lock/gone.h`' >> "$TEST_TMPDIR/paths.md"
if said=$("$check" "$TEST_TMPDIR/note.md" "$TEST_TMPDIR/paths.md" -- "$TEST_TMPDIR/good.h" "$TEST_TMPDIR/core/lock/tree.h"); then
  echo "the check accepted a file that is not there"
  exit 1
fi
grep -q 'core/lock/gone.h' <<< "$said" || { echo "not named: gone.h in $said"; exit 1; }

"$check" "$@"
