# Writes comment.md: who gains, loses or changes which role if this is merged. Nothing is changed.
#
# Exit status: 0 reviewed, 3 a rule of access.toml is broken, 4 the preview is incomplete, 1 there is no review. There is
# a comment.md whatever happens, because an old comment beside a new commit would look like the review of that commit.
#
# base/access.toml, if it is there, has the rules of the branch into which this is merged: they decide, so that a pull
# request cannot loosen the rules by which it is reviewed.
set -euo pipefail

# What is left in comment.md if anything below fails.
printf '### Access changes: not known\n\nThe review failed. The log of the run says why.\n' > comment.md

rules=access.toml
if test -f base/access.toml; then
  rules=base/access.toml
fi
. ci/policy.sh
preview=0
pulumi preview --stack "$STACK" --non-interactive --json --show-sames --show-replacement-steps --refresh \
  "${policy[@]}" > digest.json || preview=$?
review=0
.venv/bin/astro-provider review digest.json --exit-code "$preview" --rules "$rules" --fail-on rule \
  > review.md || review=$?
if test -s review.md; then
  mv review.md comment.md
fi
if ! cmp -s "$rules" access.toml; then
  printf '\n**access.toml is changed here. This review is by the rules of the base.**\n' >> comment.md
fi
exit "$review"
