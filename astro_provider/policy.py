"""The rules of `access.toml` as a policy pack, so that a preview stops where the comment and the nightly audit complain.

A pack is a program of two lines, which the extra `policy` makes runnable:

    from astro_provider.policy import serve
    serve("access.toml")

It looks at our resources only and changes nothing. What a preview does not know yet is decided at the update: the
engine says so, and a rule that can be decided without it is decided. Names of deployments are read from Astro with the
credential of the environment, once; without one, a rule that needs a name is broken rather than passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from astro_provider.access.model import Grant, text_of
from astro_provider.access.resources import OURS, Incomprehensible, grants
from astro_provider.access.rules import Asked, Rule, Rules, Verdict, verdicts, verdicts_of_one
from astro_provider.access.rules_file import read_rules
from astro_provider.astro.api import Deployment
from astro_provider.astro.reading.reader import Readers
from astro_provider.astro.settings import Settings
from astro_provider.errors import AstroProviderError
from astro_provider.names import UNKNOWN_TEXT

NAME = "astro-access"
DESCRIPTIONS = {
    Rule.ROLE: "Only roles that access.toml allows are given to organization tokens in a deployment.",
    Rule.ADMIN: "Only tokens that access.toml names may be DEPLOYMENT_ADMIN.",
    Rule.PROTECT: "Bindings of organization tokens are protected if access.toml asks for it.",
    Rule.OVERWRITE: "Bindings of organization tokens do not overwrite roles if access.toml forbids it.",
    Rule.ADMINS: "A deployment has no more tokens that are DEPLOYMENT_ADMIN than access.toml allows.",
}

Deployments = Callable[[str | None], Mapping[str, Deployment] | None]


def serve(
    rules_file: str | Path = "access.toml",
    *,
    name: str = NAME,
    enforcement_level: EnforcementLevel = EnforcementLevel.MANDATORY,
) -> None:
    """Serve the rules as a policy pack until the engine ends it.

    Args:
        rules_file: the rules.
        name: of the pack.
        enforcement_level: what the engine does about a broken rule.

    Raises:
        UnusableInput: the rules cannot be used; the text names the line.
    """
    rules = read_rules(Path(rules_file).read_text(encoding="utf-8"), str(rules_file))
    PolicyPack(name, policies(rules), enforcement_level)


def policies(rules: Rules, deployments: Deployments | None = None) -> list[Policy]:
    """The rules as policies, one for each kind of rule.

    Args:
        rules: the rules.
        deployments: returns an organization's deployments by id, or None if they cannot be read; the default asks
            Astro.
    """
    known = deployments or _from_astro()
    found: list[Policy] = [
        ResourceValidationPolicy(rule.value, description, _of_resources(rules, rule, known))
        for rule, description in DESCRIPTIONS.items()
        if rule is not Rule.ADMINS
    ]
    return [
        *found,
        StackValidationPolicy(Rule.ADMINS.value, DESCRIPTIONS[Rule.ADMINS], _of_the_stack(rules, known)),
    ]


def _of_resources(
    rules: Rules, rule: Rule, deployments: Deployments
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if args.resource_type not in OURS:
            return
        properties, unknown = _bare(args.props)
        said = [
            verdict
            for asked in _asked(args.resource_type, args.urn, properties, deployments, protect=args.opts.protect)
            for verdict in verdicts_of_one(rules, asked)
            if verdict.rule is rule
        ]
        _report(said, unknown, report_violation)

    return validate


def _of_the_stack(rules: Rules, deployments: Deployments) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        everything: list[Asked] = []
        for one in args.resources:
            if one.resource_type in OURS:
                properties, _ = _bare(one.props)
                protect = one.opts.protect
                everything += _asked(one.resource_type, one.urn, properties, deployments, protect=protect)
        said = [verdict for verdict in verdicts(rules, everything) if verdict.rule is Rule.ADMINS]
        _report(said, None, report_violation)

    return validate


def _report(said: Iterable[Verdict], unknown: UnknownValueError | None, report_violation: ReportViolation) -> None:
    undecided = []
    for verdict in said:
        if verdict.decided:
            report_violation(verdict.text, None)
        else:
            undecided.append(verdict)
    if undecided and unknown is not None:
        raise unknown  # the engine says that the rule is looked at when the value is known
    for verdict in undecided:
        report_violation(f"{verdict.text} Export ASTRO_API_TOKEN, so that names can be read.", None)


def _asked(
    kind: str, urn: str, properties: Mapping[str, Any], deployments: Deployments, *, protect: bool
) -> list[Asked]:
    state = {"type": kind, "urn": urn, "protect": protect}
    try:
        found = grants(state, properties, moment="asked")
    except Incomprehensible:
        return []  # the provider refuses it with a better message
    return [_of_grant(grant, deployments) for grant in found]


def _of_grant(grant: Grant, deployments: Deployments) -> Asked:
    deployment_id = text_of(grant.subject.deployment_id)
    known = deployments(text_of(grant.subject.organization_id)) or {}
    named = [one for one in known.values() if one.name == text_of(grant.subject.deployment_name)]
    deployment = known.get(deployment_id or "") or (named[0] if len(named) == 1 else None)
    workspace = (deployment.workspace_name or "") if deployment else None
    return Asked(
        deployment_id=deployment_id,
        deployment_name=deployment.name if deployment else grant.deployment_name,
        workspace_name=workspace,
        org_token_id=text_of(grant.subject.org_token_id),
        org_token_name=grant.org_token_name,
        role=text_of(grant.role),
        protect=grant.protect,
        overwrite=grant.overwrite,
    )


def _bare(properties: Mapping[str, Any]) -> tuple[dict[str, Any], UnknownValueError | None]:
    """The properties without the guard that raises if a value is not known yet, and what it would have raised."""
    found: dict[str, Any] = {}
    raised: UnknownValueError | None = None
    for name in properties:
        try:
            value = properties[name]
        except UnknownValueError as unknown:
            found[name], raised = UNKNOWN_TEXT, unknown
            continue
        if isinstance(value, Mapping):
            found[name], beneath = _bare(value)
            raised = raised or beneath
        else:
            found[name] = value
    return found, raised


def _from_astro() -> Deployments:
    """A reader of deployments: one list for each organization, and none if Astro cannot be asked."""

    @cache
    def read(organization_id: str | None) -> Mapping[str, Deployment] | None:
        try:
            settings = Settings.find(lambda _key: None, os.environ)
            if settings.credential is None:
                return None
            return Readers(settings.client()).of(organization_id or settings.organization_id).deployments()
        except AstroProviderError:
            return None

    return read
