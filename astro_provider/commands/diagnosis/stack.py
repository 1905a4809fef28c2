"""The stack's configuration, as `pulumi config` tells it: without the values of secrets, which nobody decrypts here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from astro_provider.astro.settings import NAMESPACE, TOKEN, unknown_in_words, unknown_keys
from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.commands import SECRETS, answer_of
from astro_provider.commands.projects import Project, project_of

NAME = "stack config"
# `pulumi` itself needs what leads to its backend; it does not need the credential for Astro.
_NOT_FOR_PULUMI = SECRETS - {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}


@dataclass(frozen=True)
class Configuration:
    """What the selected stack sets.

    Attributes:
        was_seen: whether it could be looked at.
        values: the keys `astro:…` that are no secrets, and their values.
        has_secret_token: whether `astro:token` is set, as a secret.
    """

    was_seen: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    has_secret_token: bool = False

    def value(self, key: str) -> str | None:
        """A value that the provider would take, or None: it refuses a token in clear."""
        return None if key == TOKEN.config_key else self.values.get(key)


def look_at_stack(environ: Mapping[str, str], directory: Path) -> tuple[Check, Configuration]:
    """Return what there is to say of the configuration, and what it sets."""
    project = project_of(directory)
    if project is None:
        return _not_looked_at("there is no Pulumi.yaml here or above"), Configuration()
    command = shutil.which("pulumi", path=environ.get("PATH"))
    if command is None:
        return _not_looked_at("there is no pulumi on PATH"), Configuration()
    quiet = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = answer_of(
        [command, "config", "--json", "--non-interactive", "--color", "never"], quiet, directory, hidden=_NOT_FOR_PULUMI
    )
    if not answer.ok:
        why = f"`pulumi config` says: {answer.last_line.removeprefix('error: ')}"
        return _not_looked_at(why, "Select the stack (pulumi stack select), and look again."), Configuration()
    entries = _astro_entries(answer.text)
    if entries is None:
        return _not_looked_at("`pulumi config --json` printed something else"), Configuration()
    secrets = {key for key, entry in entries.items() if entry.get("secret")}
    values = {key: str(entry.get("value")) for key, entry in entries.items() if key not in secrets}
    seen = Configuration(True, values, has_secret_token=TOKEN.config_key in secrets)
    return _judged(project, seen, secrets), seen


def _judged(project: Project, seen: Configuration, secrets: Collection[str]) -> Check:
    """What there is to say of a configuration with those values and those secrets."""
    if TOKEN.config_key in seen.values:
        return Check(
            NAME,
            Status.FAILED,
            f"{TOKEN.config_key} is set in clear, so the provider refuses it.",
            f"Make a new token, and run `pulumi config set --secret {TOKEN.config_key}`.",
        )
    # A project that is named `astro` has the keys of its program below `astro:`.
    if unknown := [] if project.content.get("name") == NAMESPACE else unknown_keys([*seen.values, *secrets]):
        return Check(NAME, Status.FAILED, " ".join(map(unknown_in_words, unknown)))
    told = [f"{key}={value}" for key, value in seen.values.items()] + [f"{key} (secret)" for key in sorted(secrets)]
    return Check(NAME, Status.OK, f"The stack sets {', '.join(told) or 'nothing of astro'}.")


def _astro_entries(text: str) -> dict[str, dict[str, object]] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    return {key: one for key, one in content.items() if key.startswith("astro:") and isinstance(one, dict)}


def _not_looked_at(why: str, advice: str = "") -> Check:
    return Check(NAME, Status.UNKNOWN, f"Not looked at, because {why.rstrip('.')}.", advice)
