"""Finds the assignments that can be adopted, and the reasons why others are left out.

The role is taken from the token itself, never from a list. Then the binding is examined as the next preview will
examine it: with an error it is left out, and a warning is reported here as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.astro.reading.assignments import assigned_tokens
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import ORGANIZATION, dag_roles_in, require_roles, role_in
from astro_provider.commands.adoption.names import keys, resource_name
from astro_provider.errors import InvalidInputs, NotFound
from astro_provider.lifecycle.findings import Weight
from astro_provider.lifecycle.inputs import Inputs
from astro_provider.lifecycle.preflight import examine
from astro_provider.lifecycle.resolving import look_up
from astro_provider.messages.words import counted, in_words

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Adoption:
    """An assignment that is adopted."""

    deployment: Deployment
    deployment_key: str  # the deployment's name in the program
    token: ApiToken  # the token, with all its roles
    token_key: str  # its name in the program
    deployment_by_name: bool  # no other deployment of the organization has its name, so the name is enough
    token_by_name: bool  # no other organization token has its name, so the name is enough
    inputs: Inputs  # the program's arguments as `check` completes them

    @property
    def name(self) -> str:
        """The resource's name."""
        return resource_name(self.deployment_key, self.token_key)

    @property
    def role(self) -> str:
        """The role that the token has."""
        return str(self.inputs.role)


@dataclass
class Found:
    """The adopted assignments by deployment and token, those that are left out with the reason, and remarks."""

    adoptions: list[Adoption] = field(default_factory=list)
    warned: int = 0  # the number of adopted ones with a warning of the preview, which previewChecks=strict would refuse
    # The number of those that are left out because a stack manages them, by stack.
    managed: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)  # a sentence for each that is left out
    remarks: list[str] = field(default_factory=list)  # the preview's warnings, and roles in DAGs
    # The deployments in which no organization token has a role, each with true if its name is unique.
    empty: list[tuple[Deployment, bool]] = field(default_factory=list)
    ids: frozenset[str] = frozenset()  # all ids of deployments and tokens

    @property
    def extent(self) -> str:
        """The numbers of bindings, tokens and deployments that are adopted, in words."""
        tokens = counted(len({one.token.id for one in self.adoptions}), "organization token")
        deployments = counted(len({one.deployment.id for one in self.adoptions}), "deployment")
        return f"{counted(len(self.adoptions), 'binding')}: {tokens} in {deployments}"


def find(
    reader: Reader,
    deployments: Sequence[Deployment],
    *,
    managed: Mapping[tuple[str, str], str] = MappingProxyType({}),
    declared: Collection[str] = (),
    progress: Progress = lambda _done, _of: None,
) -> Found:
    """Find the assignments that can be adopted.

    Args:
        reader: the facts of the organization.
        deployments: those to look in.
        managed: the stack that manages a role already, by the ids of deployment and token; such a role is left out.
        declared: names of resources that are adopted although a stack manages them, because their program is the one
            that is replaced.
        progress: called with the number of calls that are done, and of all.

    Raises:
        RolesUnknown: the service left a token's roles out.
        ServiceError: a call failed.
    """
    rows = assigned_tokens(reader, deployments, include_other_scopes=True, progress=progress)
    wholes = _whole_tokens(reader, {r.id for r in rows if r.scope == ORGANIZATION}, progress)
    everywhere = reader.deployments().values()
    deployments_named = Counter(one.name for one in everywhere)
    deployment_keys = keys(everywhere)
    tokens = reader.tokens()
    token_keys = keys(one for one in tokens.listed if one.scope == ORGANIZATION)
    by_id = {deployment.id: deployment for deployment in deployments}
    found = Found()
    for row in rows:
        shown = (
            f"{in_words('token', row.name, row.id)} in {in_words('deployment', row.deployment_name, row.deployment_id)}"
        )
        if row.scope != ORGANIZATION:
            found.left_out.append(f"{shown}: the token is of scope {row.scope}: only ORGANIZATION tokens can be bound.")
            continue
        deployment_key, token_key = deployment_keys.get(row.deployment_id), token_keys.get(row.id)
        stack = managed.get((row.deployment_id, row.id))
        if stack and resource_name(deployment_key or "", token_key or "") not in declared:
            found.managed[stack] += 1
            continue
        token = wholes.get(row.id)
        role = role_in(require_roles(token), row.deployment_id) if token else None
        # The list and the token were read one after the other: a token that was deleted or unbound in between has no role.
        if token is None or role is None or token_key is None or deployment_key is None:
            found.left_out.append(f"{shown}: it changed while it was being read.")
            continue
        deployment = by_id[row.deployment_id]
        # The program gives neither a workspace nor `overwrite`.
        inputs = Inputs(
            organization_id=reader.organization_id,
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            org_token_id=token.id,
            org_token_name=token.name,
            role=role,
        )
        inputs, errors, warnings = _examined(reader, inputs)
        if errors:
            found.left_out.append(f"{shown}: {' '.join(errors)}")
            continue
        adoption = Adoption(
            deployment=deployment,
            deployment_key=deployment_key,
            token=token,
            token_key=token_key,
            deployment_by_name=deployments_named[deployment.name] == 1,
            token_by_name=len(tokens.by_name.get(token.name, ())) == 1,
            inputs=inputs,
        )
        found.adoptions.append(adoption)
        found.warned += bool(warnings)
        found.remarks += [*warnings, *_dag_roles(adoption)]
    there = {row.deployment_id for row in rows if row.scope == ORGANIZATION}
    found.empty = [(one, deployments_named[one.name] == 1) for one in deployments if one.id not in there]
    found.ids = frozenset((*(one.id for one in everywhere), *tokens.by_id))
    found.adoptions.sort(key=lambda one: (one.deployment_key, one.token_key))
    return found


def _whole_tokens(reader: Reader, token_ids: set[str], progress: Progress) -> dict[str, ApiToken | None]:
    def read(token_id: str) -> ApiToken | None:
        try:
            return reader.whole_token(token_id)
        except NotFound:
            return None  # deleted since the list was read

    ids = sorted(token_ids)
    tokens = {}
    for done, token in enumerate(in_parallel([partial(read, one) for one in ids]), start=1):
        progress(done, len(ids))
        tokens[ids[done - 1]] = token
    return tokens


def _examined(reader: Reader, inputs: Inputs) -> tuple[Inputs, list[str], list[str]]:
    """Return the inputs with the role in Astro's spelling, and the errors and warnings of the next preview."""
    try:
        Inputs.parse(inputs.properties())
    except InvalidInputs as invalid:
        return inputs, [str(invalid)], []
    found = examine(reader, look_up(reader, inputs.wishes()), missing=Weight.WARNING, unchanged=())
    errors, warnings = (
        [finding.text for finding in found.findings if finding.weight is weight]
        for weight in (Weight.ERROR, Weight.WARNING)
    )
    return replace(inputs, role=inputs.completed(found).role), errors, warnings


def _dag_roles(adoption: Adoption) -> Iterator[str]:
    for entry in dag_roles_in(adoption.token.roles or (), adoption.deployment.id):
        kind = "DAG tag" if entry.entity_type == "DAG_TAG" else "DAG"
        yield (
            f"Token {adoption.token.name!r} ({adoption.token.id}) also has {entry.role} in the {kind} "
            f"{entry.entity_id} of deployment {adoption.deployment.name!r}: roles in DAGs stay as they are."
        )
