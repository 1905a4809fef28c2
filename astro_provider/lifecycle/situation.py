"""A binding between the program and the state: how it is examined, and what is its own in that.

Compares what the program asks for with the state, to tell a replacement, and what stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import same_role
from astro_provider.lifecycle.findings import Entry, Weight
from astro_provider.lifecycle.preflight import examine
from astro_provider.lifecycle.resolving import Asked, Examined, Spelled, Wording, look_up
from astro_provider.lifecycle.values import IDENTITY, NAMES, UNKNOWN, Inputs, Stored, known

ONLY = Entry("", "")  # the entry of a binding
_WORDING = Wording(
    missing="No {what} is named {name!r} in organization {organization_id}",
    stays="This binding stays",
    grant="Its grant stays",
    give_id="give {id_property}",
    write_name="write {name!r} as {name_property}",
    remove="Remove this binding from the program, or give another {what}.",
)


@dataclass(frozen=True)
class Situation:
    """A binding in the program, compared with the state."""

    asked: Inputs
    stored: Stored | None = None  # None if the resource is not in the state
    about_to_write: bool = False  # a create or update asks, so nothing may be missing any more
    unchecked: bool = False  # its `check` could look nothing up: names that it gives with ids are the program's own

    def is_replaced_by(self, inputs: Inputs) -> bool:
        """Return whether these inputs would replace the binding, as far as the state tells."""
        asked = ((getattr(inputs, name), getattr(self.stored, name, None)) for name in IDENTITY)
        return any(known(value) and known(stored) and value != stored for value, stored in asked)

    def is_unchanged_by(self, inputs: Inputs) -> bool:
        """Return whether the binding is in the state and stays exactly as it is there."""
        stored = self.stored
        if stored is None or inputs.binding is None or not known(inputs.role):
            return False
        names = ((getattr(self.asked, name), getattr(stored, name)) for name in NAMES)
        return (
            inputs.binding == stored.binding
            and same_role(inputs.role, str(stored.role))
            and inputs.workspace_id == stored.workspace_id
            and not any(asked is not None and known(was) and asked != was for asked, was in names)
        )

    def weight_of_a_missing_name(self, inputs: Inputs) -> Weight:
        """Return the weight of a name that nothing has: an error if the old grant would be taken away for nothing.

        So it may be if a name changes, and the state (made while the checks were off) lacks its id.
        """
        stored = self.stored or Stored()
        may_mean_another = any(
            getattr(stored, id_) is None and known(was := getattr(stored, name)) and was != getattr(inputs, name)
            for id_, name in (("deployment_id", "deployment_name"), ("org_token_id", "org_token_name"))
        )
        is_error = self.about_to_write or self.is_replaced_by(inputs) or may_mean_another
        return Weight.ERROR if is_error else Weight.WARNING


def look_up_binding(reader: Reader | None, situation: Situation) -> tuple[Inputs, Examined]:
    """Look up what a program names.

    Returns:
        The inputs, with ids and names, but without an id if nothing has the name yet; and what was looked up.
    """
    inputs, stored = situation.asked, situation.stored or Stored()
    if stored.organization_id not in (None, inputs.organization_id):
        stored = Stored()  # ids of another organization
    found = look_up(
        reader,
        Asked(
            inputs.organization_id,
            {"": _spelled("deployment_id", "deployment_name", inputs, stored)},
            {"": _spelled("org_token_id", "org_token_name", inputs, stored)},
            {ONLY: inputs.role or UNKNOWN},
            lambda _: "role",
            _WORDING,
            place_of_workspace="workspace_id",
            workspace_id=inputs.workspace_id,
            overwrite=inputs.overwrite,
            must_exist=situation.stored is not None or situation.about_to_write,
            about_to_write=situation.about_to_write,
            unchecked=situation.unchecked,
        ),
    )
    deployment, token = found.deployments[""], found.tokens[""]
    inputs = replace(
        inputs,
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        org_token_id=token.id,
        org_token_name=token.name,
    )
    return inputs, found


def examine_binding(
    reader: Reader | None, situation: Situation, inputs: Inputs, found: Examined
) -> tuple[Inputs, Examined]:
    """Examine what was looked up, except for what is there already.

    Returns:
        The inputs, with the role in Astro's spelling; and what there is to say.
    """
    unchanged = [ONLY] if situation.is_unchanged_by(inputs) and not situation.about_to_write else []
    examined = examine(reader, found, missing=situation.weight_of_a_missing_name(inputs), unchanged=unchanged)
    return replace(inputs, role=examined.roles[ONLY]), examined


def _spelled(id_property: str, name_property: str, asked: Inputs, stored: Stored) -> Spelled:
    return Spelled(
        id_property,
        name_property,
        getattr(asked, id_property),
        getattr(asked, name_property),
        stored_id=getattr(stored, id_property),
        stored_name=getattr(stored, name_property),
        entries=(ONLY,),
    )
