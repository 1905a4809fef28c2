"""A binding, as the program asks for it or as the state has it, as typed values instead of a property bag.

The names of the fields are the names of the properties: they stand in users' programs and state, so changing one is a
breaking change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astro_provider.astro.api import ApiToken
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Outcome
from astro_provider.lifecycle.resolving import Examined, Spelled, Wishes
from astro_provider.lifecycle.values import (
    A_ROLE,
    ONLY,
    UNKNOWN,
    Entry,
    Flag,
    Parser,
    Text,
    flag_or_false,
    known,
    text_or_none,
)
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import UNFINISHED

IDENTITY = ("organization_id", "deployment_id", "org_token_id")
NAMES = ("deployment_name", "org_token_name")
FACTS = ("description", "scope", "created_at", "created_by")
THINGS = (("deployment_id", "deployment_name"), ("org_token_id", "org_token_name"))

TEXTS = {
    "deployment_id": "the id of the deployment",
    "deployment_name": "the name of the deployment",
    "role": A_ROLE,
    "org_token_id": "the id of the organization token",
    "org_token_name": "the name of the organization token",
    "workspace_id": "the id of the workspace that the deployment must belong to",
    "organization_id": "the id of the organization",
}
AS_GIVEN = tuple(name for name in (*TEXTS, "overwrite") if name not in (*IDENTITY, *NAMES, "role"))


@dataclass(frozen=True)
class Inputs:
    """A binding, as the program asks for it or as the state has it. None: not given, or lost from a state."""

    role: Text | None = None
    deployment_id: Text | None = None
    deployment_name: Text | None = None
    org_token_id: Text | None = None
    org_token_name: Text | None = None
    workspace_id: Text | None = None
    organization_id: Text | None = None
    overwrite: Flag = False
    unfinished: bool = False  # in outputs only: a run has sent a role, and it is not known whether that stands

    @classmethod
    def parse(cls, properties: Mapping[str, Any], parser: Parser | None = None) -> Inputs:
        """Read a property bag of a program, or what `check` made of it.

        A name and an id may stand together: `check` adds the one to the other, and `ignore_changes` has the engine add the
        stored one. The examination decides whether they mean the same.

        Args:
            properties: the bag.
            parser: collects the problems; without one, they are raised as InvalidInputs.
        """
        read = parser or Parser(None)
        found: dict[str, Any] = {
            name: read.id(name, value, what)
            if name.endswith("_id")
            else read.text(name, value, what, required=name == "role", trimmed=name == "role")
            for name, what in TEXTS.items()
            for value in [properties.get(name)]
        }
        for either, other in (("deployment_id", "deployment_name"), ("org_token_name", "org_token_id")):
            if properties.get(either) is None and properties.get(other) is None:
                found[either] = read.refuse(either, f"is missing: give {either} or {other}.")
        inputs = cls(**found, overwrite=read.flag("overwrite", properties.get("overwrite")))
        if parser is None:
            read.require_none()
        return inputs

    @classmethod
    def stored(cls, properties: Mapping[str, Any]) -> Inputs:
        """Read a property bag of the state or of a check, without judgement."""
        texts = {name: text_or_none(properties.get(name)) for name in TEXTS}
        overwrite = flag_or_false(properties.get("overwrite"))
        return cls(**texts, overwrite=overwrite, unfinished=properties.get(UNFINISHED) is True)

    def properties(self) -> dict[str, Any]:
        """Return the property bag: what is given, nothing that is not."""
        return {name: value for name, value in vars(self).items() if value is not None and name != UNFINISHED}

    @property
    def entries(self) -> dict[Entry, Text]:
        """Return the one role by its entry; it is unknown, if a state has lost it."""
        return {ONLY: self.role or UNKNOWN}

    @property
    def binding(self) -> BindingId | None:
        """Return the id, or None while a part of it is missing or unknown."""
        ids = [one for one in (self.organization_id, self.deployment_id, self.org_token_id) if known(one)]
        return BindingId(*ids) if len(ids) == len(IDENTITY) else None

    @property
    def bindings(self) -> dict[BindingId, Entry]:
        """Return the entry by its id, if that is known."""
        return {} if self.binding is None else {self.binding: ONLY}

    @property
    def roles_by_binding(self) -> dict[BindingId, Text]:
        """Return the role by its id, if that is known."""
        return dict.fromkeys(self.bindings, self.role or UNKNOWN)

    def of(self, identifier: BindingId | str) -> Inputs:
        """Return the same with the ids of the resource's id, for a state that has lost them.

        Raises:
            InputError: it is the id of a resource of another kind.
        """
        binding = BindingId.parse(identifier) if isinstance(identifier, str) else identifier
        return replace(
            self,
            organization_id=binding.organization_id,
            deployment_id=binding.deployment_id,
            org_token_id=binding.token_id,
        )

    def is_another(self, asked: Inputs) -> bool:
        """Return whether inputs would replace this binding of a state, as far as the ids are known."""
        ids = ((getattr(asked, name), getattr(self, name)) for name in IDENTITY)
        return any(known(now) and known(was) and now != was for now, was in ids)

    def has(self, binding: BindingId, _entry: Entry) -> bool:
        """Return whether this is a binding, as far as its ids are known."""
        return not self.is_another(Inputs().of(binding))

    def completed(self, examined: Examined) -> Inputs:
        """Return the inputs with what was found: ids, names, and the role in Astro's spelling.

        An id is missing if nothing has the name yet.
        """
        deployment, token = examined.deployments[ONLY.deployment], examined.tokens[ONLY.token]
        return replace(
            self,
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            org_token_id=token.id,
            org_token_name=token.name,
            role=examined.roles[ONLY],
        )

    def spellings(self, _entry: Entry = ONLY) -> list[Entry]:
        """Return what a program may write for the binding: the deployment and the token each by name or id."""
        return [
            Entry(deployment, token)
            for deployment in (self.deployment_name, self.deployment_id)
            for token in (self.org_token_name, self.org_token_id)
            if known(deployment) and known(token)
        ]

    def wishes(self, stored: Inputs | None = None, *, about_to_write: bool = False, unchecked: bool = False) -> Wishes:
        """Return the binding in the form in which it is examined; `stored` is the state's, flags as in `Wishes`."""
        had = stored or Inputs()
        if had.organization_id not in (None, self.organization_id):
            had = Inputs()  # ids of another organization
        deployment, token = (
            Spelled(
                id_,
                name,
                getattr(self, id_),
                getattr(self, name),
                stored_id=getattr(had, id_),
                stored_name=getattr(had, name),
            )
            for id_, name in THINGS
        )
        return Wishes(
            self.organization_id,
            {ONLY.deployment: deployment},
            {ONLY.token: token},
            self.entries,
            workspace_id=self.workspace_id,
            overwrite=self.overwrite,
            must_exist=stored is not None or about_to_write,
            about_to_write=about_to_write,
            unchecked=unchecked,
        )

    @property
    def claimed(self) -> list[BindingId | Entry]:
        """Return what a check claims that asks nothing of Astro: the binding, or its spellings if an id is missing."""
        return [self.binding] if self.binding is not None else [*self.spellings()]

    def claimed_as(self, _entry: Entry) -> list[Entry]:
        """Return the spellings by which a check may have claimed the binding."""
        return self.spellings()

    def in_words(self, _entry: Entry = ONLY) -> str:
        """Return the words of a message for the binding: names, then ids."""
        return f"{self.token_in_words} in {self.deployment_in_words}"

    @property
    def token_in_words(self) -> str:
        """Return the words of a message for the token."""
        return in_words("token", self.org_token_name, self.org_token_id)

    @property
    def deployment_in_words(self) -> str:
        """Return the words of a message for the deployment."""
        return in_words("deployment", self.deployment_name, self.deployment_id)

    def incomplete(self, identifier: str) -> str:
        """Return the warning about outputs that have lost the ids of the resource's id."""
        return (
            f"The state of {self.of(identifier).in_words()} is incomplete: its outputs have lost the ids. The update writes "
            "them again, and nothing changes in Astro for it."
        )

    def done(self, *, is_delete: bool) -> str:
        """Return the sentence of a write that did all."""
        has = "has no role any more" if is_delete else f"has the role {self.role}"
        return f"{sentence(self.in_words())} {has}."

    def new_id(self) -> str:
        """Return the id of the resource that is created."""
        return str(self.binding)

    def written(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the outputs after a write."""
        [token] = [one.token for one in outcomes if one.token is not None]
        return self.outputs(token)

    def outputs(self, token: ApiToken) -> dict[str, Any]:
        """Return the property bag of a binding that exists: its inputs, and what the CLI's list shows of the token."""
        facts = {
            "org_token_id": token.id,
            "org_token_name": self.org_token_name or token.name,
            "description": token.description,
            "scope": token.scope,
            "created_at": token.created_at,  # absolute, so that a refresh never shows drift by the clock
            "created_by": token.created_by.display_name if token.created_by else None,
        }
        return {**self.properties(), **{name: value for name, value in facts.items() if value is not None}}
