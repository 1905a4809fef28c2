"""The stack's configuration, as `pulumi config` prints it: without the values of secrets, which are not decrypted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from astro_provider.astro.settings import NAMESPACE, TOKEN, unknown_in_words, unknown_keys
from astro_provider.commands.diagnosis.checks import Result, failed, ok, unknown
from astro_provider.commands.diagnosis.commands import answer_of_pulumi
from astro_provider.commands.projects import Project, project_of

NAME = "stack config"


@dataclass(frozen=True)
class Configuration:
    """The settings of the selected stack."""

    was_seen: bool = False  # `pulumi` has printed them
    values: Mapping[str, str] = field(default_factory=dict)  # the keys `astro:…` that are no secrets, and their values
    has_secret_token: bool = False  # `astro:token` is set, as a secret

    def value(self, key: str) -> str | None:
        """A value that the provider would take, or None: it refuses a token in clear."""
        return None if key == TOKEN.config_key else self.values.get(key)


def look_at_stack(environ: Mapping[str, str], directory: Path) -> tuple[Result, Configuration]:
    """Return the check of the configuration, and the configuration."""
    project = project_of(directory)
    if project is None:
        return _not_looked_at("there is no Pulumi.yaml here or above"), Configuration()
    answer = answer_of_pulumi(["config", "--json"], environ, directory)
    if answer is None:
        return _not_looked_at("there is no pulumi on PATH"), Configuration()
    if not answer.ok:
        why = f"`pulumi config` failed: {answer.last_line.removeprefix('error: ')}"
        return _not_looked_at(why, "Select the stack (pulumi stack select), and look again."), Configuration()
    entries = _astro_entries(answer.text)
    if entries is None:
        return _not_looked_at("`pulumi config --json` printed something else"), Configuration()
    secrets = {key for key, entry in entries.items() if entry.get("secret")}
    values = {key: str(entry.get("value")) for key, entry in entries.items() if key not in secrets}
    seen = Configuration(True, values, has_secret_token=TOKEN.config_key in secrets)
    return _judged(project, seen, secrets), seen


def _judged(project: Project, seen: Configuration, secrets: Collection[str]) -> Result:
    """Return the check of a configuration, which has these secrets too."""
    if TOKEN.config_key in seen.values:
        return failed(
            f"{TOKEN.config_key} is set in clear, so the provider refuses it.",
            f"Make a new token, and run `pulumi config set --secret {TOKEN.config_key}`.",
        )
    # A project that is named `astro` has the keys of its program below `astro:`.
    if unknown := [] if project.content.get("name") == NAMESPACE else unknown_keys([*seen.values, *secrets]):
        return failed(" ".join(map(unknown_in_words, unknown)))
    entries = [f"{key}={value}" for key, value in seen.values.items()] + [f"{key} (secret)" for key in sorted(secrets)]
    return ok(f"The stack sets {', '.join(entries) or 'no astro: key'}.")


def _astro_entries(text: str) -> dict[str, dict[str, object]] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    return {key: one for key, one in content.items() if key.startswith("astro:") and isinstance(one, dict)}


def _not_looked_at(why: str, advice: str = "") -> Result:
    return unknown(f"Not looked at, because {why.rstrip('.')}.", advice)
