"""The roles of a table on their way from a program to Pulumi."""

from __future__ import annotations

from typing import Any

import pytest

from astro_provider import DeploymentOrgTokenBindings
from astro_provider.errors import InputError


@pytest.mark.parametrize(
    ("roles", "text"),
    [
        (
            {"__d": {"t": "R"}},
            'roles["__d"]: begins with "__", which Pulumi keeps for itself and hides: write the id of the deployment as the key.',
        ),
        (
            {"d": {"__t": "R"}},
            'roles["d"]["__t"]: begins with "__", which Pulumi keeps for itself and hides: write the id of the token as the key.',
        ),
    ],
)
def test_a_key_that_pulumi_would_hide_is_refused(roles: Any, text: str) -> None:
    with pytest.raises(InputError) as refused:
        DeploymentOrgTokenBindings("access", roles=roles)

    assert str(refused.value) == text
