"""Give organization tokens their roles in deployments, as the list `bindings` in the stack's configuration says.

An entry of the list is `{deployment: <id>, token: <name>, role: <name>}`.
"""

import pulumi

from astro_provider import DeploymentOrgTokenBinding

for entry in pulumi.Config().get_object("bindings") or []:
    deployment, token = entry["deployment"], entry["token"]
    # Named by what it binds: an entry that moves within the list stays the same resource.
    DeploymentOrgTokenBinding(
        f"{deployment}-{token}",
        deployment_id=deployment,
        org_token_name=token,
        role=entry["role"],
    )
