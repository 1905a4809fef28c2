"""Facts about a binding that need no call to Astro, from how the program and the state spell it.

It serves `previewChecks=off`: names are compared by their letters, and what is spelled as it is stored has the stored ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from astro_provider.lifecycle.claims import Spelling
from astro_provider.lifecycle.values import Inputs, Stored, Text, known
from astro_provider.messages import notices


def tell_that_checks_are_off() -> None:
    """Note that nothing is asked of Astro, once for the whole run."""
    with notices.beside(None):
        notices.note("previewChecks is off: nothing was checked against Astro; names are compared by their spelling.")


def filled_in_by_spelling(asked: Inputs, state: Stored, organization_id: str | None) -> Inputs:
    """The inputs, with the ids and names that the state has for what is spelled as it is there.

    Args:
        asked: what the program gives. A name that it gives beside an id stays, also if the state has another one.
        state: what the state has.
        organization_id: the organization of the settings, for a program that gives none.
    """
    inputs = replace(asked, organization_id=asked.organization_id or organization_id or state.organization_id)
    if state.organization_id not in (None, inputs.organization_id):
        state = Stored()  # ids of another organization, under names that may be the same in both
    if _either_is(state.org_token_id, asked.org_token_id, state.org_token_name, asked.org_token_name):
        name = asked.org_token_name or state.org_token_name
        inputs = replace(inputs, org_token_id=state.org_token_id, org_token_name=name)
    if _either_is(state.deployment_id, asked.deployment_id, state.deployment_name, asked.deployment_name):
        name = asked.deployment_name or state.deployment_name
        inputs = replace(inputs, deployment_id=state.deployment_id, deployment_name=name)
    return inputs


def spellings(of: Inputs | Stored) -> Iterator[Spelling]:
    """Yield the spellings of a binding that a program may use: the deployment and the token each by name or id."""
    for deployment in (of.deployment_name, of.deployment_id):
        for token in (of.org_token_name, of.org_token_id):
            if known(deployment) and known(token):
                yield Spelling(deployment, token)


def _either_is(
    stored_id: Text | None, asked_id: Text | None, stored_name: Text | None, asked_name: Text | None
) -> bool:
    """Return whether a thing is spelled as it is stored: by its id, or by its name alone."""
    if asked_id is not None:
        return asked_id == stored_id
    return asked_name is not None and asked_name == stored_name
