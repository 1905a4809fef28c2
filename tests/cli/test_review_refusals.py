"""Input that `astro-provider review` cannot use: one sentence, exit status 1, and nothing half printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.previews import Previews
from tests.support.shell import run

GIVE = "give the output of `pulumi preview --json`."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Previewing update (test):\n",
            "is no JSON, or was cut: give the whole standard output of `pulumi preview --json`.",
        ),
        ('{"steps": [{"op": "create", "urn": "urn:pul', "is no JSON, or was cut: give the whole standard output of "),
        ("[1, 2]", f"is no digest of a preview: {GIVE}"),
        ('{"name": "package", "version": "1"}', f"is no digest of a preview: {GIVE}"),
        ('{"steps": [{"op": "create"}]}', f"is no digest of a preview: {GIVE}"),
        ('{"steps": [{"op": "<b>", "urn": "u"}]}', f"is no digest of a preview: {GIVE}"),
        ('{"steps": [], "changeSummary": {"same": "many"}}', f"is no digest of a preview: {GIVE}"),
        (
            '{"deployment": {"resources": []}}',
            "is a stack's export, not a digest: `astro-provider audit --state` reads that.",
        ),
        ("[" * 100_000, "is no JSON, or was cut: "),
    ],
)
def test_what_is_no_digest_is_refused_in_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "digest.json"
    path.write_text(text)

    for output in ("markdown", "json", "html"):
        ended = run(None, "review", str(path), "--output", output)

        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith(f"Error: {path} {reason}")
        assert ended.err.count("\n") == 1


def test_a_stream_of_events_is_told_from_a_digest(previews: Previews, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(previews.stream.text)

    ended = run(None, "review", str(path))

    assert (ended.status, ended.out) == (1, "")
    assert (
        f"Error: {path} is a stream of engine events, not a digest: unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW, and give "
        "the output of `pulumi preview --json`.\n"
    ) == ended.err


def test_a_digest_of_bindings_that_this_version_does_not_know_is_refused(previews: Previews, tmp_path: Path) -> None:
    document = json.loads(previews.made.text)
    for step in document["steps"]:
        inputs = step["newState"].get("inputs", {})
        if "role" in inputs:
            inputs["deployment_role"] = inputs.pop("role")
    path = tmp_path / "digest.json"
    path.write_text(json.dumps(document))

    ended = run(None, "review", str(path))

    assert (ended.status, ended.out) == (1, "")
    assert (
        f"Error: {path}: a binding in it has no deployment, no token or no role, so this version of the package cannot read "
        "it: update the package, or make the file again.\n"
    ) == ended.err


def test_a_missing_file_and_a_directory_are_told(tmp_path: Path) -> None:
    missing = run(None, "review", str(tmp_path / "nowhere.json"))
    directory = run(None, "review", str(tmp_path))

    assert (1, f"Error: {tmp_path}/nowhere.json cannot be read: No such file or directory.\n") == (
        missing.status,
        missing.err,
    )
    assert (1, f"Error: {tmp_path} cannot be read: Is a directory.\n") == (directory.status, directory.err)


def test_a_refused_credential_is_one_sentence_and_nothing_printed(
    astro: Emulator, previews: Previews, tmp_path: Path
) -> None:
    path = tmp_path / "digest.json"
    path.write_text(previews.made.text)

    refused = run(astro, "review", str(path), ASTRO_API_TOKEN="not-a-credential")
    missing = run(astro, "review", str(path), ASTRO_API_TOKEN="")

    assert (refused.status, refused.out) == (1, "")
    assert "Check that ASTRO_API_TOKEN" in refused.err
    assert (missing.status, missing.out) == (1, "")
    assert missing.err.startswith("Error: No credential for Astro: export ASTRO_API_TOKEN")


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ("production = [\n\n", "line 2: it is no TOML: Invalid value.\n"),
        ('production = ["a"]\n[admin\n', "line 2: it is no TOML: "),
        (
            'production = ["*"]\n\n[admin]\nmots = 2\n',
            "line 4: unknown key 'mots' in [admin]: the keys there are tokens, most.\n",
        ),
        (
            "prodction = []\n",
            "line 1: unknown key 'prodction' at the top of the file: the keys there are production, roles, admin, binding.\n",
        ),
        ('[roles]\n"*-prod" = "ADMIN"\n', "line 2: '*-prod' must be a list of texts, as in '*-prod' = [\"…\"].\n"),
        ("[admin]\nmost = -1\n", "line 2: 'most' must be a whole number, 0 or more.\n"),
        ('[binding]\nprotect = "always"\n', 'line 2: \'protect\' must be "production" or "everywhere".\n'),
        ("roles = []\n", "line 1: roles is a table: write [roles] on a line of its own.\n"),
    ],
)
def test_a_wrong_rule_names_its_line(previews: Previews, tmp_path: Path, rules: str, complaint: str) -> None:
    digest, file = tmp_path / "digest.json", tmp_path / "access.toml"
    digest.write_text(previews.made.text)
    file.write_text(rules)

    ended = run(None, "review", str(digest), "--offline", "--rules", str(file))

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"Error: {file}, {complaint}")


@pytest.mark.parametrize("command", ["review", "audit"])
def test_a_pattern_that_fits_nothing_is_an_error_of_usage(command: str) -> None:
    ended = run(None, command, "--production", "[a-")

    assert ended.status == 2
    assert "the pattern '[a-' has a [ without its ]: write [[] for the character itself." in ended.err
