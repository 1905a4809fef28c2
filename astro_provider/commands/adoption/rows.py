"""What is adopted as rows of the table `access:bindings`, which the program of templates/infra-repo reads."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from astro_provider.commands.adoption.find import Adoption

ROWS_FILE = "bindings.yaml"


def rows(adoptions: Iterable[Adoption]) -> str:
    """The rows, by names where a name is enough."""
    table = [
        {
            **(
                {"deployment_name": one.deployment.name}
                if one.deployment_by_name
                else {"deployment_id": one.deployment.id}
            ),
            **({"org_token_name": one.token.name} if one.token_by_name else {"org_token_id": one.token.id}),
            "role": one.role,
        }
        for one in adoptions
    ]
    content = {"config": {"access:bindings": table}}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))
