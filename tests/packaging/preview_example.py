"""Preview a project with whatever is installed beside the Python that runs this: `python preview_example.py PROJECT`.

It runs by its path in the wheel's environment, so it imports nothing of the tests; the engine is on PATH. The project's program is run inline,
because the language host is not to be had here; the provider process is the environment's own, as on an ordinary
installation. It prints a JSON object: `changes` of the preview, and the file that `astro_provider` came from.
"""

from __future__ import annotations

import json
import runpy
import sys
import tempfile
from pathlib import Path

from pulumi import automation as auto

import astro_provider


def main(project: Path) -> None:
    """Preview the project's own program with its own configuration, `Pulumi.dev.yaml`, into a state of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "PULUMI_BACKEND_URL": f"file://{scratch}",
            "PULUMI_HOME": f"{scratch}/home",
            "PULUMI_CONFIG_PASSPHRASE": "for tests only",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_PYTHON_CMD": sys.executable,
        }
        workspace = auto.LocalWorkspace(
            work_dir=str(project),
            program=lambda: _run(project / "__main__.py"),
            env_vars=environment,
        )
        changes = auto.Stack.create("dev", workspace).preview().change_summary
    counts = {str(getattr(kind, "value", kind)): count for kind, count in changes.items()}
    print(json.dumps({"changes": counts, "imported": astro_provider.__file__}))  # noqa: T201  the answer


def _run(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
