"""Explains entry by entry why the service refused a role list.

A list is refused whole, and the service's words about it are not documented. So after a refusal the deployments and
roles are read, and the entries that cannot stand are named: ours with what to write instead, a foreign one with the
word that it is not ours, because its owner must mend it before anybody can write to that token again.
"""

from __future__ import annotations

from collections.abc import Sequence

from astro_provider.astro.api import ApiTokenRole, OrganizationClient
from astro_provider.astro.evidence import Evidence
from astro_provider.astro.hints import nearest_names
from astro_provider.astro.roles import DEPLOYMENT, deployment_of
from astro_provider.astro.writing.changes import Change
from astro_provider.errors import AstroProviderError, ServiceError, WriteRefused


def explain_refusal(
    client: OrganizationClient,
    evidence: Evidence,
    sent: Sequence[ApiTokenRole],
    changes: Sequence[Change],
    error: ServiceError,
) -> WriteRefused:
    """Make the error for a list that the service refused; the words of its refusal end the message.

    The changes are what was asked for: one, or several of one token that are only made together.
    """
    called = changes[0].in_words
    ours = {change.binding.deployment_id: change for change in changes}
    unexplained = WriteRefused(f"The service refused to write {called}. {error}")
    try:
        deployments = {found.id for found in client.list_deployments()}
        roles = {found.name.casefold(): found.name for found in client.list_deployment_roles()}
    except ServiceError:
        return unexplained
    # A credential that may see less gets a shorter list: what is not in it may exist all the same.
    is_missing = "does not exist" if deployments and _sees_all(evidence) else "is in no list that the credential sees"
    foreign = []
    for entry in sent:
        deployment_id = deployment_of(entry)
        mine = ours.get(str(entry.entity_id)) if entry.entity_type == DEPLOYMENT else None
        reason = None
        if deployment_id is not None and deployment_id not in deployments:
            reason = f"deployment {deployment_id} {is_missing}"
        elif entry.entity_type == DEPLOYMENT and (entry.role or "").casefold() not in roles:
            reason = f"role {entry.role!r} {is_missing}{nearest_names(entry.role or '', roles.values())}"
        if reason and mine:
            return WriteRefused(f"Nothing was written for {mine.in_words}: {reason}. {error}")
        if reason:
            foreign.append(f"{entry.entity_type} {entry.entity_id} with role {entry.role} ({reason})")
    if foreign:
        return WriteRefused(
            f"Nothing was written for {called}: the service refuses the token's list because of "
            f"{'; '.join(foreign)}. That entry is another binding's and was left as it is: remove it from the token "
            f"in Astro, or from the program that has it, and run again. {error}"
        )
    return unexplained


def _sees_all(evidence: Evidence) -> bool:
    try:
        return evidence.doubt() is None
    except AstroProviderError:
        return False
