#!/usr/bin/env bash
# Marked blocks run in order in one shell; unmarked ones do not; a failing command or a missing output stops the script.
set -euo pipefail
source tools/readme_blocks.sh
cd "$TEST_TMPDIR"

fail() { echo "$*"; exit 1; }

cat > good.md <<'END'
<!-- run -->
```sh
name=world
```
```sh
exit 9
```
<!-- run -->
```sh
echo "hello $name"
```
<!-- shows: hello w.*d -->
END
said=$(readme_script good.md | bash) || fail "a good file failed: $said"
grep -q '^hello world$' <<< "$said" || fail "the second marked block did not run: $said"
grep -q '^2 blocks$' <<< "$said" || fail "blocks were miscounted: $said"

sed 's/hello w/goodbye w/' good.md | sed 's/^echo "goodbye/echo "hello/' > output.md
if said=$(readme_script output.md | bash); then fail "a missing output was accepted"; fi
grep -q 'expected to see: goodbye' <<< "$said" && grep -q 'block at line 9 failed' <<< "$said" || fail "the block was not named: $said"

sed 's/^name=world$/false\n&/' good.md > command.md
if readme_script command.md | bash > /dev/null; then fail "a failing command was accepted"; fi
