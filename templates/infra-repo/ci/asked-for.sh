# Writes comment.md: what the program asks for, where there is neither credential nor state nor passphrase (a fork).
#
# An empty backend knows nothing of what there is, so this is no list of changes, and its heading says so. The stack has
# another name, so that its configuration can lose the salt, and the values that only the passphrase opens.
set -euo pipefail

PULUMI_BACKEND_URL="file://$(mktemp -d)"
export PULUMI_BACKEND_URL
export PULUMI_CONFIG_PASSPHRASE="there is nothing to keep"
export ASTRO_PREVIEW_CHECKS=off
.venv/bin/python - "Pulumi.$STACK.yaml" > Pulumi.asked-for.yaml << 'END'
import sys

import yaml


def in_clear(value):
    if isinstance(value, dict):
        return {key: in_clear(one) for key, one in value.items() if not (isinstance(one, dict) and set(one) == {"secure"})}
    return [in_clear(one) for one in value] if isinstance(value, list) else value


with open(sys.argv[1]) as file:
    settings = in_clear(yaml.safe_load(file))
for key in ("encryptionsalt", "encryptedkey", "secretsprovider"):
    settings.pop(key, None)
yaml.safe_dump(settings, sys.stdout)
END
pulumi stack init asked-for --non-interactive
preview=0
pulumi preview --stack asked-for --non-interactive --json --show-sames > digest.json || preview=$?
review=0
.venv/bin/astro-provider review digest.json --exit-code "$preview" --offline > asked-for.md || review=$?
{
  printf '## What the program asks for, not what changes\n\n'
  cat asked-for.md
} > comment.md
exit "$review"
