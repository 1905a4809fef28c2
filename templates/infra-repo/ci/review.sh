# Writes comment.md: who gains, loses or changes which role if this is merged. Nothing is changed.
#
# Exit status: 0 reviewed, 3 a rule of access.toml is broken, 4 the preview is incomplete, 1 there is no review. There is
# a comment.md whatever happens, because an old comment beside a new commit would look like the review of that commit.
set -euo pipefail

preview=0
pulumi preview --stack "$STACK" --non-interactive --json --show-sames --show-replacement-steps --refresh \
  > digest.json || preview=$?
review=0
.venv/bin/astro-provider review digest.json --exit-code "$preview" --rules access.toml --fail-on rule \
  > comment.md || review=$?
if ! test -s comment.md; then
  printf '### Access changes: not known\n\nThe review failed. The log of the run says why.\n' > comment.md
fi
exit "$review"
