# Makes Astro as the table says, with --refresh, because the reviewed preview had it too.
#
# NEWEST is the newest commit of the branch, COMMIT the one that is checked out. A re-run of an old run would apply an old
# table: it would take away what was given since.
set -euo pipefail

if test "$NEWEST" != "$COMMIT"; then
  echo "Nothing was applied: commit $COMMIT is not the newest one, which is $NEWEST. Its own run applies its table." >&2
  exit 1
fi
. ci/policy.sh
pulumi up --stack "$STACK" --non-interactive --yes --refresh "${policy[@]}"
