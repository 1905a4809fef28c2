"""A provider process without HOME, without an entry in the list of users, and with the barest locale."""

from __future__ import annotations

from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.as_user import UNKNOWN, only_root, open_to_all
from tests.support.provider_process import Properties, provider_process


@only_root
@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_it_checks_creates_and_warns(
    environment: dict[str, str], locale: dict[str, str], astro: Emulator, deployment_id: str, tmp_path: Path
) -> None:
    token_id = astro.store.add_token("café")
    wanted: Properties = {"deployment_id": deployment_id, "org_token_name": "café", "role": "DEPLOYMENT_ADMIN"}
    open_to_all(tmp_path)
    bare = {**environment, **locale, "ASTRO_LOCK_DIR": "", "TMPDIR": str(tmp_path)}

    with provider_process(bare, as_user=UNKNOWN) as process:
        checked = process.check(wanted)
        created = process.create(checked.inputs)
        process.check({**wanted, "role": "Naïve"}, checked.inputs)

    assert checked.failures == []
    assert token_id == created.outputs["org_token_id"]
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"
    [directory] = tmp_path.iterdir()
    assert f"astro-provider-locks-{UNKNOWN}" == directory.name
    assert [path.suffix for path in directory.iterdir()] == [".lock"]
