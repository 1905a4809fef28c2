# Writes issue.md: what was changed outside Pulumi, and what no stack manages. Nothing is changed.
#
# Exit status: 0 nothing to report, 3 something to report, 1 the check failed; then nothing may be concluded, least
# of all that all is well.
set -euo pipefail

refresh=0
pulumi refresh --stack "$STACK" --non-interactive --preview-only --json > digest.json || refresh=$?
drift=0
.venv/bin/astro-provider review digest.json --exit-code "$refresh" --rules access.toml --fail-on drifted \
  --max-length 25000 > drift.md || drift=$?
audit=0
# All stacks of the backend are read, so that what another one manages is not `unmanaged`.
.venv/bin/astro-provider audit --all-stacks --rules access.toml --output markdown --max-length 25000 \
  --fail-on unmanaged --fail-on missing --fail-on drifted --fail-on two-stacks --fail-on rule > audit.md || audit=$?
{
  cat drift.md
  echo
  cat audit.md
} > issue.md
case "$drift $audit" in
  "0 0") exit 0 ;;
  "0 3" | "3 0" | "3 3") exit 3 ;;
  *) exit 1 ;;
esac
